"""Saved mappings of columns: asked for by name, known again by a file's columns, renamed, removed."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.errors import Conflict, NotFound, Refusal
from app.projects.limits import require_open
from app.projects.models import Project
from app.sources import queries
from app.sources.bulk import inserting
from app.sources.columnpage import first_table
from app.sources.inputs import Input
from app.sources.models import ColumnMapping, ImportRun
from app.sources.readers import tables
from app.sources.readers.columns import Columns, columns_from
from app.text.marks import runs, without_hidden
from app.text.wellformed import require_wellformed

LONGEST = 120
LARGEST = 100_000


class NoSuchMapping(NotFound):
    """There is no saved mapping {name} in this project; there are {names}. Nothing was imported or changed."""


class NameTaken(Conflict):
    """There is a mapping {name} already; nothing was changed."""


class HiddenInName(Refusal):
    """The name holds {mark} ({name}), which nobody can see; nothing was changed. Leave it out."""


class BadMapping(Refusal):
    """The mapping cannot be read: {why}. Nothing was imported; write what each column is, as docs/sources.md shows."""


def known_columns(session: Session, project: Project, source: Input, settings: Mapping[str, Any]) -> dict[str, Any]:
    """How the columns of such a table were mapped last in this project, {} where none was like it."""
    file = first_table(source, settings.get("sheet"))
    saved = None if file is None else queries.column_mapping(session, project.id, tables.signature_of(file))
    return {} if saved is None else dict(saved.columns)


def mapping_named(session: Session, project: Project, name: str) -> ColumnMapping:
    """The saved mapping of that name. Raises NoSuchMapping (404), which lists those that there are."""
    found = session.scalar(queries.mappings_of(project.id).where(ColumnMapping.name == name))
    if found is None:
        names = session.scalars(queries.mappings_of(project.id).limit(20)).all()
        raise NoSuchMapping(name=name[:60], names=", ".join(one.name for one in names) or "none yet")
    return found


def mapping_from_file(path: Path) -> Columns:
    """A mapping that stands in a JSON or TOML file. Raises BadMapping, and BadInput for a part that there is not."""
    try:
        text = path.read_bytes()[: LARGEST + 1].decode()
        if len(text) > LARGEST:
            raise BadMapping(why=f"{path.name} is longer than {LARGEST:,} characters")
        found = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BadMapping(why=f"{path.name} is no {path.suffix.lstrip('.') or 'JSON'} ({error})") from error
    return columns_from(found.get("columns", found) if isinstance(found, dict) else found)


def remember_columns(session: Session, run: ImportRun, signature: str) -> None:
    """Note how the columns of an import were mapped, to be proposed for the next table that has them."""
    # Imports of one project take their names one after the other.
    session.execute(select(Project.id).where(Project.id == run.project_id).with_for_update(key_share=True))
    row = {
        "project_id": run.project_id,
        "signature": signature,
        "name": _free_name(session, run.project_id, run.name),
        "columns": run.options["settings"]["columns"],
    }
    new = inserting(session, ColumnMapping).values(row)
    key = [ColumnMapping.project_id, ColumnMapping.signature]
    session.execute(new.on_conflict_do_update(index_elements=key, set_={"columns": new.excluded.columns}))


def _free_name(session: Session, project_id: int, name: str) -> str:
    taken = {one.name for one in session.scalars(queries.mappings_of(project_id))}
    name = without_hidden(name) or "Mapping"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[: LONGEST - 8]} {number}"
    return free


def rename_mapping(session: Session, actor: User, project: Project, mapping: ColumnMapping, name: str) -> None:
    """Call a saved mapping otherwise. Raises NameTaken (409)."""
    require_open(project)
    name = " ".join(require_wellformed(name, "The name").split())
    if not 0 < len(name) <= LONGEST:
        raise Refusal(f"A mapping's name has 1 to {LONGEST} characters; nothing was changed.")
    if hidden := next((run for run in runs(name) if run.mark), None):
        raise HiddenInName(mark=hidden.mark, name=hidden.name)
    if name != mapping.name and session.scalar(queries.mappings_of(project.id).where(ColumnMapping.name == name)):
        raise NameTaken(name=name)
    before, mapping.name = mapping.name, name
    session.flush()
    write_trail(session, actor, "rename mapping", f"mapping:{name}", project_id=project.id, before=before)


def forget_mapping(session: Session, actor: User, project: Project, mapping: ColumnMapping) -> None:
    """Remove a saved mapping; what was imported by it stays, and a table with these columns is guessed at again."""
    require_open(project)
    session.delete(mapping)
    session.flush()
    write_trail(session, actor, "delete mapping", f"mapping:{mapping.name}", project_id=project.id)
