"""Near rows by float32 products of blocks, on any processor and without waiting for a compiler."""

import threading

import numpy as np

from app.duplicates.engine.shortening import ROUNDING, Positions, products
from app.embeddings.vectors import Vectors

TILE = 512


class FloatTiles:
    """Rows that are multiplied with each other, a tile of TILE by TILE at a time."""

    def __init__(self, rows: Vectors, threshold: float, second: Vectors | None = None) -> None:
        """Begin with float32 rows (n, d), and longer ones, where there are, that hits are asked about."""
        # Sums in another order than ours may have reached the threshold.
        self.rows, self.second, self.lowest = rows, second, np.float32(threshold - ROUNDING)
        self._room = threading.local()

    def near(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        """The pairs with left in row..rows, right in column..columns and left < right that reach the threshold."""
        found = [
            self._tile(start, min(start + TILE, rows), other, min(other + TILE, columns))
            for start in range(row, rows, TILE)
            for other in range(max(column, start), columns, TILE)
        ]
        left, right = (np.concatenate([np.empty(0, dtype=np.int64), *side]) for side in zip(*found, strict=True))
        if self.second is None or not len(left):
            return left, right
        kept = products(self.second, left, right) >= self.lowest
        return left[kept], right[kept]

    def _tile(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        products = self._products(rows - row, columns - column)
        np.matmul(self.rows[row:rows], self.rows[column:columns].T, out=products)
        if products.max() < self.lowest:
            return NOTHING
        places = np.flatnonzero(products >= self.lowest)
        left, right = np.divmod(places, columns - column)
        left, right = left + row, right + column
        ahead = left < right
        return left[ahead], right[ahead]

    def _products(self, rows: int, columns: int) -> Vectors:
        """Room for a tile, the same for every tile of a thread: new pages cost more than the product."""
        if not hasattr(self._room, "tile"):
            self._room.tile = np.empty(TILE * TILE, dtype=np.float32)
        tile: Vectors = self._room.tile[: rows * columns].reshape(rows, columns)
        return tile


NOTHING: tuple[Positions, Positions] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
