"""Many rows at once: tuples that go to the driver as they are, where SQLAlchemy would look at every value of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from sqlalchemy import JSON, Column, Dialect, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def write_rows(session: Session, statement: Insert, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of these columns, in this order; what a column of JSON holds comes as the text of it.

    Every column that has a default is to be named: nobody fills it in. Raises ValueError for one that is not.
    """
    if not rows:
        return
    connection = session.connection()
    table: Any = statement.table
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    # A column that says nothing is left out: the driver of SQLite takes half of its time to bind NULLs.
    said = {
        name: column
        for name, column in values.items()
        if column.count(None) < len(rows) or (table.c[name].nullable and _has_default(table.c[name]))
    }
    if unsaid := [column.name for column in table.c if _has_default(column) and column.name not in said]:
        raise ValueError(f"no values for {', '.join(unsaid)}")
    compiled = _compiled(statement, tuple(said), connection.dialect)
    names = compiled.positiontup or list(said)
    bound = [_bound(table.c[name], said[name], connection.dialect) for name in names]
    ready: list[Any] = list(zip(*bound, strict=True))
    if not compiled.positional:
        ready = [dict(zip(names, row, strict=True)) for row in ready]
    connection.exec_driver_sql(str(compiled), ready)


@lru_cache(maxsize=64)
def _compiled(statement: Insert, names: tuple[str, ...], dialect: Dialect) -> Any:
    """The words of a statement that is the same object each time; a batch says the same as the one before."""
    return statement.inline().compile(dialect=dialect, column_keys=list(names))


def _has_default(column: Column[Any]) -> bool:
    return column.default is not None or column.server_default is not None


def _bound(column: Column[Any], values: tuple[Any, ...], dialect: Dialect) -> Iterable[Any]:
    """The values of one column as the driver takes them."""
    if isinstance(column.type, JSON):
        return values
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return values
    # Most columns say the same of every row of a batch.
    same = values.count(values[0]) == len(values)
    return repeat(bind(values[0]), len(values)) if same else map(bind, values)


def insert_ignoring(session: Session, table: type[Any]) -> Insert:
    """An insert that leaves rows alone that are there already, on either database."""
    return inserting(session, table).on_conflict_do_nothing()


def inserting(session: Session, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
    """An insert in the database's own words, which know what to do about rows that are there already."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
