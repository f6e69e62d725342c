"""Candidates for near pairs by a bound: most pairs are ruled out on 64 small integers instead of 384 floats.

Rows are turned so that their first coordinates hold most of their length, cut to those, and the length that
was cut off is added as further columns. By Cauchy and Schwarz the product of two such short rows is never
below the product of the whole rows; rounding to integers is allowed for by its largest error, measured over
all rows. So no pair is lost, and whoever measures the candidates admits no false one.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors

Positions: TypeAlias = npt.NDArray[np.int64]

TILE = 512
COLUMNS = 64
# The cut-off length is spread over so many columns, to keep it in the range of the others.
REST_COLUMNS = 4
SAMPLED_ROWS = 20_000
# More than float32 sums of some hundred products of unit rows are off by; squared lengths get twice that.
ROUNDING = 2e-5


def candidates(vectors: Vectors, threshold: float) -> Iterator[tuple[int, Positions, Positions]]:
    """Propose pairs of unit rows, all that reach the threshold among them.

    Gives (rows begun, left, right) with left < right, tile by tile, in no further order.
    """
    # Torch takes a second to import and only large sets come here.
    import torch

    short = shortened(vectors)
    levels = _levels()
    scale = levels / float(np.abs(short).max())
    whole = np.rint(short * scale)
    error = float(np.linalg.norm(short - whole / scale, axis=1).max())
    lowest = int(np.floor((threshold - 2 * error - error**2 - ROUNDING) * scale**2))
    # Padded, so that every tile has the shape that was tried for overflow.
    padding = ((0, -len(whole) % TILE), (0, COLUMNS - whole.shape[1]))
    codes = torch.from_numpy(np.pad(whole, padding).astype(np.int8))
    for row in range(0, len(codes), TILE):
        for column in range(row, len(codes), TILE):
            tile = torch._int_mm(codes[row : row + TILE], codes[column : column + TILE].T)  # noqa: SLF001
            if int(tile.max()) < lowest:
                continue
            near = torch.nonzero(tile >= lowest).numpy()
            left, right = near[:, 0] + row, near[:, 1] + column
            ahead = (left < right) & (right < len(vectors))
            yield row, left[ahead], right[ahead]


def shortened(vectors: Vectors) -> Vectors:
    """Give rows of at most COLUMNS coordinates whose products are never below those of the whole rows."""
    axes = _main_axes(vectors, min(COLUMNS - REST_COLUMNS, vectors.shape[1]))
    head = vectors @ axes
    # The slack stands under the root: a rest that is nearly nothing must not come out smaller than it is.
    rest = np.einsum("ij,ij->i", vectors, vectors) - np.einsum("ij,ij->i", head, head)
    rest = np.sqrt(np.maximum(rest, 0) + 2 * ROUNDING)
    spread = np.repeat(rest[:, np.newaxis] / np.sqrt(REST_COLUMNS), REST_COLUMNS, axis=1)
    return np.hstack([head, spread]).astype(np.float32)


def _main_axes(vectors: Vectors, count: int) -> Vectors:
    """Find orthonormal axes that hold most of the rows' length, mixed so that all are alike in range.

    Any orthonormal axes give a true bound; the sample and the fixed rotation only decide how sharp it is.
    """
    sample = vectors[:: max(1, len(vectors) // SAMPLED_ROWS)]
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(count, count)))
    mixed: Vectors = (axes[:, ::-1][:, :count] @ rotation).astype(np.float32)
    return mixed


def _levels() -> int:
    """Say how large the integers may be: without VNNI, processors may saturate sums of two 8-bit products."""
    import torch

    for sign in (1, -1):
        rows = torch.full((TILE, COLUMNS), 127, dtype=torch.int8)
        product = torch._int_mm(rows, sign * rows.T)  # noqa: SLF001
        if not bool((product == sign * COLUMNS * 127**2).all()):
            return 63
    return 127
