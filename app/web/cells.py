"""Where each of the thousand cells stands: columns filled block by block in the order of the sources."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

PITCH = 19
"""Pixels from one cell to the next; a cell is 15 wide."""
GAP = 8
"""Pixels between two blocks whose border is also the border of a column."""
LETTER = 8
"""Pixels that a letter of a name takes at most."""
SMALL = 5
"""The same pitch in small; a cell is 4 wide."""
ORDER = ("approved", "review", "returned", "draft", "none")
"""States from the foot of a block upwards."""
FILLINGS = {"approved": 1.0, "begun": 0.45, "none": 0.22}
"""How strongly cells are drawn in small: full, begun, empty."""


@dataclass(frozen=True)
class Cell:
    """One example: its state (of ORDER), its page and the words that name it."""

    status: str
    url: str | None
    label: str


@dataclass(frozen=True)
class CellSource:
    """A source of the composition: its number (from 1, for its colour), its target and its examples."""

    title: str
    number: int
    target: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class PlacedCell:
    """A cell with its upper left corner in pixels."""

    x: int
    y: int
    status: str
    url: str | None
    label: str


@dataclass(frozen=True)
class CellBlock:
    """The cells of one source; `named` where its name fits below it."""

    title: str
    number: int
    done: int
    target: int
    x: int
    named: bool
    cells: tuple[PlacedCell, ...]


@dataclass(frozen=True)
class SmallBlock:
    """A block in small: for each strength in which it is drawn one path of upright lines, a dash of them a cell."""

    number: int
    paths: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class SmallCells:
    """The picture in small: only paths, so that many of them stand on one page."""

    width: int
    height: int
    blocks: tuple[SmallBlock, ...]


@dataclass(frozen=True)
class CellsPicture:
    """All blocks, and the size of the picture without its names."""

    width: int
    height: int
    blocks: tuple[CellBlock, ...]

    @cached_property
    def small(self) -> SmallCells:
        """The same in small, as the head of a version has it."""
        blocks = tuple(SmallBlock(block.number, tuple(_small_paths(block.cells))) for block in self.blocks)
        return SmallCells(self.width * SMALL // PITCH, -(-self.height * SMALL // PITCH), blocks)


def draw_cells(sources: Sequence[CellSource]) -> CellsPicture:
    """Place every cell; a source short of its target is filled up with empty ones.

    1,000 cells give 25 rows. Blocks that do not divide by the rows share a column, from its foot upwards.
    """
    rows = rows_for(sum(size_of(source) for source in sources))
    blocks: list[CellBlock] = []
    start = gaps = 0
    for source in sources:
        if not size_of(source):
            continue
        if start and start % rows == 0:
            gaps += GAP
        blocks.append(_block(source, start, rows, gaps))
        start += size_of(source)
    width = math.ceil(start / rows) * PITCH + gaps - (PITCH - 15)
    return CellsPicture(max(width, 796), rows * PITCH - (PITCH - 15), _named(blocks, max(width, 796)))


def _named(blocks: Sequence[CellBlock], width: int) -> tuple[CellBlock, ...]:
    ends = [*(block.x for block in blocks[1:]), width]
    return tuple(
        replace(block, named=end - block.x >= LETTER * max(len(block.title), 5))
        for block, end in zip(blocks, ends, strict=False)  # no blocks, no end
    )


def size_of(source: CellSource) -> int:
    """How many cells a source takes: its target, or more where it has more."""
    return max(source.target, len(source.cells))


def rows_for(total: int) -> int:
    """Rows that keep the picture near 40 to 25, and small sets from growing giant cells."""
    return min(max(5, math.ceil(math.sqrt(total * 25 / 40))), max(25, total // 60))


def _block(source: CellSource, start: int, rows: int, gaps: int) -> CellBlock:
    size = size_of(source)
    places = sorted((divmod(at, rows) for at in range(start, start + size)), key=lambda place: (place[1], place[0]))
    empty = [Cell("none", None, "not begun")] * (size - len(source.cells))
    cells = sorted([*source.cells, *empty], key=lambda cell: ORDER.index(cell.status))
    return CellBlock(
        source.title,
        source.number,
        sum(cell.status == "approved" for cell in cells),
        source.target,
        start // rows * PITCH + gaps,
        False,  # until the next block is known
        tuple(
            PlacedCell(column * PITCH + gaps, (rows - 1 - row) * PITCH, cell.status, cell.url, cell.label)
            for (column, row), cell in zip(places, cells, strict=True)
        ),
    )


def _small_paths(cells: Sequence[PlacedCell]) -> Iterator[tuple[float, str]]:
    """The strength and path of each filling; within a column the cells of one filling stand on top of each other."""
    fillings: dict[str, list[PlacedCell]] = {name: [] for name in FILLINGS}
    for cell in cells:
        fillings[cell.status if cell.status in FILLINGS else "begun"].append(cell)
    for name, found in fillings.items():
        columns = groupby(sorted(found, key=lambda cell: (cell.x, cell.y)), key=lambda cell: cell.x)
        lines = [_small_line(x, [cell.y for cell in column]) for x, column in columns]
        if lines:
            yield FILLINGS[name], "".join(lines)


def _small_line(x: int, heights: Sequence[int]) -> str:
    # The middle of the column; the last dash ends without the gap after it.
    return f"M{x * SMALL / PITCH + 2:g} {heights[0] * SMALL / PITCH:g}v{len(heights) * SMALL - 1}"
