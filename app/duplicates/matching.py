"""Matches between texts: exact by normal form, near by the cosine of their vectors.

A cosine is here the float32 sum that `_cosines` gives. Whatever finds candidates (a product of blocks, a
bound) only proposes; every candidate is measured by that one function, so all ways give the same pairs.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.duplicates import bound
from app.duplicates.normal import normal_form
from app.embeddings.vectors import Vectors
from app.errors import Refusal

Positions: TypeAlias = npt.NDArray[np.int64]
Pairs: TypeAlias = npt.NDArray[np.void]
Progress: TypeAlias = Callable[[int, int], None]

PAIR = np.dtype([("left", np.int64), ("right", np.int64), ("score", np.float32)])
BLOCK = 1024
# More than two float32 sums of some hundred products of unit rows differ by, whatever their order.
ROUNDING = 2e-5
# From here on the bound is the faster way (10,000 rows: half the time; 100,000: a fifteenth).
BOUND_FROM_ROWS = 10_000
BOUND_FROM_THRESHOLD = 0.8
UNIT_TOLERANCE = 1e-3
CHECKED_AT_ONCE = 100_000
MOST_PAIRS = 5_000_000


class ThresholdOutOfRange(Refusal):
    """A threshold of {threshold} makes no sense: give a cosine above 0 and at most 1. Nothing was matched."""


class VectorsUnusable(Refusal):
    """{count} of the texts have no usable vector (the first is number {first}): a blank text, or a broken model. Nothing was matched."""  # noqa: E501


class PairsTooMany(Refusal):
    """There are more than {most} pairs at a threshold of {threshold}; none was kept. Raise the threshold."""


def exact_groups(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Group the positions of texts with one normal form: two or more each, ascending, by first position.

    Blank texts are duplicates of nothing. Groups, not pairs: a thousand copies are one group.
    """
    return [tuple(positions) for positions in _by_normal_form(texts).values() if len(positions) > 1]


def distinct(texts: Sequence[str]) -> list[int]:
    """Give the first position of each normal form, ascending, without blank texts: what is worth encoding."""
    return [positions[0] for positions in _by_normal_form(texts).values()]


def _by_normal_form(texts: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        if form := normal_form(text):
            found.setdefault(form, []).append(position)
    return found


def pairs_at_least(
    vectors: Vectors, threshold: float, progress: Progress | None = None, *, most: int = MOST_PAIRS
) -> Pairs:
    """Find all pairs of rows whose cosine is at least the threshold: exactly those, none missing.

    `vectors` is float32 (n, d) of unit rows, the threshold in (0, 1]. Gives an array of PAIR with
    left < right, sorted by (left, right); scores are float32 and never above 1. `progress(begun, n)` counts
    rows; what it raises comes through. Raises ThresholdOutOfRange, VectorsUnusable, and PairsTooMany beyond
    `most` pairs, before memory runs out.
    """
    check(vectors, threshold)
    bounded = len(vectors) >= BOUND_FROM_ROWS and threshold >= BOUND_FROM_THRESHOLD
    propose = bound.candidates if bounded else product_candidates
    found, total = [np.empty(0, dtype=PAIR)], 0
    for begun, left, right in propose(vectors, threshold):
        found.append(measured(vectors, left, right, threshold))
        total += len(found[-1])
        if total > most:
            raise PairsTooMany(most=most, threshold=threshold)
        if progress:
            progress(begun, len(vectors))
    if progress:
        progress(len(vectors), len(vectors))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs["right"], pairs["left"]))]


def check(vectors: Vectors, threshold: float) -> None:
    """Refuse a threshold outside (0, 1] and rows that are not of unit length, NaN and zeros among them."""
    if not 0 < threshold <= 1:
        raise ThresholdOutOfRange(threshold=threshold)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    # Asked this way round, because NaN is not close to anything.
    unusable = np.flatnonzero(~(np.abs(lengths - 1) <= UNIT_TOLERANCE))
    if len(unusable):
        raise VectorsUnusable(count=len(unusable), first=int(unusable[0]))


def measured(vectors: Vectors, left: Positions, right: Positions, threshold: float) -> Pairs:
    """Measure candidates and keep those that reach the threshold, in the order given."""
    scores = np.concatenate(
        [
            _cosines(vectors[left[at : at + CHECKED_AT_ONCE]], vectors[right[at : at + CHECKED_AT_ONCE]])
            for at in range(0, max(len(left), 1), CHECKED_AT_ONCE)
        ]
    )
    kept = scores >= np.float32(threshold)
    pairs = np.empty(int(kept.sum()), dtype=PAIR)
    pairs["left"], pairs["right"] = left[kept], right[kept]
    # Rounding takes the cosine of equal rows a hair above 1.
    pairs["score"] = np.minimum(scores[kept], np.float32(1))
    return pairs


def _cosines(left: Vectors, right: Vectors) -> npt.NDArray[np.float32]:
    cosines: npt.NDArray[np.float32] = np.einsum("ij,ij->i", left, right)
    return cosines


def product_candidates(vectors: Vectors, threshold: float) -> Iterator[tuple[int, Positions, Positions]]:
    """Propose pairs by multiplying all rows with all, block by block: (rows begun, left, right) a block."""
    lowest = np.float32(threshold - ROUNDING)
    for row in range(0, len(vectors), BLOCK):
        for column in range(row, len(vectors), BLOCK):
            products = vectors[row : row + BLOCK] @ vectors[column : column + BLOCK].T
            if products.max() < lowest:
                continue
            left, right = np.nonzero(products >= lowest)
            left, right = left + row, right + column
            ahead = left < right
            yield row, left[ahead], right[ahead]
