"""The words of a record that a list shows: its beginning, or what stands round the passage that a rule objects to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.sources.records import Decision, Record
from app.sources.rules import FirstPerson
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


def excerpt_of(record: Record, decision: Decision) -> Excerpt:
    """Give the passage that dropped a record with some words round it, else the beginning of its last message."""
    if place := _PLACE.search(decision.reason):
        turns = record.messages if place["whose"] == "message" else record.responses
        text = turns[int(place["turn"] or 1) - 1].content
        words = r"\w+" if decision.rule == FirstPerson.name else r"\s+".join(map(re.escape, place["words"].split()))
        if found := re.compile(words).match(text, int(place["start"]) - 1):
            return _around(text, found.start(), found.end())
    if not record.messages:
        return Excerpt("")
    text = record.messages[-1].visible
    return Excerpt(text if len(text) <= BEGINNING else f"{text[:BEGINNING].rsplit(None, 1)[0]} …")


def _around(text: str, start: int, end: int) -> Excerpt:
    first, last = max(0, start - BEFORE), min(len(text), end + AFTER)
    before, after = text[first:start], text[end:last]
    if first:
        before = "… " + before.partition(" ")[2]
    if last < len(text):
        after = after.rpartition(" ")[0] + " …"
    return Excerpt(before + text[start:end] + after, ((len(before), len(before) + end - start),))


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
