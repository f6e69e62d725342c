"""A layout on the grid on which it is kept and drawn: whole numbers from 0 to FULL either way."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.selection.atlas.layout import Places
from app.selection.map_models import FULL

Grid = npt.NDArray[np.int64]
Frame = Sequence[float]

# Where a region's name stands: over the points around where they lie thickest, as a grid this coarse tells.
CELLS = 24
AROUND, EDGE, OVER = 3, 0.02, 0.02


def on_grid(places: Places, frame: Frame) -> Grid:
    """Places within a frame as whole numbers; what lies beyond an edge stands on it."""
    low, size = np.array(frame[:2]), np.array(frame[2:]) - np.array(frame[:2])
    grid: Grid = np.clip(np.rint((places - low) / size * FULL), 0, FULL).astype(np.int64)
    return grid


def off_grid(grid: Grid, frame: Frame) -> Places:
    """The same in the layout's own measure, as exactly as the grid has it."""
    low, size = np.array(frame[:2]), np.array(frame[2:]) - np.array(frame[:2])
    places: Places = (grid / FULL * size + low).astype(np.float32)
    return places


def standing(grid: Grid) -> tuple[int, int]:
    """Where the name of a region with these points stands: over the part of it where they lie thickest."""
    cells = np.minimum(grid * CELLS // (FULL + 1), CELLS - 1)
    counts = np.zeros((CELLS + 2, CELLS + 2))
    np.add.at(counts, (cells[:, 0] + 1, cells[:, 1] + 1), 1)
    smooth = sum(counts[i : i + CELLS, j : j + CELLS] for i in range(3) for j in range(3))
    at = np.array(np.unravel_index(int(np.argmax(smooth)), (CELLS, CELLS)))
    around = grid[(np.abs(cells - at) <= AROUND).all(axis=1)]
    top = float(np.quantile(around[:, 1], EDGE)) - OVER * FULL
    return int(np.median(around[:, 0])), int(max(0.0, top))
