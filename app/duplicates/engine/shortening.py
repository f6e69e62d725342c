"""Rows cut short, whose products are never below those of the whole rows.

Rows are turned so that their first coordinates hold most of their length, cut to those, and the length that was cut
off is put behind them as one more column. By Cauchy and Schwarz what two rests add to the product of the whole rows is
at most the product of their lengths, so whatever reaches a threshold whole reaches it cut short as well.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors

Positions: TypeAlias = npt.NDArray[np.int64]

SAMPLED_ROWS = 20_000
ROWS_AT_ONCE = 65_536
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
    head = np.ascontiguousarray(axes[:, : columns - 1])
    short: Vectors = np.empty((len(rows), columns), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        whole, cut = rows[start : start + ROWS_AT_ONCE], short[start : start + ROWS_AT_ONCE]
        cut[:, :-1] = whole @ head
        rest = np.einsum("ij,ij->i", whole, whole) - np.einsum("ij,ij->i", cut[:, :-1], cut[:, :-1])
        # The slack stands under the root: a rest that is nearly nothing must not come out smaller than it is.
        cut[:, -1] = np.sqrt(np.maximum(rest, 0) + 2 * ROUNDING)
    return short


def products(rows: Vectors, left: Positions, right: Positions) -> Vectors:
    """The product of each row of positions `left` with the one beside it in `right`: float32 (n,)."""
    found: Vectors = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        np.einsum("ij,ij->i", rows[left[part]], rows[right[part]], out=found[part])
    return found
