"""Three texts become one: two people's changes to the same text, joined where they do not meet.

Compared by lines first; where both changed the same lines, by words. What cannot be joined stays as a conflict with
both texts: nothing that anybody wrote is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")
_LARGEST = 400_000_000
"""Most cells (tokens left x tokens right) of one comparison; beyond it what differs is one change."""


@dataclass(frozen=True)
class Piece:
    """A run of the joined text; in a conflict `mine` and `theirs` differ and `base` is what both began from."""

    mine: str
    theirs: str
    base: str = ""

    @property
    def conflict(self) -> bool:
        """Whether somebody has to choose."""
        return self.mine != self.theirs


@dataclass(frozen=True)
class _Change:
    """Base tokens from `start` to `end` became other tokens, from `at` to `to`."""

    start: int
    end: int
    at: int
    to: int


def merge(base: str, mine: str, theirs: str) -> tuple[Piece, ...]:
    """Join what both changed in `base`.

    Taking `mine` of every piece keeps all of my changes and those of theirs that do not meet mine, and the other way
    round. A side that changed nothing gives the other side whole.
    """
    return tuple(_joined(_merge(base, mine, theirs, (_LINES, _WORDS))))


def _merge(base: str, mine: str, theirs: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[Piece]:
    if theirs in (mine, base):
        yield Piece(mine, mine)
    elif base == mine:
        yield Piece(theirs, theirs)
    elif not patterns:
        yield Piece(mine, theirs, base)
    else:
        yield from _by_tokens(base, mine, theirs, patterns)


def _by_tokens(base: str, mine: str, theirs: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[Piece]:
    b, m, t = (patterns[0].findall(text) for text in (base, mine, theirs))
    words = patterns[0] is _WORDS
    left, right = _changes(b, m, words), _changes(b, t, words)
    done = 0
    for start, end in _regions(left, right):
        kept = "".join(b[done:start])
        yield Piece(kept, kept)
        parts = ("".join(b[start:end]), "".join(_side(m, left, start, end)), "".join(_side(t, right, start, end)))
        yield from _resolved(*parts, patterns[1:])
        done = end
    rest = "".join(b[done:])
    yield Piece(rest, rest)


def _resolved(base: str, mine: str, theirs: str, patterns: Sequence[re.Pattern[str]]) -> Iterable[Piece]:
    """The region joined by finer tokens if that settles all of it: half a sentence of each would read as neither."""
    finer = tuple(_merge(base, mine, theirs, patterns))
    return (Piece(mine, theirs, base),) if any(piece.conflict for piece in finer) else finer


def _changes(base: Sequence[str], other: Sequence[str], words: bool) -> list[_Change]:
    if len(base) * len(other) > _LARGEST:
        return [_Change(0, len(base), 0, len(other))]
    number: dict[str, int] = {}
    left, right = ([number.setdefault(token, len(number)) for token in side] for side in (base, other))
    found: list[_Change] = []
    for step in Indel.opcodes(left, right):
        if step.tag != "equal":
            change = _Change(step.src_start, step.src_end, step.dest_start, step.dest_end)
            while found and (
                found[-1].end == change.start or (words and _is_coincidence(found[-1], change, base, other))
            ):
                last = found.pop()
                change = _Change(last.start, change.end, last.at, change.to)
            found.append(change)
    return found


def _is_coincidence(before: _Change, after: _Change, base: Sequence[str], other: Sequence[str]) -> bool:
    """Whether between two changes stands no word, or one that is less than either: a new phrase, not two."""
    between = "".join(base[before.end : after.start])
    words = len(_WORD.findall(between))
    return words == 0 or (words == 1 and len(between) <= min(_size(before, base, other), _size(after, base, other)))


def _size(change: _Change, base: Sequence[str], other: Sequence[str]) -> int:
    deleted, inserted = base[change.start : change.end], other[change.at : change.to]
    return max(sum(map(len, deleted)), sum(map(len, inserted)))


def _regions(left: Iterable[_Change], right: Iterable[_Change]) -> list[tuple[int, int]]:
    """Where the base was changed; changes that overlap are one region, those of neighbours are two.

    An addition at the edge of a change belongs to it: nothing says which of the two goes first.
    """
    regions: list[tuple[int, int]] = []
    added = False  # at the end of the last region
    for start, end in sorted((change.start, change.end) for change in (*left, *right)):
        meets = regions and (start < regions[-1][1] or (start == regions[-1][1] and (added or start == end)))
        if meets:
            added = (added and end <= regions[-1][1]) or start == end == max(regions[-1][1], end)
            regions[-1] = (regions[-1][0], max(regions[-1][1], end))
        else:
            added = start == end
            regions.append((start, end))
    return regions


def _side(tokens: Sequence[str], changes: Sequence[_Change], start: int, end: int) -> Sequence[str]:
    """What stands on one side in place of the base from `start` to `end`."""
    return tokens[_place(changes, start, after=False) : _place(changes, end, after=True)]


def _place(changes: Sequence[_Change], at: int, *, after: bool) -> int:
    """Where a place of the base, outside of any change, is on the other side; insertions there are before or after."""
    shift = 0
    for change in changes:
        passed = change.end <= at if after else change.end <= at and change.start < at
        if not passed:
            break
        shift = change.to - change.end
    return at + shift


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same with settled neighbours as one piece and nothing empty."""
    waiting = ""
    for piece in pieces:
        if not piece.conflict:
            waiting += piece.mine
            continue
        if waiting:
            yield Piece(waiting, waiting)
        waiting = ""
        yield piece
    if waiting:
        yield Piece(waiting, waiting)
