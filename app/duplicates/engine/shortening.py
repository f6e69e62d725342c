"""Rows cut short, whose products are never below those of the whole rows.

Rows are turned so that their first coordinates hold most of their length, cut to those, and the length that was cut
off is put at a right angle to what is left. By Cauchy and Schwarz what two rests add to the product of the whole rows
is at most the product of their lengths, so whatever reaches a threshold whole reaches it cut short as well.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors

Positions: TypeAlias = npt.NDArray[np.int64]
Result = TypeVar("Result")

SAMPLED_ROWS = 6000
ROWS_AT_ONCE = 8192
# So many that what is gathered stays near the processor.
PAIRS_AT_ONCE = 4096
# More than two float32 sums of some hundred products of unit rows differ by, whatever their order; squared lengths get
# twice that.
ROUNDING = 2e-5


def main_axes(rows: Vectors) -> Vectors:
    """Find orthonormal axes (d, d), those first that hold most of the rows' length.

    Any orthonormal axes give a true bound; that only a sample is looked at decides how sharp it is, no more.
    """
    sample = rows[:: max(1, len(rows) // SAMPLED_ROWS)]
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    fallen: Vectors = np.ascontiguousarray(axes[:, ::-1], dtype=np.float32)
    return fallen


def shortened(rows: Vectors, axes: Vectors, columns: int) -> Vectors:
    """Give rows (n, columns) whose products are never below those of the whole rows by more than ROUNDING."""
    short: Vectors = shortened_to(rows, axes, [columns])[0]
    return short


def shortened_to(rows: Vectors, axes: Vectors, widths: Sequence[int], processors: int = 1) -> list[Vectors]:
    """Shorten rows to several widths at once: what they lie along is found for the widest, and serves all."""
    short: list[Vectors] = [np.empty((len(rows), columns), dtype=np.float32) for columns in widths]
    turns = [_turn(columns) for columns in widths]
    head = np.ascontiguousarray(axes[:, : max(widths) - 1])

    def cut(part: slice) -> None:
        along = rows[part] @ head
        lengths = np.einsum("ij,ij->i", rows[part], rows[part])
        for turn, cut in zip(turns, short, strict=True):
            _with_rest(np.matmul(along[:, : len(turn)], turn), lengths, cut[part])

    by_parts(cut, len(rows), processors)
    return short


def by_parts(work: Callable[[slice], Result], count: int, processors: int) -> list[Result]:
    """Do a work for so many rows, part by part, a thread a processor; its results in order."""
    found = [slice(start, min(start + ROWS_AT_ONCE, count)) for start in range(0, count, ROWS_AT_ONCE)]
    with ThreadPoolExecutor(processors) as threads:
        return list(threads.map(work, found))


def _turn(columns: int) -> Vectors:
    """Turn rows of one column less so that all columns are alike in range and (1, 1, 1, …) is left free, for the rest.

    Integers need the former: one wide column would leave the others few of their steps.
    """
    drawn = np.random.default_rng(0).normal(size=(columns, columns))
    drawn[:, 0] = 1
    turn, _ = np.linalg.qr(drawn)
    free: Vectors = np.ascontiguousarray(turn[:, 1:].T, dtype=np.float32)
    return free


def _with_rest(turned: Vectors, lengths: Vectors, cut: Vectors) -> None:
    """Write rows into `cut` with what was cut off their squared lengths put along (1, 1, 1, …)."""
    rest = lengths - np.einsum("ij,ij->i", turned, turned)
    # The slack stands under the root: a rest that is nearly nothing must not come out smaller than it is.
    rest = np.sqrt(np.maximum(rest, 0) + 2 * ROUNDING) / np.sqrt(np.float32(cut.shape[1]))
    np.add(turned, rest[:, None], out=cut)


def products(rows: Vectors, left: Positions, right: Positions) -> Vectors:
    """The product of each row of positions `left` with the one beside it in `right`: float32 (n,)."""
    found: Vectors = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        np.einsum("ij,ij->i", rows[left[part]], rows[right[part]], out=found[part])
    return found
