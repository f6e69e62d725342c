"""A word diff that pairs paragraphs first, so that one rewritten paragraph never runs into the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import Indel
from rapidfuzz.fuzz import ratio

from app.text.diff import Segment, word_diff

# A line with the blank lines after it: so no blank line is taken for one that stands elsewhere.
_CHUNKS = re.compile(r"[^\n]*\n+|[^\n]+")
# In percent; below it two lines share no more than small words.
ALIKE = 45
MOST_PAIRS = 2500
# Beyond these (lines by lines, letters by letters) the words are compared at once, which has bounds of its own.
MOST_LINES = 100_000_000
MOST_LETTERS = 400_000_000


def text_diff(old: str, new: str) -> tuple[Segment, ...]:
    """The changes in words, line by line: equal + delete joins to `old`, equal + insert to `new`."""
    left, right = _CHUNKS.findall(old), _CHUNKS.findall(new)
    if len(left) * len(right) > MOST_LINES:
        return word_diff(old, new)
    return tuple(_joined(_compared(left, right)))


def _compared(left: Sequence[str], right: Sequence[str]) -> Iterator[Segment]:
    number: dict[str, int] = {}
    a = [number.setdefault(line, len(number)) for line in left]
    b = [number.setdefault(line, len(number)) for line in right]
    gone, come = list[str](), list[str]()
    for step in Indel.opcodes(a, b):
        if step.tag == "equal":
            yield from _gap(gone, come)
            gone, come = [], []
            yield Segment("equal", "".join(left[step.src_start : step.src_end]))
        elif step.tag == "delete":
            gone += left[step.src_start : step.src_end]
        else:
            come += right[step.dest_start : step.dest_end]
    yield from _gap(gone, come)


def _gap(gone: Sequence[str], come: Sequence[str]) -> Iterator[Segment]:
    """Lines that differ: each against the one that it became, the rest as taken out or put in."""
    before, after = "".join(gone), "".join(come)
    many = len(gone) * len(come) > MOST_PAIRS or len(before) * len(after) > MOST_LETTERS
    if many or len(gone) == len(come) == 1:
        yield from word_diff(before, after)
        return
    at = to = 0
    for row, column in [*_pairs(gone, come), (len(gone), len(come))]:
        yield from _unpaired("".join(gone[at:row]), "".join(come[to:column]))
        if row < len(gone):
            yield from word_diff(gone[row], come[column])
        at, to = row + 1, column + 1


def _unpaired(gone: str, come: str) -> Iterator[Segment]:
    if gone:
        yield Segment("delete", gone)
    if come:
        yield Segment("insert", come)


def _pairs(gone: Sequence[str], come: Sequence[str]) -> list[tuple[int, int]]:
    """Which line became which: in order, and together as much alike as can be."""
    alike = [[_alike(old, new) for new in come] for old in gone]
    best = [[0.0] * (len(come) + 1) for _ in range(len(gone) + 1)]
    for row in reversed(range(len(gone))):
        for column in reversed(range(len(come))):
            paired = alike[row][column] + best[row + 1][column + 1] if alike[row][column] else 0.0
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    return list(_walked(alike, best))


def _alike(old: str, new: str) -> float:
    found = ratio(old, new)
    return found if found >= ALIKE else 0.0


def _walked(alike: Sequence[Sequence[float]], best: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    row = column = 0
    while row < len(best) - 1 and column < len(best[0]) - 1:
        here = best[row][column]
        if alike[row][column] and here == alike[row][column] + best[row + 1][column + 1]:
            yield row, column
            row, column = row + 1, column + 1
        elif here == best[row + 1][column]:
            row += 1
        else:
            column += 1


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Neighbours of one kind as one."""
    last: Segment | None = None
    for part in segments:
        if last is not None and last.kind == part.kind:
            last = Segment(last.kind, last.text + part.text)
            continue
        if last is not None and last.text:
            yield last
        last = part
    if last is not None and last.text:
        yield last
