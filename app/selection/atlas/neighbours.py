"""Exact nearest rows by cosine, block by block: no matrix of all pairs is ever in memory."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors

Rows = npt.NDArray[np.int64]
GoOn = Callable[[], None]

# Cosines in memory at once: 32 MB of them.
CELLS = 8_000_000


def _nothing() -> None:
    """Nobody asks for a stop."""


def blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` rows, so short that their products with `width` others fit into memory."""
    step = max(64, CELLS // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def nearest(rows: Vectors, among: Vectors, count: int, go_on: GoOn = _nothing) -> tuple[Rows, Vectors]:
    """The `count` rows of `among` nearest to each unit row, the nearest first: positions and cosines, (n, count).

    `count` must not exceed the rows of `among`; of equal ones the first comes first. `go_on` is called between blocks.
    """
    found: Rows = np.empty((len(rows), count), dtype=np.int64)
    cosines: Vectors = np.empty((len(rows), count), dtype=np.float32)
    for part in blocks(len(rows), len(among)):
        go_on()
        products = rows[part] @ among.T
        chosen = np.argpartition(-products, count - 1, axis=1)[:, :count]
        scores = np.take_along_axis(products, chosen, axis=1)
        order = np.lexsort((chosen, -scores), axis=1)
        found[part] = np.take_along_axis(chosen, order, axis=1)
        cosines[part] = np.take_along_axis(scores, order, axis=1)
    return found, np.clip(cosines, -1, 1, out=cosines)


def highest_cosines(rows: Vectors, among: Vectors, go_on: GoOn = _nothing) -> Vectors:
    """How near each unit row is to the nearest of the others, (n,); zeros where there is no other."""
    found: Vectors = np.zeros(len(rows), dtype=np.float32)
    if len(among):
        for part in blocks(len(rows), len(among)):
            go_on()
            found[part] = (rows[part] @ among.T).max(axis=1)
    return np.clip(found, -1, 1, out=found)
