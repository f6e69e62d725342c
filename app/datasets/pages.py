"""The timeline of versions with the next one growing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.canonical import version_id
from app.datasets.gates import GateState
from app.datasets.material import SPLITS, Material
from app.datasets.models import Version, VersionRow
from app.examples.queries import standing_counts
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.web.cells import Cell, CellSource, CellsPicture, draw_cells
from app.web.paging import Pager, page_of

VERSIONS_A_PAGE = 20
# The grey of what the target does not name.
STRAY_COLOUR = 0
# The state of an example and the words of its cell, as far as a cell shows it.
CELL_STATES = ("approved", "review", "returned", "draft")
# Where each gate is settled: the route and its words.
SETTLE = {
    "composition": ("selection:pool", "Find candidates"),
    "approvals": ("reviews:queue", "Review"),
    "duplicates": ("duplicates:inbox", "Settle them"),
    "leakage": ("duplicates:inbox", "Settle it"),
    "licences": ("examples:index", "See the examples"),
}
GATE_TITLES = {gate: gate.capitalize() for gate in SETTLE}


@dataclass(frozen=True)
class GateRow:
    """A gate in words, and the place that settles it unless it passes."""

    gate: str
    title: str
    state: str
    detail: str
    reason: str | None
    place: str | None
    place_label: str


@dataclass(frozen=True)
class CompositionLine:
    """A source in a split against its target; `share` is in percent of the version."""

    title: str
    source: str
    split: str
    colour: int
    count: int
    target: int
    share: float
    filled: float


@dataclass(frozen=True)
class Draft:
    """The next version as it would be now."""

    name: str
    approved: int
    added: int
    gone: int
    since: str | None
    gates: tuple[GateRow, ...]
    blocking: tuple[GateRow, ...]
    picture: CellsPicture
    filled: int
    outside: int
    target: int


@dataclass(frozen=True)
class VersionEntry:
    """A frozen version in the timeline."""

    name: str
    id: str
    id_short: str
    total: int
    splits: str
    frozen_at: Any
    frozen_by: str
    overrides: tuple[GateRow, ...]
    warnings: int
    picture: CellsPicture
    filled: int
    outside: int
    target: int
    shares: tuple[CompositionLine, ...]


@dataclass(frozen=True)
class VersionsPage:
    """All versions, the next one on top."""

    slug: str
    may_freeze: bool
    draft: Draft
    versions: tuple[VersionEntry, ...]
    pager: Pager
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def versions_page(
    session: Session,
    access: ProjectAccess,
    number: int,
    *,
    may_freeze: bool,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> VersionsPage:
    """The timeline: one page of versions, and the next one."""
    project = access.project
    versions, pager = page_of(session, queries.versions_of(project), number, VERSIONS_A_PAGE)
    return VersionsPage(
        project.slug,
        may_freeze,
        _draft(session, project, queries.material_of(session, project)),
        tuple(version_entry(version) for version in versions),
        pager,
        typed or {},
        errors or {},
    )


def _draft(session: Session, project: Project, material: Material) -> Draft:
    last = queries.latest_version(session, project)
    query = select(VersionRow.sha256).where(VersionRow.version_id == last.id) if last else None
    before = Counter(session.scalars(query)) if query is not None else Counter[str]()
    current = Counter(item.line.sha256 for item in material.items)
    gates = tuple(gate_row(gate.document()) for gate in material.gates)
    rows = [vars(row) for row in material.fillings]
    counts = {(row.source, row.split.value, row.state.value): row.count for row in standing_counts(session, project.id)}
    picture, filled, outside, target = _picture(rows, counts)
    return Draft(
        _next_name(session, project),
        len(material.items),
        (current - before).total(),
        (before - current).total(),
        last.name if last else None,
        gates,
        tuple(gate for gate in gates if gate.state == GateState.BLOCK),
        picture,
        filled,
        outside,
        target,
    )


def _next_name(session: Session, project: Project) -> str:
    taken = set(session.scalars(queries.versions_of(project).with_only_columns(Version.name).order_by(None)))
    return next(name for name in (f"v{at}" for at in range(len(taken) + 1, 2 * len(taken) + 2)) if name not in taken)


def gate_row(gate: Mapping[str, Any]) -> GateRow:
    """One gate of a manifest in words."""
    passes = gate["state"] == GateState.PASS
    place, label = SETTLE.get(gate["gate"], (None, ""))
    title = GATE_TITLES.get(gate["gate"], gate["gate"])
    return GateRow(
        gate["gate"], title, gate["state"], gate["detail"], gate.get("reason"), None if passes else place, label
    )


def _picture(
    rows: Sequence[Mapping[str, Any]], counts: Mapping[tuple[str, str, str], int]
) -> tuple[CellsPicture, int, int, int]:
    """Draw the train rows of a composition (all rows where there are none); `counts` are by source, split, state.

    Beside the picture: how many count towards the target (all where there is none), how many do not, the target.
    """
    shown = [row for row in rows if row["split"] == "train"] or rows
    sources = []
    for row in shown:
        of_state = {state: counts.get((row["source"], row["split"], state), 0) for state in CELL_STATES}
        cells = [Cell(state, None, state) for state, count in of_state.items() for _ in range(count)]
        sources.append(CellSource(row["short_title"], row["colour"] or STRAY_COLOUR, row["target"], cells))
    total, target = sum(row["count"] for row in shown), sum(row["target"] for row in shown)
    filled = sum(min(row["count"], row["target"]) for row in shown) if target else total
    return draw_cells(sources), filled, total - filled, target


def version_entry(version: Version) -> VersionEntry:
    """A frozen version as the timeline and its own page show it."""
    manifest = version.manifest
    counts = {(row["source"], row["split"], "approved"): row["count"] for row in manifest["composition"]}
    picture, filled, outside, target = _picture(manifest["composition"], counts)
    gates = tuple(gate_row(gate) for gate in manifest["gates"])
    return VersionEntry(
        version.name,
        version_id(version.sha256),
        f"{version_id(version.sha256)[:15]}…{version.sha256[-4:]}",
        version.row_count,
        ", ".join(f"{manifest['examples'][split]:,} {split}" for split in SPLITS),
        version.frozen_at,
        manifest["frozen"]["by"]["name"],
        tuple(gate for gate in gates if gate.state == GateState.OVERRIDDEN),
        sum(gate.state == GateState.WARN for gate in gates),
        picture,
        filled,
        outside,
        target,
        tuple(composition_lines(manifest, version.row_count)),
    )


def composition_lines(manifest: Mapping[str, Any], total: int) -> list[CompositionLine]:
    """The composition of a version against its target, `total` rows being all of it."""
    return [
        CompositionLine(
            row["title"],
            row["source"],
            row["split"],
            row["colour"] or STRAY_COLOUR,
            row["count"],
            row["target"],
            100 * row["count"] / max(1, total),
            min(100.0, 100 * row["count"] / (row["target"] or row["count"] or 1)),
        )
        for row in manifest["composition"]
    ]
