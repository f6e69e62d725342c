"""The page of saved mappings: what each column is, and which import used it last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.projects.access import ProjectAccess
from app.sources import queries
from app.sources.excerpts import visible
from app.sources.models import ColumnMapping, ImportRun
from app.sources.readers.columns import ROLES


@dataclass(frozen=True)
class MappingRow:
    """A saved mapping: each part with its columns, and the last import that used it, if there is one yet."""

    id: str
    name: str
    shown: str
    parts: Sequence[tuple[str, str]]
    import_id: int | None
    import_name: str
    at: datetime | None
    typed: str | None
    error: str | None


@dataclass(frozen=True)
class MappingsPage:
    """All saved mappings of a project, by name."""

    rows: Sequence[MappingRow]
    may_edit: bool


@dataclass(frozen=True)
class Renaming:
    """A new name that did not fit: of which mapping, as it was typed, and why."""

    name: str
    typed: str
    error: str


def mappings_page(session: Session, access: ProjectAccess, refused: Renaming | None = None) -> MappingsPage:
    """The list, with a refused new name beside its mapping."""
    project = access.project
    used = {_key(run.options): run for run in session.scalars(queries.tables_imported(project.id))}
    rows = [_row(one, used.get(_key({"settings": {"columns": one.columns}})), refused)
            for one in session.scalars(queries.mappings_of(project.id))]  # fmt: skip
    return MappingsPage(tuple(rows), may_edit=project.archived_at is None)


def _key(options: Mapping[str, object]) -> str:
    settings = options.get("settings")
    columns = settings.get("columns") if isinstance(settings, dict) else None
    return repr(sorted(columns.items())) if isinstance(columns, dict) else ""


def _row(mapping: ColumnMapping, run: ImportRun | None, refused: Renaming | None) -> MappingRow:
    this = refused if refused is not None and refused.name == mapping.name else None
    columns = {part: [paths] if isinstance(paths, str) else paths for part, paths in mapping.columns.items()}
    return MappingRow(
        id=f"mapping-{mapping.signature[:12]}",
        name=mapping.name,
        shown=visible(mapping.name),
        parts=tuple((ROLES[part], ", ".join(map(visible, columns[part]))) for part in ROLES if columns.get(part)),
        import_id=run.id if run else None,
        import_name=visible(run.name) if run else "",
        at=run.created_at if run else None,
        typed=this.typed if this else None,
        error=this.error if this else None,
    )
