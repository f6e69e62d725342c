"""Word diffs that lose nothing: the segments join back to both texts, blank for blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Indel

Kind = Literal["equal", "insert", "delete"]

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_LARGEST = 400_000_000
"""Most cells (words left x words right) of one comparison: 50 MB of bit matrix."""


@dataclass(frozen=True)
class Segment:
    """A run of text that stands in both texts (equal), only in the right (insert) or only in the left."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Piece:
    """A run of one side of a comparison; `only` when the other side lacks it."""

    text: str
    only: bool


@dataclass(frozen=True)
class SideBySide:
    """Both texts in pieces; each tuple joins to its text."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]


def word_diff(left: str, right: str) -> tuple[Segment, ...]:
    """Give the changes from `left` to `right` in words, deletions before insertions.

    equal + delete joins to `left`, equal + insert to `right`. Texts of very many words are compared by
    lines, and where that is still too much, as one change.
    """
    for pattern in (_WORDS, _LINES):
        a, b = pattern.findall(left), pattern.findall(right)
        head, tail = _common_ends(a, b)
        if (len(a) - head - tail) * (len(b) - head - tail) <= _LARGEST:
            return _tidy(_compare(a, b))
    return _tidy([Segment("delete", left), Segment("insert", right)])


def side_by_side(left: str, right: str) -> SideBySide:
    """Give both texts with the words marked that stand only there."""
    segments = word_diff(left, right)
    return SideBySide(
        tuple(Piece(part.text, part.kind == "delete") for part in segments if part.kind != "insert"),
        tuple(Piece(part.text, part.kind == "insert") for part in segments if part.kind != "delete"),
    )


def _common_ends(a: Sequence[str], b: Sequence[str]) -> tuple[int, int]:
    shorter = min(len(a), len(b))
    head = 0
    while head < shorter and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    return head, tail


def _compare(a: Sequence[str], b: Sequence[str]) -> Iterable[Segment]:
    # Words become small numbers: equal numbers are equal words, with no trust in string hashes.
    number: dict[str, int] = {}
    left = [number.setdefault(word, len(number)) for word in a]
    right = [number.setdefault(word, len(number)) for word in b]
    for step in Indel.opcodes(left, right):
        if step.tag == "equal":
            yield Segment("equal", "".join(a[step.src_start : step.src_end]))
        elif step.tag == "delete":
            yield Segment("delete", "".join(a[step.src_start : step.src_end]))
        else:
            yield Segment("insert", "".join(b[step.dest_start : step.dest_end]))


def _tidy(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Join neighbours: a blank between two changes belongs to the change, so that it reads as a phrase."""
    parts = [part for part in segments if part.text]
    out: list[Segment] = []
    deleted, inserted = "", ""
    for index, part in enumerate(parts):
        if part.kind == "delete":
            deleted += part.text
        elif part.kind == "insert":
            inserted += part.text
        elif _is_gap(parts, index) and deleted and inserted:
            deleted, inserted = deleted + part.text, inserted + part.text
        else:
            out += _change(deleted, inserted)
            deleted, inserted = "", ""
            out.append(part)
    return tuple(_merged(out + _change(deleted, inserted)))


def _is_gap(parts: Sequence[Segment], index: int) -> bool:
    return parts[index].text.isspace() and 0 < index < len(parts) - 1 and "\n" not in parts[index].text


def _change(deleted: str, inserted: str) -> list[Segment]:
    pair = (Segment("delete", deleted), Segment("insert", inserted))
    return [part for part in pair if part.text]


def _merged(segments: Iterable[Segment]) -> Iterable[Segment]:
    last: Segment | None = None
    for part in segments:
        if last is not None and last.kind == part.kind == "equal":
            last = Segment("equal", last.text + part.text)
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last
