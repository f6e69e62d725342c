"""All versions side by side: a bar and a few numbers each, so that growth is seen at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.afterwards import SAID, Since, afterwards, version_before
from app.datasets.comparison.comparing import TITLES, Kind
from app.datasets.material import SPLITS
from app.datasets.models import Version
from app.datasets.pages import STRAY_COLOUR
from app.projects.access import ProjectAccess
from app.web.paging import Pager, page_of


@dataclass(frozen=True)
class TableRow:
    """A version: `parts` are (colour, percent) of its bar, on one scale for all; `counts` are rows by split."""

    name: str
    id: str
    frozen_at: datetime
    parts: Sequence[tuple[int, float]]
    words: str
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
    scale = max((_width(version.manifest) for version in versions), default=1)
    sources = {
        line["source"]: (line["colour"] or STRAY_COLOUR, line["short_title"])
        for version in reversed(versions)
        for line in _shown(version.manifest)
    }
    held = [split for split in SPLITS if any(version.manifest["examples"][split] for version in versions)]
    rows = [_row(version, became[version.id].since, scale, held) for version in versions]
    return TablePage(access.project.slug, list(sources.values()), rows, scale, held, _kinds(rows), pager)


def _kinds(rows: Sequence[TableRow]) -> list[tuple[str, str]]:
    found = {kind for row in rows if row.since for kind, count in row.since.changes.items() if count}
    always = {Kind.ADDED, Kind.REMOVED, Kind.REWORDED}
    return [(kind.value, TITLES[kind]) for kind in SAID if kind in found | always]


def _shown(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The train rows of a composition that hold anything, all of it where none is trained on."""
    held = [row for row in manifest["composition"] if row["count"]]
    return [row for row in held if row["split"] == "train"] or held


def _width(manifest: Mapping[str, Any]) -> int:
    target = sum(int(row["target"]) for row in manifest["composition"] if row["split"] == "train")
    return max(1, target, sum(int(row["count"]) for row in _shown(manifest)))


def _row(version: Version, since: Since | None, scale: int, held: Sequence[str]) -> TableRow:
    manifest = version.manifest
    shown, tokens = _shown(manifest), manifest.get("tokens")
    return TableRow(
        version.name,
        manifest["id"],
        version.frozen_at,
        [(row["colour"] or STRAY_COLOUR, 100 * row["count"] / scale) for row in shown],
        ", ".join(f"{row['short_title']} {row['count']:,}" for row in shown),
        [manifest["examples"][split] for split in held],
        since,
        tokens["total"] if tokens else None,
        sum(tokens["cut"].values()) if tokens else None,
    )
