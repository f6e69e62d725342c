"""All pairs of rows that may reach a threshold: tiles over short rows, then the same question on longer ones."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np

from app.duplicates.engine import integers
from app.duplicates.engine.floats import FloatTiles
from app.duplicates.engine.integers import IntegerTiles
from app.duplicates.engine.shortening import ROUNDING, Positions, main_axes, products, shortened
from app.embeddings.light import one_thread
from app.embeddings.vectors import Vectors

# A piece: so few pairs that memory holds them even if all are hits, so many that starting it costs nothing.
ROWS_A_PIECE, COLUMNS_A_PIECE = 512, 8192
# From so many rows on turning them first is worth it.
SHORT_FROM_ROWS = 8192
WIDTHS = (32, 48, 64, 96, 128)
SAMPLED_ROWS = 2000
# What a pair costs that has to be looked at again, in columns of a product: a hundred thousandth of them is nothing.
LOOKING_AGAIN = 5000
# The second question is put to rows of this width.
SECOND = 128


class Tiles(Protocol):
    """Rows that are compared with each other by their products."""

    # Whether one call makes use of all processors by itself.
    threaded: bool

    def near(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        """The pairs with left in row..rows, right in column..columns and left < right that may reach the threshold."""


class Search:
    """How the pairs of a set are found: the rows of the first question, and those of the second where there is one."""

    def __init__(self, vectors: Vectors, threshold: float, width: int | None = None) -> None:
        """Turn and cut float32 unit rows (n, d) to so many columns; without a `width`, to what is least work."""
        self.count, self.threshold = len(vectors), threshold
        self.second: Vectors | None = None
        with one_thread():
            axes = main_axes(vectors) if width or self.count >= SHORT_FROM_ROWS else None
            self.width = width or (vectors.shape[1] if axes is None else best_width(vectors, axes, threshold))
            if axes is None or self.width >= vectors.shape[1]:
                self.tiles: Tiles = FloatTiles(vectors, threshold)
                return
            self.tiles = tiles_of(shortened(vectors, axes, self.width), threshold)
            if self.width < SECOND < vectors.shape[1]:
                self.second = shortened(vectors, axes, SECOND)

    def pieces(self) -> Iterator[tuple[int, Positions, Positions]]:
        """Give (rows begun, left, right), piece by piece, with left < right; whoever stops early stops the work."""
        at_once = 1 if self.tiles.threaded else _processors()
        with one_thread(), ThreadPoolExecutor(at_once) as threads:
            under_way: deque[tuple[int, Future[tuple[Positions, Positions]]]] = deque()
            try:
                for row in range(0, self.count, ROWS_A_PIECE):
                    for column in range(row, self.count, COLUMNS_A_PIECE):
                        under_way.append((row, threads.submit(self._piece, row, column)))
                        if len(under_way) > 2 * at_once:
                            yield _done(*under_way.popleft())
                while under_way:
                    yield _done(*under_way.popleft())
            finally:
                threads.shutdown(cancel_futures=True)

    def _piece(self, row: int, column: int) -> tuple[Positions, Positions]:
        ends = min(row + ROWS_A_PIECE, self.count), min(column + COLUMNS_A_PIECE, self.count)
        left, right = self.tiles.near(row, ends[0], column, ends[1])
        if self.second is None or not len(left):
            return left, right
        kept = products(self.second, left, right) >= np.float32(self.threshold - ROUNDING)
        return left[kept], right[kept]


def _done(row: int, found: Future[tuple[Positions, Positions]]) -> tuple[int, Positions, Positions]:
    return row, *found.result()


def candidates(vectors: Vectors, threshold: float) -> Iterator[tuple[int, Positions, Positions]]:
    """Propose pairs of float32 unit rows, all that reach the threshold among them: (rows begun, left, right)."""
    yield from Search(vectors, threshold).pieces()


def tiles_of(short: Vectors, threshold: float) -> Tiles:
    """Short rows in the form that this processor compares fastest."""
    return IntegerTiles(short, threshold) if integers.worth_while() else FloatTiles(short, threshold)


def best_width(vectors: Vectors, axes: Vectors, threshold: float) -> int:
    """Say to how many columns to cut: few are quickly multiplied and leave more pairs to be looked at again.

    Told from a sample; whole rows where the vectors are alike in all directions, or the threshold is low.
    """
    sample = vectors[:: max(1, len(vectors) // SAMPLED_ROWS)]
    whole = vectors.shape[1]
    costs: dict[int, float] = {whole: whole + LOOKING_AGAIN * _share(sample, threshold)}
    for width in WIDTHS:
        if width < whole:
            costs[width] = width + LOOKING_AGAIN * _share(shortened(sample, axes, width), threshold)
    return min(costs, key=lambda width: (costs[width], width))


def _share(rows: Vectors, threshold: float) -> float:
    """How many of all pairs reach the threshold by these rows, 0 to 1."""
    hits = sum(
        int(np.count_nonzero(rows[at : at + ROWS_A_PIECE] @ rows.T >= threshold)) - len(rows[at : at + ROWS_A_PIECE])
        for at in range(0, len(rows), ROWS_A_PIECE)
    )
    return max(hits, 0) / max(len(rows) * (len(rows) - 1), 1)


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
