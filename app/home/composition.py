"""The target against what stands: rows for the table, shares for the bars, cells for the picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from app.examples.labels import SourceLabel, SourceLabels
from app.examples.models import ExampleState
from app.home.queries import CellRow, Count
from app.projects.models import CompositionRow, Split
from app.web.cells import Cell, CellSource

MOST_CELLS = 2000
NO_COLOUR = 0
"""The grey of a source that the target does not name."""
WORDS = {
    ExampleState.APPROVED: "approved",
    ExampleState.REVIEW: "in review",
    ExampleState.RETURNED: "returned",
    ExampleState.DRAFT: "draft",
}


@dataclass(frozen=True)
class SourceRow:
    """One source of one split: its target and how many examples are in each state."""

    source: str
    split: str
    title: str
    short_title: str
    colour: int
    target: int
    approved: int = 0
    review: int = 0
    returned: int = 0
    draft: int = 0
    planned: bool = True

    @property
    def begun(self) -> int:
        """Examples in any state."""
        return self.approved + self.review + self.returned + self.draft

    @property
    def not_begun(self) -> int:
        """How many the target still lacks, in whatever state."""
        return max(0, self.target - self.begun)

    @property
    def short(self) -> int:
        """How many approved ones the target still lacks."""
        return max(0, self.target - self.approved)

    def share(self, part: int, total: int) -> float:
        """Percent."""
        return 100 * part / total if total else 0.0


class Tally(TypedDict):
    """Examples of one source and split by state."""

    approved: int
    review: int
    returned: int
    draft: int


def _tally(counted: Mapping[str, int]) -> Tally:
    return Tally(
        approved=counted.get("approved", 0),
        review=counted.get("review", 0),
        returned=counted.get("returned", 0),
        draft=counted.get("draft", 0),
    )


def source_rows(target: Iterable[CompositionRow], counts: Iterable[Count]) -> tuple[SourceRow, ...]:
    """The target's rows in its order, then what the set has beyond it."""
    target = tuple(target)
    tallies: dict[tuple[str, str], dict[str, int]] = {}
    for count in counts:
        tallies.setdefault((count.source, count.split.value), {})[count.state.value] = count.count
    rows = [
        SourceRow(
            row.source,
            row.split.value,
            row.title,
            row.short_title,
            row.colour,
            row.target,
            **_tally(tallies.pop((row.source, row.split.value), {})),
        )
        for row in target
    ]
    labels = SourceLabels(target)
    beyond = ((labels.of(source), split, tally) for (source, split), tally in sorted(tallies.items()))
    return (*rows, *(_beyond(label, split, tally) for label, split, tally in beyond))


def _beyond(label: SourceLabel, split: str, tally: dict[str, int]) -> SourceRow:
    """A row outside the target."""
    return SourceRow(
        label.key, split, label.title, label.short, label.number, 0, **_tally(tally), planned=False
    )  # fmt: skip


@dataclass(frozen=True)
class SplitTable:
    """The rows of one split and their sum."""

    split: str
    title: str
    rows: Sequence[SourceRow]
    total: SourceRow


TITLES = {"train": "Train", "dev": "Dev prompts", "test": "Test prompts"}


def split_tables(rows: Sequence[SourceRow]) -> tuple[SplitTable, ...]:
    """One table a split that has a target or examples."""
    tables = []
    for split in (member.value for member in Split):
        mine = [row for row in rows if row.split == split]
        if mine:
            tables.append(SplitTable(split, TITLES[split], tuple(mine), total_of(mine, split)))
    return tuple(tables)


def total_of(rows: Sequence[SourceRow], split: str) -> SourceRow:
    """The sum of rows."""
    names = ("approved", "review", "returned", "draft")
    sums = _tally({name: sum(getattr(row, name) for row in rows) for name in names})
    return SourceRow("", split, "All", "All", 1, sum(row.target for row in rows), **sums)


def towards(rows: Iterable[SourceRow]) -> int:
    """How many approved ones count towards the target: of each source no more than it wants."""
    return sum(min(row.approved, row.target) for row in rows)


def cell_sources(
    rows: Sequence[SourceRow], examples: Iterable[CellRow], example_url: Callable[[int], str]
) -> tuple[CellSource, ...]:
    """The train rows as the picture takes them; beyond the target, only where there is no target at all."""
    train = [row for row in rows if row.split == "train" and (row.target or row.begun)]
    shown = [row for row in train if row.target] or train
    by_source: dict[str, list[Cell]] = {row.source: [] for row in shown}
    titles = {row.source: row.short_title for row in shown}
    limits = {row.source: row.target or MOST_CELLS for row in shown}
    for example in examples:
        cells = by_source.get(example.source)
        if cells is not None and len(cells) < limits[example.source]:
            words = f"Example {example.id}, {titles[example.source]}, {WORDS[example.state]}"
            cells.append(Cell(example.state.value, example_url(example.id), words))
    return tuple(CellSource(row.short_title, row.colour, row.target, tuple(by_source[row.source])) for row in shown)


def scaled(rows: Sequence[SourceRow]) -> tuple[int, tuple[CellSource, ...]]:
    """For a target too large for one cell an example: how many a cell stands for, and the blocks."""
    train = [row for row in rows if row.split == "train" and row.target]
    per_cell = -(-sum(row.target for row in train) // 1000)
    return per_cell, tuple(_scaled_source(row, per_cell) for row in train)


def _scaled_source(row: SourceRow, per_cell: int) -> CellSource:
    size = -(-row.target // per_cell)
    states = [
        state
        for state in ("approved", "review", "returned", "draft")
        for _ in range(round(getattr(row, state) / per_cell))
    ]
    cells = tuple(Cell(state, None, f"{per_cell} examples, {row.short_title}") for state in states[:size])
    return CellSource(row.short_title, row.colour, size, cells)


def furthest(rows: Sequence[SourceRow]) -> tuple[SourceRow, ...]:
    """Train sources by how many of the target nobody has begun, the most first."""
    short = [row for row in rows if row.split == "train" and row.not_begun]
    return tuple(sorted(short, key=lambda row: (-row.not_begun, row.title)))


def shares(rows: Sequence[SourceRow], name: str) -> tuple[float, ...]:
    """Percent of `target` or `approved` that each row holds."""
    total = sum(getattr(row, name) for row in rows)
    return tuple(row.share(getattr(row, name), total) for row in rows)
