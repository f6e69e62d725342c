"""What of a gate's findings somebody has seen: a reason goes past these and past no other."""

from collections.abc import Sequence
from hashlib import sha256

from app.datasets.gates.base import Finding, Gate, spelled

# So many findings are told apart; of more, only whether they are the same ones.
MOST = 500
_WHOLE = "all-"


def seen(gate: Gate) -> str:
    """A fingerprint of what holds a freeze up: a mark for each finding, or one for all where there are very many."""
    marks = sorted({_mark(finding) for finding in _held(gate)}) or [_hash(gate.detail)]
    return ".".join(marks) if len(marks) <= MOST else _WHOLE + _hash(*marks)


def unseen(gate: Gate, shown: str) -> str:
    """What the gate finds now beyond what had the fingerprint `shown`, in words of the texts; empty for nothing.

    What is gone since is nothing new: a reason that covers three leaks covers two of them.
    """
    if seen(gate) == shown:
        return ""
    held, known = _held(gate), set(shown.split("."))
    if not held or shown.startswith(_WHOLE):
        return gate.detail
    new = [finding for finding in held if _mark(finding) not in known]
    return spelled(new) if new else ""


def _held(gate: Gate) -> Sequence[Finding]:
    return [finding for finding in gate.findings if not finding.noted]


def _mark(finding: Finding) -> str:
    # How alike two are moves with every other text of the set, so of a score only its method counts.
    sides = sorted(f"{side.key} {side.split} {side.words}" for side in finding.sides)
    return _hash(finding.method or finding.words, *sides)


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:12]
