"""Farthest first (Gonzalez 1985): each next row is the one that is farthest from all before it; a k-center by greed.

Plain greed goes through the whole pool for every pick. Here only a front of the rows that were farthest is kept up to
date: how near a row's nearest centre is only ever rises, so a row outside the front that stood nearer than the front's
farthest can still not be the next. Where the front's farthest is nearer than the rest stood, all are brought up to date
by one product and a new front is taken. The picks are those of plain greed, to the index; of equals the lowest row.
"""

import numpy as np
import numpy.typing as npt

from app.embeddings.light import one_thread
from app.embeddings.vectors import Vectors
from app.selection.coverage.whole import Places, Whole, blocks, nearest

FRONT = 4096
DONE = np.float32(np.inf)


def farthest_first(
    pool: Whole,
    count: int,
    *,
    taken: Vectors | None = None,
    eligible: npt.NDArray[np.bool_] | None = None,
    front: int = FRONT,
) -> Places:
    """The places of so many rows, each as far as can be from those taken (whole rows, as the pool's) and before it.

    Only eligible rows are picked. With nothing taken the first is the most central one.
    """
    near: Vectors = nearest(pool.rows, taken) if taken is not None else np.full(len(pool), -np.inf, dtype=np.float32)
    may = np.ones(len(pool), dtype=bool) if eligible is None else eligible.copy()
    count = min(count, int(may.sum()))
    picks: list[int] = []
    if count and (taken is None or not len(taken)):
        picks.append(most_central(pool, may))
    pending = list(picks)
    while len(picks) < count:
        _brought_up_to_date(pool, near, pending)
        may[pending] = False
        pending = _of_a_front(pool, near, np.flatnonzero(may), count - len(picks), front)
        picks += pending
    return np.array(picks, dtype=np.int64)


def most_central(pool: Whole, eligible: npt.NDArray[np.bool_]) -> int:
    """The eligible row with the highest sum of products with all rows; of equals the lowest."""
    middle = pool.rows.sum(axis=0, dtype=np.float64)
    found = np.full(len(pool), -np.inf)
    for start, part in blocks(pool.rows, 1000):
        found[start : start + len(part)] = part @ middle
    found[~eligible] = -np.inf
    return int(found.argmax())


def _brought_up_to_date(pool: Whole, near: Vectors, pending: list[int]) -> None:
    if pending:
        np.maximum(near, nearest(pool.rows, pool.rows[pending]), out=near)


def _of_a_front(pool: Whole, near: Vectors, open_: Places, most: int, front: int) -> list[int]:
    """Picks, as long as none outside the front can be meant."""
    order = open_[np.lexsort((open_, near[open_]))] if len(open_) <= front else _lowest(near, open_, front + 1)
    inside = np.sort(order[:front])
    limit = (near[order[front]], order[front]) if len(order) > front else (DONE, len(near))
    rows, nearness = np.ascontiguousarray(pool.rows[inside]), near[inside].copy()
    picks: list[int] = []
    # Threads cost more than they give for so short a product.
    with one_thread():
        while len(picks) < min(most, len(inside)):
            at = int(nearness.argmin())
            if (nearness[at], inside[at]) > limit:
                break
            picks.append(int(inside[at]))
            np.maximum(nearness, rows @ rows[at], out=nearness)
            nearness[at] = DONE
    return picks


def _lowest(near: Vectors, open_: Places, count: int) -> Places:
    """The places of the lowest, in order; of equals the lowest rows."""
    values = near[open_]
    bar = np.partition(values, count - 1)[count - 1]
    low = open_[values <= bar]
    found: Places = low[np.lexsort((low, near[low]))][:count]
    return found
