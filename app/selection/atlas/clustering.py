"""Regions of the pool: rows divided by what they mean, by k-means on the sphere; the same rows, the same regions."""

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors
from app.selection.atlas.neighbours import GoOn, Rows

Regions = npt.NDArray[np.int16]

FEWEST_REGIONS, MOST_REGIONS = 2, 12
ROWS_A_REGION = 12
TRIES, ROUNDS = 4, 30
ROWS_AT_ONCE = 16_384


def how_many(rows: int) -> int:
    """How many regions a pool of so many candidates has: 1 of a handful, 9 of 1,000, never more than a table reads."""
    if rows < 2 * ROWS_A_REGION:
        return 1
    return int(np.clip(round((rows / ROWS_A_REGION) ** 0.5), FEWEST_REGIONS, MOST_REGIONS))


def divided(rows: Vectors, count: int, seed: int, go_on: GoOn) -> Vectors:
    """The unit centres of `count` regions, (count, dimensions): the best of a few seeded tries."""
    best: tuple[float, Vectors] | None = None
    for number in range(TRIES if count > 1 else 1):
        centres = _begun(rows, count, np.random.default_rng([seed, number]))
        for _ in range(ROUNDS):
            go_on()
            held, near = belonging(rows, centres)
            moved = _middles(rows, held, near, centres)
            if np.allclose(moved, centres, atol=1e-6):
                break
            centres = moved
        score = float(belonging(rows, centres)[1].sum(dtype=np.float64))
        if best is None or score > best[0]:
            best = (score, centres)
    assert best is not None
    return best[1]


def _begun(rows: Vectors, count: int, random: np.random.Generator) -> Vectors:
    """First centres far apart (k-means++, Arthur and Vassilvitskii 2007)."""
    chosen = [int(random.integers(len(rows)))]
    off = 1 - rows @ rows[chosen[0]]
    for _ in range(count - 1):
        chances = np.maximum(off, 0).astype(np.float64)
        total = chances.sum()
        # Rows that are all the same have no second centre; any will do.
        pick = int(random.choice(len(rows), p=chances / total)) if total > 0 else chosen[0]
        chosen.append(pick)
        off = np.minimum(off, 1 - rows @ rows[pick])
    return rows[chosen].copy()


def belonging(rows: Vectors, centres: Vectors) -> tuple[Regions, Vectors]:
    """The nearest centre of each row, counted from 0, and the cosine to it."""
    held: Regions = np.empty(len(rows), dtype=np.int16)
    near: Vectors = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        products = rows[start : start + ROWS_AT_ONCE] @ centres.T
        held[start : start + ROWS_AT_ONCE] = products.argmax(axis=1)
        near[start : start + ROWS_AT_ONCE] = products.max(axis=1)
    return held, near


def _middles(rows: Vectors, held: Regions, near: Vectors, centres: Vectors) -> Vectors:
    moved = np.stack([rows[held == number].sum(axis=0) for number in range(len(centres))])
    empty: Rows = np.flatnonzero(np.bincount(held, minlength=len(centres)) == 0)
    if len(empty):  # a centre that holds nothing goes to where the rows are held worst
        moved[empty] = rows[np.argsort(near, kind="stable")[: len(empty)]]
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: Vectors = np.where(lengths > 0, moved / np.maximum(lengths, 1e-12), centres).astype(np.float32)
    return unit


def by_size(centres: Vectors, held: Regions) -> tuple[Vectors, Regions]:
    """The same regions numbered anew, the largest first; those that hold nothing are gone."""
    sizes = np.bincount(held, minlength=len(centres))
    order = [int(one) for one in np.argsort(-sizes, kind="stable") if sizes[one]]
    new = np.zeros(len(centres), dtype=np.int16)
    new[order] = np.arange(len(order))
    return centres[order], new[held]
