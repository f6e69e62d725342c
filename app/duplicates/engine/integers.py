"""Near rows by products of 8-bit integers, where the processor multiplies those faster than floats (VNNI).

Rounding is allowed for by its largest error, measured over all rows, so that no pair is lost.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from app.duplicates.engine.floats import NOTHING, FloatTiles
from app.duplicates.engine.shortening import ROUNDING, Positions
from app.embeddings.vectors import Vectors

TILE = 512
LEVELS = 127
TRIED_ROWS, TRIED_COLUMNS = 128, 64


class IntegerTiles:
    """Rows that are multiplied with each other as integers, a tile of TILE by TILE at a time."""

    threaded = True

    def __init__(self, rows: Vectors, threshold: float) -> None:
        """Begin with float32 rows (n, d), turned so that no column has much larger numbers than others."""
        # Torch takes a second to import and only large sets come here.
        import torch

        self._torch, self._count = torch, len(rows)
        turned = rows @ _rotation(rows.shape[1])
        scale = LEVELS / float(np.abs(turned).max())
        whole = np.rint(turned * scale)
        error = float(np.linalg.norm(turned - whole / scale, axis=1).max())
        longest = float(np.linalg.norm(turned, axis=1).max())
        self.lowest = int(np.floor((threshold - 2 * longest * error - error**2 - ROUNDING) * scale**2))
        # Padded, so that every tile has the shape that was tried.
        self._codes = torch.from_numpy(np.pad(whole, ((0, -len(whole) % TILE), (0, 0))).astype(np.int8))

    def near(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        """See FloatTiles.near; row and column are multiples of TILE."""
        found = [
            self._tile(start, other)
            for start in range(row, rows, TILE)
            for other in range(max(column, start), columns, TILE)
        ]
        left, right = (np.concatenate([np.empty(0, dtype=np.int64), *side]) for side in zip(*found, strict=True))
        return left, right

    def _tile(self, row: int, column: int) -> tuple[Positions, Positions]:
        tile = self._torch._int_mm(self._codes[row : row + TILE], self._codes[column : column + TILE].T)  # noqa: SLF001
        if int(tile.max()) < self.lowest:
            return NOTHING
        near = self._torch.nonzero(tile >= self.lowest).numpy()
        left, right = near[:, 0] + row, near[:, 1] + column
        ahead = (left < right) & (right < self._count)
        return left[ahead], right[ahead]


def _rotation(columns: int) -> Vectors:
    """Turn rows into themselves with all columns alike in range; products stay what they are."""
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(columns, columns)))
    return turn.astype(np.float32)


@cache
def worth_while() -> bool:
    """Whether this processor multiplies 8-bit integers faster than floats, and rightly; tried once a process.

    Without VNNI torch may multiply one number at a time, and some processors saturate sums of two products.
    """
    import torch

    few = np.ones((2 * TRIED_ROWS, TRIED_COLUMNS), dtype=np.float32)
    floats, codes = FloatTiles(few, TRIED_COLUMNS + 1), torch.ones(TRIED_ROWS, TRIED_COLUMNS, dtype=torch.int8)
    by_floats = _seconds(lambda: floats.near(0, TRIED_ROWS, TRIED_ROWS, 2 * TRIED_ROWS))
    return _seconds(lambda: torch._int_mm(codes, codes.T)) < by_floats and _exact()  # noqa: SLF001


def _exact() -> bool:
    """Whether the largest integers have the sums that they should, in tiles of the shape that is used."""
    import torch

    codes = torch.full((TILE, TRIED_COLUMNS), LEVELS, dtype=torch.int8)
    return all(
        bool((torch._int_mm(codes, sign * codes.T) == sign * TRIED_COLUMNS * LEVELS**2).all())  # noqa: SLF001
        for sign in (1, -1)
    )


def _seconds(work: Callable[[], Any]) -> float:
    """The shortest of a few times, after one that does not count."""
    work()
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)
