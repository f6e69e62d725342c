"""All versions side by side: a bar and a few numbers each, so that growth is seen at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.afterwards import SAID, Since, afterwards, version_before
from app.datasets.bars import Bar, bar_of, legend_of, scale_of
from app.datasets.comparison.comparing import TITLES, Kind
from app.datasets.material import SPLITS
from app.datasets.models import Version
from app.projects.access import ProjectAccess
from app.web.paging import Pager, page_of


@dataclass(frozen=True)
class TableRow:
    """A version: its bar is on one scale with all others; `counts` are rows by split."""

    name: str
    id: str
    frozen_at: datetime
    bar: Bar
    counts: Sequence[int]
    since: Since | None
    tokens: int | None
    cut: int | None


@dataclass(frozen=True)
class TablePage:
    """The versions, the newest first; `scale` is how many rows the widest bar stands for."""

    slug: str
    sources: Sequence[tuple[int, str]]
    rows: Sequence[TableRow]
    scale: int
    splits: Sequence[str]
    # Kinds of change with their titles: the first three always, others where some version has one.
    kinds: Sequence[tuple[str, str]]
    pager: Pager


def table_page(session: Session, access: ProjectAccess, number: int) -> TablePage:
    """One page of the table: a constant number of queries, once each pair of versions was compared."""
    versions, pager = page_of(session, queries.versions_of(access.project), number)
    older = [*versions[1:], version_before(session, versions[-1])] if versions else []
    became = afterwards(session, versions, {one.id: old for one, old in zip(versions, older, strict=True)})
    compositions = [version.manifest["composition"] for version in versions]
    scale = scale_of(compositions)
    legend = [(label.number, label.short) for label in legend_of(compositions[::-1])]
    held = [split for split in SPLITS if any(version.manifest["examples"][split] for version in versions)]
    rows = [_row(version, became[version.id].since, scale, held) for version in versions]
    return TablePage(access.project.slug, legend, rows, scale, held, _kinds(rows), pager)


def _kinds(rows: Sequence[TableRow]) -> list[tuple[str, str]]:
    found = {kind for row in rows if row.since for kind, count in row.since.changes.items() if count}
    always = {Kind.ADDED, Kind.REMOVED, Kind.REWORDED}
    return [(kind.value, TITLES[kind]) for kind in SAID if kind in found | always]


def _row(version: Version, since: Since | None, scale: int, held: Sequence[str]) -> TableRow:
    manifest = version.manifest
    bar, tokens = bar_of(version.name, manifest["composition"], scale), manifest.get("tokens")
    return TableRow(
        version.name,
        manifest["id"],
        version.frozen_at,
        bar,
        [manifest["examples"][split] for split in held],
        since,
        tokens["total"] if tokens else None,
        sum(tokens["cut"].values()) if tokens else None,
    )
