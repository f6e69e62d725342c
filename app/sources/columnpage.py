"""The mapping of a table's columns on the page of an import: what was typed, saved, or guessed, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.errors import Refusal
from app.sources import queries
from app.sources.excerpts import visible
from app.sources.forms import MAP, SET
from app.sources.inputs import Input
from app.sources.models import ImportRun
from app.sources.readers import tables
from app.sources.readers.columns import ROLES, Column, Columns, columns_from, columns_in, guess
from app.sources.readers.files import Sniffed
from app.sources.readers.rows import on_sheet

# The button that takes a saved mapping by its name.
SAVED = "saved_mapping"
OPTIONS = (("", "not used"), *ROLES.items())


class TwoColumns(Refusal):
    """{first} is the {role} already, and only the prompt may have several columns."""

    def __init__(self, role: str, first: str, second: str) -> None:
        """Name the part and both columns."""
        super().__init__(role=ROLES[role].lower(), first=visible(first))
        self.second = second


@dataclass(frozen=True)
class ColumnRow:
    """One column: the select that says what it is, with what the first row that has any holds there."""

    name: str
    id: str
    path: str
    sample: str
    role: str
    error: str | None


@dataclass(frozen=True)
class ColumnsPart:
    """The columns of the table that is set up; `origin` is typed, saved (for an earlier file), named, or guessed.

    `saved` are the names of mappings that fit these columns and say otherwise.
    """

    rows: Sequence[ColumnRow]
    options: Sequence[tuple[str, str]]
    used: int
    origin: str
    error: str | None
    saved: Sequence[str]

    @property
    def refused(self) -> bool:
        """Whether something is wrong with the mapping."""
        return bool(self.error) or any(row.error for row in self.rows)


@dataclass(frozen=True)
class Mapped:
    """What the page knows of a table: its columns, the form with a mapping in it, where that comes from."""

    columns: Sequence[Column]
    typed: Mapping[str, str]
    origin: str
    saved: Sequence[str] = ()

    @property
    def refusal(self) -> Refusal | None:
        """What is wrong with the mapping as it stands in the form."""
        try:
            columns_typed(self.typed)
        except Refusal as refusal:
            return refusal
        return None


def mapped(session: Session, run: ImportRun, typed: Mapping[str, str], source: Input) -> Mapped | None:
    """The form with a mapping: a saved one asked for, what was typed, that of an earlier file, or a guess.

    None where the input holds no table.
    """
    file = first_table(source, typed.get(f"{SET}sheet"))
    if file is None:
        return None
    columns = columns_in(tables.first_rows(file))
    fitting = _fitting(session, run.project_id, columns)
    rest = {key: value for key, value in typed.items() if not key.startswith(MAP) and key != SAVED}
    asked = fitting.get(typed.get(SAVED, ""))
    if asked is not None:
        found, origin = {**rest, **fields_of(asked)}, "named"
    elif any(key.startswith(MAP) for key in typed):
        found, origin = {key: value for key, value in typed.items() if key != SAVED}, "typed"
    else:
        saved = queries.column_mapping(session, run.project_id, tables.signature_of(file))
        proposed = saved.columns if saved is not None else guess(columns)
        found, origin = {**rest, **fields_of(proposed)}, "saved" if saved is not None else "guessed"
    chosen = {key: value for key, value in found.items() if key.startswith(MAP) and value}
    others = tuple(name for name, mapping in fitting.items() if fields_of(mapping) != chosen)
    return Mapped(columns, found, origin, others)


def _fitting(session: Session, project_id: int, columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """The saved mappings whose columns are all there, by name."""
    here = {f"{MAP}{column.path}" for column in columns}
    rows = session.scalars(queries.mappings_of(project_id))
    return {row.name: dict(row.columns) for row in rows if fields_of(row.columns).keys() <= here}


def first_table(source: Input, sheet: str | None) -> Sniffed | None:
    """The first table of an input that has a row, which tells its columns."""
    files = on_sheet(source.files, {"sheet": sheet})
    there = [one for one in files if one.kind in tables.KINDS] or tables.lists_in(files)
    return next((one for one in there if tables.first_rows(one)), None)


def sheets_of(source: Input) -> tuple[str, ...]:
    """The visible sheets of a spreadsheet, where there is a choice."""
    if len(source.files) != 1 or source.files[0].kind != "xlsx":
        return ()
    from app.sources.readers.spreadsheet import sheets  # as in containers: a large library, for those who need it

    names = tuple(name for name, shown in sheets(source.files[0].path) if shown)
    return names if len(names) > 1 else ()


def fields_of(mapping: Mapping[str, Any]) -> dict[str, str]:
    """A mapping as the fields of the form: a path each, with what it is."""
    fields: dict[str, str] = {}
    for role, paths in mapping.items():
        for path in [paths] if isinstance(paths, str) else paths:
            fields[f"{MAP}{path}"] = role
    return fields


def columns_typed(typed: Mapping[str, str]) -> Columns:
    """The mapping as the form has it. Raises TwoColumns, and BadInput where no column is the prompt."""
    chosen: dict[str, Any] = {"prompt": []}
    for key, role in typed.items():
        if not key.startswith(MAP) or not role:
            continue
        path = key.removeprefix(MAP)
        if role == "prompt":
            chosen["prompt"].append(path)
        elif role in chosen and role in ROLES:
            raise TwoColumns(role, chosen[role], path)
        else:
            chosen[role] = path
    return columns_from(chosen)


def columns_part(found: Mapped) -> ColumnsPart:
    """The part of the page, with what is wrong beside the column that it is about."""
    refusal = found.refusal
    second = refusal.second if isinstance(refusal, TwoColumns) else None
    rows = [
        ColumnRow(
            name=f"{MAP}{column.path}",
            id=f"column-{number}",
            path=visible(column.path),
            sample=visible(column.sample),
            role=found.typed.get(f"{MAP}{column.path}", ""),
            error=refusal.message if refusal is not None and column.path == second else None,
        )
        for number, column in enumerate(found.columns, start=1)
    ]
    error = getattr(refusal, "reason", refusal.message) if refusal is not None and second is None else None
    return ColumnsPart(rows, OPTIONS, sum(bool(row.role) for row in rows), found.origin, error, found.saved)
