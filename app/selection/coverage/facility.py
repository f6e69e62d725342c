"""Facility location by exact greed: each next row is the one that raises most how near the pool stands to its nearest.

A client is a row that wants something near; what serves it counts as far as it is nearer than `floor`, and than what is
there already. All rows are clients, or of a large pool as many as `PAIRS` allows, evenly strided. Only products above
the floor are kept, with the clients that they belong to: few of all, so that all else is short work.

The greed is lazy (Minoux 1978): what a row would add never rises while others are taken, so what it would have added
before bounds it, and only rows at the head of that order are looked at anew. All sums are of whole numbers below 2^53
and so without an error; the picks are those of plain greed, to the index; of equals the lowest row.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors
from app.selection.coverage.whole import Places, Whole, blocks, nearest

PAIRS = 200_000_000
FEWEST_CLIENTS = 1000
# One pair of rows in so many stands nearer than the floor, and of a small pool each row to so many others.
ONE_IN = 20
FEWEST_NEAR = 10
# Whatever a pool is like, below the one no two texts are alike, and above the other they always are.
LOWEST_FLOOR, HIGHEST_FLOOR = 0.3, 0.8
SAMPLE = 1000

Sums: TypeAlias = npt.NDArray[np.float64]
# How much a row counts when so many picks were made; it must never rise while they are.
Weigh: TypeAlias = Callable[[int], float]


@dataclass(frozen=True)
class Ground:
    """A pool with its clients, and for each row the clients that it is near to and by how much it passes the floor.

    Of row i they stand from `starts[i]` to `starts[i + 1]` in `clients` and `above`.
    """

    pool: Whole
    places: Places
    floor: float
    starts: Places
    clients: npt.NDArray[np.int32]
    above: Vectors

    @property
    def enough(self) -> float:
        """Half way from the floor to the same words: what stands so near serves a client of a set."""
        return float(round((self.pool.one - self.floor) / 2))

    def served(self, taken: Vectors | None) -> Vectors:
        """How far each client's nearest among these whole rows passes the floor; 0 where none does."""
        if taken is None:
            return np.zeros(len(self.places), dtype=np.float32)
        passed: Vectors = nearest(self.pool.rows[self.places], taken) - np.float32(self.floor)
        return np.maximum(passed, np.float32(0), out=passed)


def ground_of(pool: Whole, pairs: int = PAIRS) -> Ground:
    """Measure a pool; takes pairs * d multiplications, once a pool."""
    count = min(len(pool), max(FEWEST_CLIENTS, pairs // max(1, len(pool))))
    places = strided(len(pool), count)
    floor = floor_of(pool)
    clients = np.ascontiguousarray(pool.rows[places])
    counts: list[Any] = [np.zeros(1, dtype=np.int64)]
    whose, above = [], []
    for _, part in blocks(pool.rows, max(1, len(places))):
        products = part @ clients.T
        near = products > floor
        counts.append(near.sum(axis=1, dtype=np.int64))
        whose.append(np.nonzero(near)[1].astype(np.int32))
        above.append(products[near] - np.float32(floor))
    starts = np.cumsum(np.concatenate(counts))
    empty = np.empty(0)
    return Ground(
        pool, places, floor, starts,
        np.concatenate([*whose, empty.astype(np.int32)]), np.concatenate([*above, empty.astype(np.float32)]),
    )  # fmt: skip


def strided(total: int, count: int) -> Places:
    """So many places out of `total`, evenly."""
    return np.arange(count, dtype=np.int64) * total // max(1, count)


def floor_of(pool: Whole) -> float:
    """The product from which two rows count as near: so few of the pairs of an even sample stand nearer."""
    sample = pool.rows[strided(len(pool), min(SAMPLE, len(pool)))]
    products = (sample @ sample.T)[np.triu_indices(len(sample), 1)]
    if not len(products):
        return float(round(LOWEST_FLOOR * pool.one))
    share = min(1.0, max(1 / ONE_IN, FEWEST_NEAR / len(pool)))
    rank = min(len(products) - 1, int(len(products) * (1 - share)))
    found = float(np.partition(products, rank)[rank])
    # A whole number, so that what passes it is one.
    return float(round(min(max(found, LOWEST_FLOOR * pool.one), HIGHEST_FLOOR * pool.one)))


class Greed:
    """What each row would add; the next one to take is always known exactly."""

    def __init__(
        self,
        ground: Ground,
        taken: Vectors | None = None,
        importance: Sequence[int] | None = None,
        enough: float = np.inf,
    ) -> None:
        """Begin with what is taken already.

        `importance` says how much each client counts, 1 each where it is None; what passes the floor by `enough` serves
        a client whole, so that nothing nearer adds to it.
        """
        self.ground = ground
        self._enough = np.float32(enough)
        self.served = np.minimum(ground.served(taken), self._enough)
        self._importance = None if importance is None else np.asarray(importance, dtype=np.float64)

    def adds(self, row: int) -> float:
        """What the row adds now: a whole number."""
        start, end = self.ground.starts[row], self.ground.starts[row + 1]
        return float(self._more(start, end).sum(dtype=np.float64))

    def all_add(self) -> Sums:
        """What each row adds now: float64 (n,)."""
        sums = np.zeros(len(self.ground.above) + 1, dtype=np.float64)
        np.cumsum(self._more(0, len(self.ground.above)), out=sums[1:], dtype=np.float64)
        found: Sums = np.diff(sums[self.ground.starts])
        return found

    def _more(self, start: int, end: int) -> npt.NDArray[Any]:
        clients = self.ground.clients[start:end]
        above = np.minimum(self.ground.above[start:end], self._enough)
        more: npt.NDArray[Any] = np.maximum(above - self.served[clients], np.float32(0))
        return more if self._importance is None else more * self._importance[clients]

    def take(self, row: int) -> None:
        """Serve the clients that the row is near to."""
        start, end = self.ground.starts[row], self.ground.starts[row + 1]
        clients = self.ground.clients[start:end]
        above = np.minimum(self.ground.above[start:end], self._enough)
        self.served[clients] = np.maximum(self.served[clients], above)


def most_served(
    greed: Greed, count: int, rows: Places, weigh: Weigh | None = None, took: Callable[[int], None] | None = None
) -> list[int]:
    """So many of these rows, each adding most by its weight; fewer where no other adds anything.

    `weigh` gives a whole number for a row; it may fall whenever `took` is told of a row that is taken, never rise.
    """
    weigh = weigh or (lambda row: 1.0)  # noqa: ARG005
    first = greed.all_add()
    heap = [(-float(first[row]) * weigh(row), row, 0) for row in rows.tolist()]
    heapq.heapify(heap)
    picks: list[int] = []
    while heap and len(picks) < count:
        bound, row, made = heap[0]
        if bound == 0:
            break
        if made == len(picks):
            heapq.heappop(heap)
            greed.take(row)
            picks.append(row)
            if took is not None:
                took(row)
        else:
            heapq.heapreplace(heap, (-greed.adds(row) * weigh(row), row, len(picks)))
    return picks
