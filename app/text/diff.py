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
    """Join changes that only a coincidence keeps apart, so that a new phrase reads as one and not as word soup."""
    # Changes and what stands between them in turn: (deleted, inserted), equal, (deleted, inserted), …
    changes: list[tuple[str, str]] = [("", "")]
    equals: list[str] = []
    for part in segments:
        if part.kind == "equal":
            equals.append(part.text)
            changes.append(("", ""))
            continue
        deleted, inserted = changes[-1]
        both = (deleted + part.text, inserted) if part.kind == "delete" else (deleted, inserted + part.text)
        changes[-1] = both
    return tuple(_merged(_unfolded(*_joined(changes, equals))))


def _joined(changes: list[tuple[str, str]], equals: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    kept, between = changes[:1], list[str]()
    for equal, change in zip(equals, changes[1:], strict=True):
        between.append(equal)
        kept.append(change)
        # What was joined is larger now, so that the words before it may be a coincidence as well.
        while between and _is_coincidence(kept[-2], between[-1], kept[-1]):
            (deleted, inserted), text, (more, other) = kept[-2], between.pop(), kept.pop()
            kept[-1] = (deleted + text + more, inserted + text + other)
    return kept, between


def _is_coincidence(before: tuple[str, str], equal: str, after: tuple[str, str]) -> bool:
    """Say whether words between two changes are fewer than either change; a paragraph's end never is one."""
    if not any(before) or not any(after) or (equal.isspace() and "\n" in equal):
        return False
    replaces = (before[0] or after[0]) and (before[1] or after[1])
    return bool(replaces) and len(equal) <= min(max(map(len, before)), max(map(len, after)))


def _unfolded(changes: Sequence[tuple[str, str]], equals: Sequence[str]) -> Iterable[Segment]:
    for index, change in enumerate(changes):
        yield from _change(*change)
        if index < len(equals) and equals[index]:
            yield Segment("equal", equals[index])


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
