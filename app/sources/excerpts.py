"""The words of a record that a list shows: its beginning, or what stands round the passage that a rule objects to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.sources.records import Decision, Record
from app.sources.rules import FirstPerson
from app.sources.rulesets import Ruleset
from app.text.marks import runs

BEGINNING = 320
BEFORE, AFTER = 160, 260

# What a rule's reason says of a passage: first person: "I would" at character 12 of answer 2.
_PLACE = re.compile(
    r': "(?P<words>.+)" at character (?P<start>\d+)(?: of (?P<whose>answer|message) (?P<turn>\d+))?$', re.DOTALL
)


@dataclass(frozen=True)
class Excerpt:
    """Some words of a record, and where in them the passages stand that a rule objects to."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Piece:
    """A stretch of an excerpt as it is shown; `pinned` is what a rule objects to."""

    text: str
    pinned: bool = False


def excerpt_of(
    record: Record, decision: Decision, others: Iterable[str] = (), ruleset: Ruleset | None = None
) -> Excerpt:
    """Give the passage that dropped or marked a record with some words round it, else how its last message begins.

    `others` are reasons of the same kind: what they speak of is marked as well where it stands in those words. With
    `ruleset` every other passage there that the deciding rule objects to is marked too.
    """
    rule = next((one for one in ruleset.rules if one.name == decision.rule), None) if ruleset else None
    found = [place for reason in (decision.reason, *others) if (place := _passage(record, decision.rule, reason))]
    if found:
        text, start, end = found[0]
        alike = [place[1:] for place in found[1:] if place[0] is text]
        return _around(text, start, end, [*alike, *(rule.passages(text) if rule else ())])
    if not record.messages:
        return Excerpt("")
    text = record.messages[-1].visible
    return Excerpt(text if len(text) <= BEGINNING else f"{text[:BEGINNING].rsplit(None, 1)[0]} …")


def _passage(record: Record, rule: str | None, reason: str) -> tuple[str, int, int] | None:
    """The text that a reason speaks of, and where in it."""
    place = _PLACE.search(reason)
    if place is None:
        return None
    turns = record.messages if place["whose"] == "message" else record.responses
    turn = int(place["turn"] or 1) - 1
    if turn >= len(turns):
        return None
    text = turns[turn].content
    words = r"\w+" if rule == FirstPerson.name else r"\s+".join(map(re.escape, place["words"].split()))
    found = re.compile(words).match(text, int(place["start"]) - 1)
    return (text, found.start(), found.end()) if found else None


def _around(text: str, start: int, end: int, others: Sequence[tuple[int, int]] = ()) -> Excerpt:
    first, last = max(0, start - BEFORE), min(len(text), end + AFTER)
    lead, tail = ("… " if first else ""), (" …" if last < len(text) else "")
    first += len(text[first:start].partition(" ")[0]) + 1 if first and " " in text[first:start] else 0
    last -= len(text[end:last].rpartition(" ")[2]) + 1 if tail and " " in text[end:last] else 0
    shown = sorted({(start, end), *(one for one in others if first <= one[0] and one[1] <= last)})
    marks = tuple((begin - first + len(lead), stop - first + len(lead)) for begin, stop in _apart(shown))
    return Excerpt(f"{lead}{text[first:last]}{tail}", marks)


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in their order, those that lie in one before them left out."""
    at = 0
    for start, end in spans:
        if start >= at:
            yield start, end
            at = end


def pieces(text: str, marks: Iterable[Sequence[int]]) -> tuple[Piece, ...]:
    """Split an excerpt at its marks; characters that cannot be seen are written out."""
    return tuple(_pieces(text, marks))


def _pieces(text: str, marks: Iterable[Sequence[int]]) -> Iterator[Piece]:
    at = 0
    for start, end in marks:
        if start > at:
            yield Piece(visible(text[at:start]))
        yield Piece(visible(text[start:end]), pinned=True)
        at = end
    if text[at:]:
        yield Piece(visible(text[at:]))


def visible(text: str) -> str:
    """Write out characters that cannot be seen, such as [U+202E], which would turn the words round."""
    return "".join(f"[{run.mark}]" if run.mark else run.text for run in runs(text))
