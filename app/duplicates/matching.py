"""Matches between texts: exact by normal form, near by the cosine of their vectors.

A cosine is here the float32 sum that `engine.shortening.products` gives. Whatever finds candidates only proposes; every
candidate is measured by that one function, so all ways give the same pairs.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.duplicates.engine.searching import candidates
from app.duplicates.engine.shortening import Positions, products
from app.duplicates.normal import normal_form
from app.embeddings.vectors import Vectors
from app.errors import Refusal

Pairs: TypeAlias = npt.NDArray[np.void]
Progress: TypeAlias = Callable[[int, int], None]

PAIR = np.dtype([("left", np.int64), ("right", np.int64), ("score", np.float32)])
UNIT_TOLERANCE = 1e-3
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
    found, total = [np.empty(0, dtype=PAIR)], 0
    for begun, left, right in candidates(vectors, threshold):
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
    scores = products(vectors, left, right)
    kept = scores >= np.float32(threshold)
    pairs = np.empty(int(kept.sum()), dtype=PAIR)
    pairs["left"], pairs["right"] = left[kept], right[kept]
    # Rounding takes the cosine of equal rows a hair above 1.
    pairs["score"] = np.minimum(scores[kept], np.float32(1))
    return pairs


def reaching(pairs: Pairs, threshold: float) -> Pairs:
    """Read from pairs of a low threshold those of a higher one: what looking again would find, in the same order."""
    kept: Pairs = pairs[pairs["score"] >= np.float32(threshold)]
    return kept
