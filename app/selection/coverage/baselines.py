"""Choices of the same size to set beside: by chance, by length, by score, and DEITA's filter."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.selection.coverage.whole import Places, Whole, nearest

# Liu et al. 2024, "What makes good data for alignment?", section 2.4: nothing closer than this to what is taken.
TOO_NEAR = 0.9
ROWS_AT_ONCE = 256


def by_chance(names: Sequence[str], count: int, seed: int) -> Places:
    """So many places by a hash of the seed and what each is called: the same in whatever order they are read."""
    digests = [hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names]
    order = sorted(range(len(names)), key=lambda place: (digests[place], place))
    return np.array(order[:count], dtype=np.int64)


def highest_first(values: Sequence[float | None]) -> Places:
    """All places, the highest value first; of equals the lowest, and what has no value last."""
    known = np.array([-np.inf if value is None else value for value in values], dtype=np.float64)
    order: Places = np.lexsort((np.arange(len(known)), -known))
    return order


def filtered(pool: Whole, order: Places, count: int, too_near: float = TOO_NEAR) -> Places:
    """So many places in this order, each passed over that stands nearer than `too_near` to one taken before it."""
    bar = np.float32(too_near * pool.one)
    taken = np.empty((min(count, len(order)), pool.rows.shape[1]), dtype=np.float32)
    picks: list[int] = []
    for start in range(0, len(order), ROWS_AT_ONCE):
        part = order[start : start + ROWS_AT_ONCE]
        rows = pool.rows[part]
        far = _far(rows, taken[: len(picks)], bar)
        among: npt.NDArray[np.bool_] = np.greater(rows @ rows.T, bar)
        here: list[int] = []
        for at in np.flatnonzero(far).tolist():
            if len(picks) == len(taken):
                return np.array(picks, dtype=np.int64)
            if not np.any(among[at, here]):
                taken[len(picks)] = rows[at]
                picks.append(int(part[at]))
                here.append(at)
    return np.array(picks, dtype=np.int64)


def _far(rows: npt.NDArray[np.float32], taken: npt.NDArray[np.float32], bar: np.float32) -> npt.NDArray[np.bool_]:
    far: npt.NDArray[np.bool_] = nearest(rows, taken) <= bar
    return far
