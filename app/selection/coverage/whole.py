"""Unit rows as whole numbers, whose products a processor adds up without an error, in whatever order it does.

A row is stretched so far that no product of two rows, nor any part of its sum, passes 2^24: up to there every whole
number is a float32. So a block of products is the same bit for bit on every machine, however it is cut into blocks, and
two ways to the same choice can be held equal to the index. A cosine is off by some 0.0001 from that of the rows given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors

Places: TypeAlias = npt.NDArray[np.int64]

# The square of this is 2^24; a row of `d` numbers is longer by at most half the root of `d` once it is rounded.
LONGEST = 4096
ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Whole:
    """Rows (n, d) of whole numbers in float32; a product of two is a cosine times `one`."""

    rows: Vectors
    one: float

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)

    def cosine(self, product: float) -> float:
        """What a product stands for: never above 1."""
        return min(1.0, float(product) / self.one)


def stretch_of(dimensions: int) -> int:
    """How long a unit row of so many numbers becomes."""
    return int(LONGEST - 1 - dimensions**0.5 / 2)


def whole(rows: Vectors) -> Whole:
    """Round unit rows (n, d); raises ValueError for a row that is longer than 1, or no number."""
    rows = np.asarray(rows, dtype=np.float32)
    stretch = stretch_of(rows.shape[1])
    found: Vectors = np.empty(rows.shape, dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = np.multiply(rows[start : start + ROWS_AT_ONCE], np.float32(stretch), dtype=np.float32)
        np.rint(part, out=found[start : start + ROWS_AT_ONCE])
        lengths = np.einsum("ij,ij->i", part, part, dtype=np.float64)
        # NaN is no less than anything either.
        if not (lengths <= (stretch * 1.0001) ** 2).all():
            raise ValueError("rows must be numbers, of length 1 at most")
    return Whole(found, float(stretch) ** 2)


def nearest(rows: Vectors, taken: Vectors) -> Vectors:
    """The highest product of each row with those that are taken: float32 (n,), -infinity where none is."""
    found: Vectors = np.full(len(rows), -np.inf, dtype=np.float32)
    if len(taken):
        for start, part in blocks(rows, len(taken)):
            (part @ taken.T).max(axis=1, out=found[start : start + len(part)])
    return found


def blocks(rows: Vectors, width: int) -> Iterator[tuple[int, Vectors]]:
    """The rows in parts whose products with `width` others take some 32 MB, each with where it begins."""
    step = max(1, 8_000_000 // max(1, width))
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def measured(pool: Whole, chosen: Places) -> tuple[float, float]:
    """How well a choice covers the pool: the lowest and the mean cosine of a row with the chosen one nearest to it."""
    near = nearest(pool.rows, pool.rows[chosen])
    if not len(near) or not len(chosen):
        return 0.0, 0.0
    return pool.cosine(near.min()), pool.cosine(near.sum(dtype=np.float64) / len(near))
