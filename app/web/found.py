"""The one row, or 404."""

from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.errors import NotFound

Row = TypeVar("Row")


def found(session: Session, statement: Select[Row]) -> Row:
    """The row that the statement names; where there is none, the same answer as for a stranger."""
    row = session.scalar(statement)
    if row is None:
        raise NotFound
    return row
