"""Rows that grow and are compared with one, in memory that the system may take back.

They lie in a file without a name, mapped: under pressure the system writes them out instead of ending a process, and
they go with the process. 100,000 rows of 384 numbers are 154 MB of it.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from app.embeddings.light import one_thread
from app.embeddings.vectors import Vectors

Kind = TypeVar("Kind", bound=np.generic)

FIRST_ROWS = 1024
ROWS_AT_ONCE = 16_384
PARTS_WORTH_THREADS = 4


class GrowingRows(Generic[Kind]):
    """Rows of one width, only ever appended; who reads while another appends sees those that were there before."""

    def __init__(self, folder: Path, width: int, kind: type[Kind]) -> None:
        """Begin without rows; `folder` is where they lie."""
        self._folder, self._width, self._kind = folder, width, np.dtype(kind)
        self._rows: npt.NDArray[Kind] = np.empty((0, width), dtype=kind)
        self._count = 0

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @property
    def rows(self) -> npt.NDArray[Kind]:
        """All of them, (n, width), in the order in which they came."""
        return self._rows[: self._count]

    def append(self, more: npt.NDArray[Kind]) -> int:
        """Add rows (n, width); the position of the first."""
        first, count = self._count, self._count + len(more)
        if count > len(self._rows):
            self._make_room(max(count, 2 * len(self._rows), FIRST_ROWS))
        self._rows[first:count] = more
        self._count = count
        return first

    def _make_room(self, capacity: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Without a name from the start; it lives as long as its map, and the old map as long as somebody reads it.
        with tempfile.TemporaryFile(dir=self._folder) as file:
            roomier = np.memmap(file, dtype=self._kind, mode="w+", shape=(capacity, self._width))
        roomier[: self._count] = self._rows[: self._count]
        self._rows = roomier


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cosines(rows: Vectors, unit: Vectors) -> Vectors:
    """The cosine of every unit row (n, d) with one unit vector (d,): float32 (n,), never above 1."""
    found: Vectors = np.empty(len(rows), dtype=np.float32)

    def part(start: int) -> None:
        few = found[start : start + ROWS_AT_ONCE]
        np.minimum(np.dot(rows[start : start + ROWS_AT_ONCE], unit, out=few), np.float32(1), out=few)

    starts = range(0, len(rows), ROWS_AT_ONCE)
    with one_thread():
        if len(starts) < PARTS_WORTH_THREADS:
            for start in starts:
                part(start)
            return found
        # Memory is what is waited for, and one processor alone does not ask for all that it could give.
        with ThreadPoolExecutor(processors()) as threads:
            list(threads.map(part, starts))
    return found


def highest(scores: Vectors, count: int) -> npt.NDArray[np.int64]:
    """The positions of the highest scores, the highest first, and of equal ones the first; NaN is never among them."""
    known = len(scores) - int(np.count_nonzero(np.isnan(scores)))
    if known > count > 0:
        # NaN stands behind all numbers here, and is no greater than any.
        found = np.flatnonzero(scores >= np.partition(scores, known - count)[known - count])
    else:
        found = np.flatnonzero(~np.isnan(scores))
    return found[np.lexsort((found, -scores[found]))][:count]
