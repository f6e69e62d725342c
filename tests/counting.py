"""How many statements a stretch of code sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event

from app.db import Database


@dataclass
class Tally:
    """The number of statements so far."""

    count: int = 0


@contextmanager
def count_queries(database: Database) -> Iterator[Tally]:
    """Count every statement of this database, whoever sends it."""
    tally = Tally()

    def counted(*_: object) -> None:
        tally.count += 1

    event.listen(database.engine, "before_cursor_execute", counted)
    try:
        yield tally
    finally:
        event.remove(database.engine, "before_cursor_execute", counted)
