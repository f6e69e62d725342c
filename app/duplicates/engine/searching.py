"""All pairs of rows that may reach a threshold: tiles over short rows, then the same question on longer ones."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np

from app.duplicates.engine.coding import Coded, in_bytes, in_floats, in_quads, in_question, lost_in_bytes, lost_in_quads
from app.duplicates.engine.floats import FloatTiles
from app.duplicates.engine.forms import Form, form_here
from app.duplicates.engine.shortening import ROUNDING, Positions, main_axes, shortened, shortened_to
from app.embeddings.light import one_thread
from app.embeddings.matrix import processors
from app.embeddings.vectors import Vectors

# A piece: so few pairs that memory holds them even if all are hits, so many that starting it costs nothing.
ROWS_A_PIECE, COLUMNS_A_PIECE = 512, 16_384
# From so many rows on turning them first is worth it, and so is loading the compiler.
SHORT_FROM_ROWS = 8192
COMPILED_FROM_ROWS = 20_000
WIDTHS = (16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256)
SAMPLED_ROWS = 1500
# What a pair costs that has to be looked at again, in columns of a product: a ten thousandth of them is a column.
LOOKING_AGAIN = 8000
# What a column of whole rows costs, multiplied as floats, in columns of short rows.
WHOLE = {Form.QUADS: 8.0, Form.BYTES: 4.0, Form.FLOATS: 1.5, Form.BLOCKS: 1.0}
# The second question is put to rows of at least this width, and twice that of the first.
SECOND = 64


class Tiles(Protocol):
    """Rows that are compared with each other by their products."""

    def near(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        """The pairs with left in row..rows, right in column..columns and left < right that may reach the threshold.

        Row and column are multiples of 64.
        """


class Search:
    """How the pairs of a set are found: by tiles of rows, turned and cut where that is less work."""

    def __init__(self, vectors: Vectors, threshold: float, width: int | None = None, form: Form | None = None) -> None:
        """Take float32 unit rows (n, d); cut them to `width` columns of a form, or to what is least work here."""
        self.count, self.threshold = len(vectors), threshold
        self.form = form or (form_here() if self.count >= COMPILED_FROM_ROWS else Form.BLOCKS)
        with one_thread():
            axes = main_axes(vectors) if width or self.count >= SHORT_FROM_ROWS else None
            whole = vectors.shape[1]
            self.width = width or (whole if axes is None else best_width(vectors, axes, threshold, self.form))
            if axes is None or self.width >= whole:
                self.tiles: Tiles = FloatTiles(vectors, threshold)
                return
            longer = max(SECOND, 2 * self.width)
            widths = [self.width, longer] if longer < whole else [self.width]
            self.tiles = tiles_of(shortened_to(vectors, axes, widths, processors()), threshold, self.form)

    def pieces(self) -> Iterator[tuple[int, Positions, Positions]]:
        """Give (rows begun, left, right), piece by piece, with left < right; whoever stops early stops the work."""
        at_once = processors()
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
        return self.tiles.near(row, ends[0], column, ends[1])


def _done(row: int, found: Future[tuple[Positions, Positions]]) -> tuple[int, Positions, Positions]:
    return row, *found.result()


def candidates(vectors: Vectors, threshold: float) -> Iterator[tuple[int, Positions, Positions]]:
    """Propose pairs of float32 unit rows, all that reach the threshold among them: (rows begun, left, right)."""
    yield from Search(vectors, threshold).pieces()


def tiles_of(rows: Sequence[Vectors], threshold: float, form: Form) -> Tiles:
    """Short rows in a form, and with them longer ones for the second question, where there is one."""
    short, second = rows[0], rows[1] if len(rows) > 1 else None
    if form is Form.BLOCKS:
        return FloatTiles(short, threshold, second)
    # Only large sets wait for it.
    from app.duplicates.engine.tile import RowTiles

    return RowTiles(_coded(short, threshold, form), in_question(second, len(short), threshold, processors()))


def _coded(short: Vectors, threshold: float, form: Form) -> Coded:
    if form is Form.FLOATS:
        return in_floats(short, threshold)
    return (in_quads if form is Form.QUADS else in_bytes)(short, threshold, processors())


def _lost(short: Vectors, threshold: float, form: Form) -> float:
    """By how much a form puts the threshold lower for such rows."""
    if form is Form.QUADS:
        return lost_in_quads(short)
    return lost_in_bytes(short, threshold) if form is Form.BYTES else ROUNDING


def best_width(vectors: Vectors, axes: Vectors, threshold: float, form: Form = Form.BLOCKS) -> int:
    """Say to how many columns to cut: few are quickly multiplied and leave more pairs to be looked at again.

    Told from a sample; whole rows where the vectors are alike in all directions, or the threshold is low.
    """
    sample = vectors[:: max(1, len(vectors) // SAMPLED_ROWS)]
    whole: int = vectors.shape[1]
    best, least = whole, float("inf")
    for width in WIDTHS:
        if width >= min(least, whole):
            break
        short = shortened(sample, axes, width)
        cost = width + LOOKING_AGAIN * _share(short, threshold - _lost(short, threshold, form))
        if cost < least:
            best, least = width, cost
    floats = whole * WHOLE[form]
    return whole if floats < least and floats + LOOKING_AGAIN * _share(sample, threshold) <= least else best


def _share(rows: Vectors, threshold: float) -> float:
    """How many of all pairs reach the threshold by these rows, 0 to 1."""
    hits = sum(
        int(np.count_nonzero(rows[at : at + ROWS_A_PIECE] @ rows.T >= threshold)) - len(rows[at : at + ROWS_A_PIECE])
        for at in range(0, len(rows), ROWS_A_PIECE)
    )
    return max(hits, 0) / max(len(rows) * (len(rows) - 1), 1)
