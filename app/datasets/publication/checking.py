"""Whether the Hub holds what was frozen: its files at the commit that was stored, and on its main branch today."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.datasets.manifest import EXAMPLES
from app.datasets.publication.files import Held, Sent, differing
from app.datasets.publication.hub import Hub, Landed
from app.web.words import plural

MAIN = "main"
ATTRIBUTES = ".gitattributes"
SHORT = 8


@dataclass(frozen=True)
class Findings:
    """What a comparison came to: in a sentence, and file by file as `{"revision", "path", "problem"}`."""

    holds: bool
    words: str
    problems: tuple[dict[str, Any], ...] = ()


def compare(hub: Hub, landed: Landed, files: Sequence[Sent], sha256: str, check: Callable[[], None]) -> Findings:
    """Compare a repository with what was sent; `sha256` is that of the version's examples.jsonl.

    Raises Refused and Trouble, and whatever `check` raises to stop.
    """
    short = landed.revision[:SHORT]
    held = hub.files(landed.revision)
    if held is None:
        words = f"The Hub has no commit {short} any more: somebody rewrote the history of {hub.repository}."
        return Findings(False, words, (_problem(landed.revision, "", "There is no such commit."),))
    wrong = differing(files, held)
    # All other files are known by the hash that the Hub keeps of them; this one is read again to its last byte.
    if EXAMPLES in held and EXAMPLES not in dict(wrong) and hub.sha256_of(EXAMPLES, landed.revision, check) != sha256:
        wrong.append((EXAMPLES, "Its bytes do not have the hash that is the version's id."))
    problems = [_problem(landed.revision, *one) for one in wrong]
    if wrong:
        return Findings(False, f"At {short} the Hub does not hold what was frozen: {_named(wrong)}.", tuple(problems))
    on_main = hub.files(MAIN) or {}
    moved = differing(files, on_main)
    if landed.pull_request and len(moved) == len(files):
        return Findings(True, f"The Hub holds what was frozen, at {short}; its pull request is not merged.")
    words = f"The Hub holds what was frozen, at {short}{_main(moved, on_main, files)}."
    return Findings(True, words, tuple(_problem(MAIN, *one) for one in moved))


def _problem(revision: str, path: str, problem: str) -> dict[str, Any]:
    return {"revision": revision, "path": path, "problem": problem}


def _named(wrong: Sequence[tuple[str, str]]) -> str:
    shown = ", ".join(path for path, _ in wrong[:3])
    return shown + (f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else "")


def _main(moved: Sequence[tuple[str, str]], on_main: Mapping[str, Held], files: Sequence[Sent]) -> str:
    if moved:
        return f"; main does not hold all of it: {_named(moved)}"
    others = len(set(on_main) - {one.path for one in files} - {ATTRIBUTES})
    return " and on main" + (f", which has {plural(others, 'other file')} beside it" if others else "")
