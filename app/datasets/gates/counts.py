"""Gates that count: composition, approvals, duplicates, licences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.datasets.gates.base import NOTHING_YET, Finding, Gate, Judgement, Side, Weight, sentence, some
from app.text.licences import is_stated, keeps_all_rights, licence_of
from app.web.words import day, plural


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


def composition_gate(fillings: Sequence[Filling]) -> Judgement:
    """Find rows of the target that are not met, and rows that stand outside it."""
    off = [row for row in fillings if row.target and row.count != row.target]
    stray = [row for row in fillings if not row.target and row.count]
    words = [f"{_label(row)} {row.count:,} of {row.target:,}" for row in off]
    parts = [some(words)] if words else []
    total = sum(row.count for row in stray)
    parts += [f"{plural(total, 'example')} of sources outside the target"] if stray else []
    findings = tuple(
        Finding(_filled(row), source=row.source if row.count < row.target else None) for row in (*off, *stray)
    )
    if parts:
        return Judgement("composition", "; ".join(parts) + ".", Weight.FOUND, findings)
    met = "Every row of the target is met." if fillings else "The project has no target."
    return Judgement("composition", met)


def _label(row: Filling) -> str:
    return row.short_title if row.split == "train" else f"{row.short_title} ({row.split})"


def _filled(row: Filling) -> str:
    if not row.target:
        return f"{_label(row)}: {row.count:,} outside the target"
    short = row.target - row.count
    return f"{_label(row)}: {row.count:,} of {row.target:,}, {abs(short):,} {'short' if short > 0 else 'too many'}"


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


def approvals_gate(found: Approvals, own: Sequence[Side] = (), unrecorded: Sequence[Side] = ()) -> Judgement:
    """Find where nothing is approved, or somebody approved their own words; note what has no approval on record."""
    left_out = f" {plural(found.waiting, 'example')} in review stay out." if found.waiting else ""
    findings = tuple(
        [Finding("approved by its own writer", (side,)) for side in own]
        + [Finding("no approval on record", (side,), noted=True) for side in unrecorded]
    )
    if not found.total:
        return Judgement("approvals", "No example is approved yet." + left_out, Weight.FOUND)
    if found.own:
        words = f"{plural(found.own, 'example')} carry the approval of their own writer."
        return Judgement("approvals", words + left_out, Weight.FOUND, findings)
    parts = [f"{found.second_person:,} approved by a second person"] if found.second_person else []
    parts += [f"{found.imported:,} approved elsewhere and imported"] if found.imported else []
    parts += [f"{found.unrecorded:,} without an approval on record"] if found.unrecorded else []
    weight = Weight.NOTED if found.unrecorded else Weight.NOTHING
    return Judgement("approvals", ", ".join(parts) + "." + left_out, weight, findings)


@dataclass(frozen=True)
class Look:
    """The last look for duplicates: when it began (None: there was none), how many texts of the set are newer."""

    at: datetime | None
    newer: int

    @property
    def words(self) -> str:
        """What nobody has looked through, in a sentence; empty where all was."""
        if not self.newer:
            return ""
        if self.at is None:
            return "Nobody has looked for duplicates yet; a look through all prompts finds them."
        verb = "is" if self.newer == 1 else "are"
        return (
            f"{plural(self.newer, 'example')} {verb} newer than the last look for duplicates, of {day(self.at)}; "
            "look again."
        )


def duplicates_gate(inside: Sequence[Finding], outside: int, *, leaks: int, look: Look) -> Judgement:
    """Find pairs that wait for a decision: those `inside` the set one by one, of the others how many.

    Of those inside `leaks` stand between splits. That nobody has looked is noted.
    """
    if not inside and not outside:
        weight = Weight.NOTED if look.words else Weight.NOTHING
        return Judgement("duplicates", look.words or "No pair waits for a decision.", weight)
    within = plural(len(inside), "pair") if inside else "no pair"
    of_these = f" ({leaks:,} of them as {'a leak' if leaks == 1 else 'leaks'})" if leaks else ""
    words = sentence(f"{within} inside the set{of_these} and {outside:,} outside it wait for a decision")
    return Judgement("duplicates", " ".join(filter(None, [words, look.words])), Weight.FOUND, tuple(inside))


@dataclass(frozen=True)
class Licensed:
    """A text with its licence, and whether its author or a link to it is known."""

    side: Side
    licence: str | None
    attributed: bool


def licences_gate(texts: Sequence[Licensed]) -> Judgement:
    """Find texts without a licence, under words that keep all rights, or without the name that their licence asks for.

    What a share-alike licence asks for is said.
    """
    if not texts:
        return Judgement("licences", NOTHING_YET)
    missing = [text for text in texts if not is_stated(text.licence)]
    reserved = [text for text in texts if keeps_all_rights(text.licence)]
    unfit = {text.side.key for text in (*missing, *reserved)}
    licensed = [(text, licence_of(text.licence or "")) for text in texts if text.side.key not in unfit]
    unnamed = [(text, licence) for text, licence in licensed if not text.attributed and licence.asks_for_a_name]
    findings = [Finding(_no_licence(text.licence), (text.side,)) for text in missing]
    findings += [Finding(f"“{text.licence}” lets nobody else use it", (text.side,)) for text in reserved]
    findings += [Finding(f"{licence.name} without author or link", (text.side,)) for text, licence in unnamed]
    words = [f"{len(licensed):,} of {len(texts):,} carry a licence"]
    words += [f"{len(unnamed):,} of these name neither author nor link, as their licence asks"] if unnamed else []
    kept = f"{len(reserved):,} {_verb(reserved, 'keeps', 'keep')} all rights, which is no licence"
    words += [kept] if reserved else []
    alike = [licence for _, licence in licensed if licence.share_alike]
    shared = f"{len(alike):,} {_verb(alike, 'is', 'are')} share-alike, which the card and ATTRIBUTION.md state"
    words += [shared] if alike else []
    weight = Weight.FOUND if findings else Weight.NOTHING
    return Judgement("licences", "; ".join(words) + ".", weight, tuple(findings))


def _no_licence(written: str | None) -> str:
    said = " ".join((written or "").split())
    return f"“{said}” is no licence" if said else "no licence"


def _verb(some_of_them: Sequence[object], one: str, more: str) -> str:
    return one if len(some_of_them) == 1 else more


def limited(gates: Sequence[Gate], licences: Sequence[str]) -> tuple[Gate, ...]:
    """Give the gates; that of licences says to which ones the version is limited."""
    if not licences:
        return tuple(gates)
    words = f" Limited to {', '.join(licence_of(licence).name for licence in licences)}."
    return tuple(replace(gate, detail=gate.detail + words) if gate.gate == "licences" else gate for gate in gates)


__all__ = [
    "Approvals", "Filling", "Licensed", "Look", "approvals_gate", "composition_gate", "duplicates_gate",
    "licences_gate", "limited",
]  # fmt: skip
