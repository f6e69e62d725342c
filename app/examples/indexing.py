"""The index of the words of examples, each at its newest revision: FTS5 on SQLite, a tsvector on PostgreSQL.

Whatever adds a revision adds its words in the same flush, so an index is never ahead of its examples nor behind them,
and a rollback takes back both. What is deleted is forgotten by a trigger, or by the foreign key.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, event, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from app.examples.models import Example, Revision
from app.text.search import Wanted, entry_of, fts5_entry, fts5_query, tsquery, tsvector_entry

# A table of FTS5 knows its rows by number: that of the example.
KEEP_SQLITE = text("REPLACE INTO example_words (rowid, words) VALUES (:id, :words)")
KEEP_POSTGRESQL = text(
    "INSERT INTO example_words (example_id, words) VALUES (:id, CAST(:words AS tsvector)) "
    "ON CONFLICT (example_id) DO UPDATE SET words = EXCLUDED.words"
)


class _Holds(FunctionElement[bool]):
    """Whether an example is among those that an index finds; each database is asked in its own language."""

    inherit_cache = True
    type = Boolean()


@compiles(_Holds, "sqlite")
def _in_fts5(element: _Holds, compiler: Any, **options: Any) -> str:
    example, fts5, _ = element.clauses
    number, asked = compiler.process(example, **options), compiler.process(fts5, **options)
    return f"{number} IN (SELECT rowid FROM example_words WHERE example_words MATCH {asked})"  # noqa: S608


@compiles(_Holds, "postgresql")
def _in_vectors(element: _Holds, compiler: Any, **options: Any) -> str:
    example, _, vectors = element.clauses
    number, asked = compiler.process(example, **options), compiler.process(vectors, **options)
    return f"{number} IN (SELECT example_id FROM example_words WHERE words @@ CAST({asked} AS tsquery))"  # noqa: S608


def holding(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What an example fulfils that holds all that is wanted and nothing that is not."""
    if not (wanted.all or wanted.none):
        return []
    # One question for both: two would gather every text with a word that is not wanted.
    found = _Holds(Example.id, fts5_query(wanted), tsquery(wanted))
    return [found if wanted.all else ~found]


def keep_words(connection: Connection, revisions: Iterable[tuple[int, Sequence[Any]]]) -> None:
    """Keep the words of these examples, as (number, messages), in place of what was kept of them."""
    sqlite = connection.dialect.name == "sqlite"
    spelt = fts5_entry if sqlite else tsvector_entry
    rows = [
        {"id": number, "words": spelt(entry_of([str(one["content"]) for one in messages]))}
        for number, messages in revisions
    ]
    if rows:
        connection.execute(KEEP_SQLITE if sqlite else KEEP_POSTGRESQL, rows)


@event.listens_for(Session, "after_flush")
def _keep_new_words(session: Session, _context: object) -> None:
    fresh = [one for one in session.new if isinstance(one, Revision)]
    if fresh:
        newest = {one.example_id: one.messages for one in sorted(fresh, key=lambda one: one.number)}
        keep_words(session.connection(), newest.items())
