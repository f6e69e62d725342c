"""What stands between a set and its freeze: each gate passes, warns, or blocks until it is settled or overridden."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.duplicates.normal import normal_form
from app.web.words import plural

SHOWN = 5


class GateState(StrEnum):
    """How a gate judges the set."""

    PASS = "pass"  # noqa: S105 - a verdict, no secret
    WARN = "warn"
    BLOCK = "block"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True)
class Gate:
    """One gate's judgement in a sentence, and the reason of whoever went past it."""

    gate: str
    state: GateState
    detail: str
    reason: str | None = None

    def document(self) -> dict[str, Any]:
        """Give the gate as manifest, card, API and command line print it."""
        shown = {"gate": self.gate, "state": self.state.value, "detail": self.detail}
        return shown | ({"reason": self.reason} if self.reason else {})


GATES = ("composition", "approvals", "duplicates", "leakage", "licences")


@dataclass(frozen=True)
class Filling:
    """A source in a split: how many there are, how many the target asks for (0: it is not in the target)."""

    source: str
    split: str
    title: str
    short_title: str
    colour: int
    target: int
    count: int


@dataclass(frozen=True)
class Prompt:
    """An example's first question, for the search of leaks."""

    example_id: int
    split: str
    text: str


def composition_gate(fillings: Sequence[Filling]) -> Gate:
    """Warn where a row of the target is not met, or rows stand outside it."""
    off = [row for row in fillings if row.target and row.count != row.target]
    stray = sum(row.count for row in fillings if not row.target)
    words = [f"{_label(row)} {row.count:,} of {row.target:,}" for row in off]
    parts = [_some(words)] if words else []
    parts += [f"{plural(stray, 'example')} of sources outside the target"] if stray else []
    if parts:
        return Gate("composition", GateState.WARN, "; ".join(parts) + ".")
    met = "Every row of the target is met." if fillings else "The project has no target."
    return Gate("composition", GateState.PASS, met)


def _label(row: Filling) -> str:
    return row.short_title if row.split == "train" else f"{row.short_title} ({row.split})"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _some(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Approvals:
    """Where the approvals of a set came from; `own` were approved by their own writer, which no rule allows."""

    second_person: int = 0
    imported: int = 0
    unrecorded: int = 0
    own: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        """How many examples are approved."""
        return self.second_person + self.imported + self.unrecorded + self.own


def approvals_gate(found: Approvals) -> Gate:
    """Block where nothing is approved, or somebody approved their own words."""
    left_out = f" {plural(found.waiting, 'example')} in review stay out." if found.waiting else ""
    if not found.total:
        return Gate("approvals", GateState.BLOCK, "No example is approved yet." + left_out)
    if found.own:
        own = f"{plural(found.own, 'example')} carry the approval of their own writer."
        return Gate("approvals", GateState.BLOCK, own + left_out)
    words = [f"{found.second_person:,} approved by a second person"] if found.second_person else []
    words += [f"{found.imported:,} approved elsewhere and imported"] if found.imported else []
    words += [f"{found.unrecorded:,} without an approval on record"] if found.unrecorded else []
    state = GateState.WARN if found.unrecorded else GateState.PASS
    return Gate("approvals", state, ", ".join(words) + "." + left_out)


def duplicates_gate(inside: int, outside: int) -> Gate:
    """Warn while pairs wait for a decision, `inside` the set or `outside` it."""
    if not inside and not outside:
        return Gate("duplicates", GateState.PASS, "No pair waits for a decision.")
    within = plural(inside, "pair") if inside else "no pair"
    words = f"{within} inside the set and {outside:,} outside it wait for a decision"
    return Gate("duplicates", GateState.WARN, _sentence(words))


def exact_leaks(prompts: Iterable[Prompt]) -> list[tuple[Prompt, Prompt]]:
    """Give pairs of examples in different splits whose first question has the same normal form, by example."""
    by_form: dict[str, dict[str, Prompt]] = defaultdict(dict)
    for prompt in sorted(prompts, key=lambda prompt: prompt.example_id):
        by_form[normal_form(prompt.text)].setdefault(prompt.split, prompt)
    leaks = []
    for form, of_split in by_form.items():
        first, *others = sorted(of_split.values(), key=lambda prompt: prompt.example_id)
        leaks += [(first, other) for other in others if form]
    return sorted(leaks, key=lambda pair: (pair[0].example_id, pair[1].example_id))


def leakage_gate(
    exact: Sequence[tuple[Prompt, Prompt]],
    undecided: Sequence[tuple[str, str]],
    kept: Sequence[tuple[str, str, str]] = (),
) -> Gate:
    """Block while a prompt stands in two splits, or a match between splits waits for a decision.

    Warn where matches inside the set were kept on purpose: `kept` gives both sides and the reason.
    """
    words = [f"{_named(left)} and {_named(right)} have the same prompt" for left, right in exact]
    parts = [_some(words)] if words else []
    seen = {frozenset((f"example:{left.example_id}", f"example:{right.example_id}")) for left, right in exact}
    open_pairs = [f"{left} and {right}" for left, right in undecided if frozenset((left, right)) not in seen]
    parts += [f"undecided between splits: {_some(open_pairs)}"] if open_pairs else []
    on_purpose = [f"{left} and {right} ({reason})" for left, right, reason in kept]
    blocks = bool(parts)
    parts += [f"kept on purpose between splits: {_some(on_purpose)}"] if on_purpose else []
    if parts:
        return Gate("leakage", GateState.BLOCK if blocks else GateState.WARN, _sentence("; ".join(parts)))
    return Gate("leakage", GateState.PASS, "No prompt stands in two splits, no match between splits is open.")


def _named(prompt: Prompt) -> str:
    return f"example {prompt.example_id} ({prompt.split})"


def licences_gate(licences: Counter[str | None], unattributed: int) -> Gate:
    """Warn where the licence is missing; say what a share-alike licence asks for."""
    missing, total = licences.get(None, 0), sum(licences.values())
    if not total:
        return Gate("licences", GateState.PASS, "No example to look at yet.")
    share_alike = sum(count for licence, count in licences.items() if licence and "-SA" in licence.upper())
    words = [f"{total - missing:,} of {total:,} carry a licence"]
    words += [f"{unattributed:,} of these name neither author nor link"] if unattributed else []
    verb = "is" if share_alike == 1 else "are"
    words += [f"{share_alike:,} {verb} share-alike, which the card and ATTRIBUTION.md state"] if share_alike else []
    state = GateState.WARN if missing or unattributed else GateState.PASS
    return Gate("licences", state, "; ".join(words) + ".")


def limited(gates: Sequence[Gate], licences: Sequence[str]) -> tuple[Gate, ...]:
    """Give the gates; that of licences says to which ones the version is limited."""
    if not licences:
        return tuple(gates)
    words = f" Limited to {', '.join(licences)}."
    return tuple(replace(gate, detail=gate.detail + words) if gate.gate == "licences" else gate for gate in gates)


def override(gates: Sequence[Gate], reasons: Mapping[str, str]) -> tuple[Gate, ...]:
    """Give the gates with the blocking ones overridden where a reason is given; the others stand as they are."""
    return tuple(
        replace(gate, state=GateState.OVERRIDDEN, reason=reasons[gate.gate])
        if gate.state is GateState.BLOCK and gate.gate in reasons
        else gate
        for gate in gates
    )
