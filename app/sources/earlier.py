"""Whether this very file was imported before in the project: told before it is imported a second time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.sources import queries
from app.sources.excerpts import visible
from app.sources.formats import needs_site
from app.sources.models import ImportRun, Into
from app.sources.opening import content_of, size_of, stamp_of


@dataclass(frozen=True)
class EarlierPart:
    """The first import of the same bytes, how many others there are, and what tells its records from others.

    `set_then` is the set in which their own ids are unique, where this file would be another one as it is called now.
    """

    draft_id: int
    import_id: int | None = None
    name: str = ""
    at: datetime | None = None
    records: int = 0
    created: int = 0
    into_set: bool = False
    others: int = 0
    set_then: str = ""


def earlier_part(session: Session, run: ImportRun) -> EarlierPart:
    """What the set-up of a draft says of earlier imports; a file is read for it only where one had as many bytes."""
    found = _same_files(session, run)
    if not found:
        return EarlierPart(run.id)
    before = session.get_one(ImportRun, found[0])
    return EarlierPart(
        run.id,
        before.id,
        visible(before.name),
        before.finished_at,
        before.result.get("records", 0),
        before.result.get("created", 0),
        before.into is Into.SET,
        len(found) - 1,
        _set_then(run, before),
    )


def _same_files(session: Session, run: ImportRun) -> list[int]:
    """The published imports of the same bytes, the first one first."""
    path = Path(run.path)
    if not path.exists():
        return []
    size = size_of(path)
    rows = session.execute(queries.files_imported(run.project_id)).all()
    alike = [row for row in rows if _size_of(Path(row.path), row.options) == size]
    return [row.id for row in alike if _content_of(Path(row.path), row.options) == _content(path)] if alike else []


def _size_of(path: Path, options: Mapping[str, Any]) -> int | None:
    """How many bytes an import read: as noted, or, of an older one whose file is as it was, by the file."""
    if "size" in options:
        return int(options["size"])
    return size_of(path) if path.exists() else None


def _content_of(path: Path, options: Mapping[str, Any]) -> str | None:
    if "content" in options:
        return str(options["content"])
    return _content(path) if options.get("stamp") == stamp_of(path) else None


def _content(path: Path) -> str:
    return _remembered(path, stamp_of(path))


@lru_cache(maxsize=64)
def _remembered(path: Path, _stamp: str) -> str:
    return content_of(path)


def _set_then(run: ImportRun, before: ImportRun) -> str:
    if needs_site(before.format):
        return ""
    then = before.site or before.options.get("file", "")
    return visible(then) if then != run.options.get("file", "") else ""
