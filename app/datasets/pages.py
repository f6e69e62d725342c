"""The timeline of versions with the next one growing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets import material_queries, queries
from app.datasets.afterwards import Afterwards, afterwards, tokens_in_words, version_before
from app.datasets.bars import Bar, bar_of, legend_of, scale_of
from app.datasets.canonical import version_id
from app.datasets.card.licensing import limited_to
from app.datasets.gate_pages import SETTLE
from app.datasets.gates import KINDS, Gate, GateState, counted, seen
from app.datasets.material import SPLITS, Material
from app.datasets.models import Version, VersionRow
from app.datasets.sourcenames import label_of_row, labels_of
from app.examples.labels import SourceLabel
from app.examples.models import Example
from app.examples.queries import standing_counts
from app.examples.sight import everything
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.web.cells import Cell, CellSource, SmallCells, draw_cells
from app.web.paging import Pager, page_of

VERSIONS_A_PAGE = 20
# The state of an example and the words of its cell, as far as a cell shows it.
CELL_STATES = ("approved", "review", "returned", "draft")
GATE_TITLES = {kind.name: kind.title for kind in KINDS}


@dataclass(frozen=True)
class GateRow:
    """A gate in words."""

    gate: str
    title: str
    state: str
    detail: str
    reason: str | None
    # The fingerprint of what it found, for the form that goes past it; how many rows that is; the way to settle it.
    seen: str = ""
    found: int = 0
    place: str | None = None
    place_label: str = ""


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
    # The licences that the version before is limited to, which leaves much to be new or gone.
    since_limited: str
    gates: tuple[GateRow, ...]
    blocking: tuple[GateRow, ...]
    picture: SmallCells
    filled: int
    outside: int
    target: int
    # The last version and this one as bars on one scale, and how their sources are drawn.
    bars: tuple[Bar, ...]
    legend: tuple[SourceLabel, ...]


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
    limited_to: str
    overrides: tuple[GateRow, ...]
    warned: tuple[str, ...]
    picture: SmallCells
    filled: int
    outside: int
    target: int
    tokens: str
    afterwards: Afterwards


@dataclass(frozen=True)
class VersionsPage:
    """All versions, the next one on top of the first page."""

    slug: str
    may_freeze: bool
    draft: Draft | None
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
        _draft(session, project, material_queries.material_of(session, project)) if pager.number == 1 else None,
        version_entries(session, versions),
        pager,
        typed or {},
        errors or {},
    )


def _draft(session: Session, project: Project, material: Material) -> Draft:
    last = queries.latest_version(session, project)
    added, gone = _changed_since(session, last, material) if last else (len(material.items), 0)
    gates = tuple(_draft_gate(gate) for gate in material.gates)
    rows = [vars(row) for row in material.fillings]
    compositions = [*([last.manifest["composition"]] if last else []), rows]
    name, scale = _next_name(session, project), scale_of(compositions)
    counts = {(row.source, row.split.value, row.state.value): row.count for row in standing_counts(session, project.id)}
    picture, filled, outside, target = _picture(rows, counts)
    return Draft(
        name,
        len(material.items),
        added,
        gone,
        last.name if last else None,
        limited_to(last.manifest) if last else "",
        gates,
        tuple(gate for gate in gates if gate.state == GateState.BLOCK),
        picture,
        filled,
        outside,
        target,
        tuple(
            bar_of(title, one, scale)
            for title, one in zip([last.name, name] if last else [name], compositions, strict=True)
        ),
        tuple(legend_of(compositions)),
    )


def _draft_gate(gate: Gate) -> GateRow:
    place, label = SETTLE.get(gate.gate, (None, "")) if gate.state in {GateState.WARN, GateState.BLOCK} else (None, "")
    row = gate_row(gate.document())
    row = replace(row, detail=counted(gate)) if gate.gate == "leakage" and gate.findings else row
    return replace(row, seen=seen(gate), found=len(gate.findings), place=place, place_label=label)


def _changed_since(session: Session, last: Version, material: Material) -> tuple[int, int]:
    """How many examples are new or say something else than in the last version, and how many of its are gone.

    A line is made only of what was touched since: an example that was not says what it said.
    """
    columns = (
        VersionRow.example_id,
        VersionRow.revision_number,
        VersionRow.split,
        VersionRow.source,
        VersionRow.sha256,
    )
    rows = session.execute(select(*columns).where(VersionRow.version_id == last.id))
    frozen = {
        example_id: (revision, split.value, source, sha256) for example_id, revision, split, source, sha256 in rows
    }
    changed = select(Example.id).where(Example.project_id == last.project_id, Example.changed_at >= last.frozen_at)
    with everything(session):
        touched = set(session.scalars(changed))
    added = 0
    for item in material.items:
        row = frozen.pop(item.example_id, None)
        if row is None:
            added += 1
        elif item.example_id in touched or row[:3] != (item.revision_number, item.split, item.source):
            added += row[3] != item.line.sha256
    return added, len(frozen)


def _next_name(session: Session, project: Project) -> str:
    taken = set(session.scalars(queries.versions_of(project).with_only_columns(Version.name).order_by(None)))
    return next(name for name in (f"v{at}" for at in range(len(taken) + 1, 2 * len(taken) + 2)) if name not in taken)


def gate_row(gate: Mapping[str, Any]) -> GateRow:
    """One gate of a manifest in words."""
    title = GATE_TITLES.get(gate["gate"], gate["gate"])
    return GateRow(gate["gate"], title, gate["state"], gate["detail"], gate.get("reason"))


def _picture(
    rows: Sequence[Mapping[str, Any]], counts: Mapping[tuple[str, str, str], int]
) -> tuple[SmallCells, int, int, int]:
    """Draw the train rows of a composition (all rows where there are none); `counts` are by source, split, state.

    Beside the picture: how many count towards the target (all where there is none), how many do not, the target.
    """
    shown = [row for row in rows if row["split"] == "train"] or rows
    labels = labels_of(rows)
    sources = [
        (labels.of(row["source"]).number, row["target"],
         tuple(counts.get((row["source"], row["split"], state), 0) for state in CELL_STATES))
        for row in shown
    ]  # fmt: skip
    total, target = sum(row["count"] for row in shown), sum(row["target"] for row in shown)
    filled = sum(min(row["count"], row["target"]) for row in shown) if target else total
    return _drawn(tuple(sources)), filled, total - filled, target


@lru_cache(maxsize=1024)
def _drawn(sources: tuple[tuple[int, int, tuple[int, ...]], ...]) -> SmallCells:
    """The cells of (colour, target, examples by state): once, as a version never changes."""
    return draw_cells(
        [
            CellSource("", colour, target, [Cell(state, None, state) for state, n in zip(CELL_STATES, of, strict=True)
                                            for _ in range(n)])
            for colour, target, of in sources
        ]
    ).small  # fmt: skip


def version_entries(session: Session, versions: Sequence[Version]) -> tuple[VersionEntry, ...]:
    """Frozen versions that follow each other, the newest first, each with what became of it."""
    if not versions:
        return ()
    older = [*versions[1:], version_before(session, versions[-1])]
    found = afterwards(session, versions, {one.id: old for one, old in zip(versions, older, strict=True)})
    return tuple(version_entry(version, found[version.id]) for version in versions)


def version_entry(version: Version, became: Afterwards) -> VersionEntry:
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
        ", ".join(f"{manifest['examples'][split]:,} {split}" for split in SPLITS if manifest["examples"][split]),
        version.frozen_at,
        manifest["frozen"]["by"]["name"],
        limited_to(manifest),
        tuple(gate for gate in gates if gate.state == GateState.OVERRIDDEN),
        tuple(gate.title for gate in gates if gate.state == GateState.WARN),
        picture,
        filled,
        outside,
        target,
        tokens_in_words(version),
        became,
    )


def composition_lines(manifest: Mapping[str, Any], total: int) -> list[CompositionLine]:
    """The composition of a version against its target, `total` rows being all of it."""
    labels = labels_of(manifest["composition"])
    called = [label_of_row(labels, row) for row in manifest["composition"]]
    return [
        CompositionLine(
            label.title,
            row["source"],
            row["split"],
            label.number,
            row["count"],
            row["target"],
            100 * row["count"] / max(1, total),
            min(100.0, 100 * row["count"] / (row["target"] or row["count"] or 1)),
        )
        for row, label in zip(manifest["composition"], called, strict=True)
    ]
