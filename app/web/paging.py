"""Pages of a list: clamped, counted, linked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

PAGE_SIZE = 50

PageNumber = Annotated[int, Field(ge=1, le=10_000_000, description="Page of the list, from 1.")]


@dataclass(frozen=True)
class Pager:
    """Where in a list of `total` this page of `size` stands; page numbers beyond the end show the last page."""

    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Number of the first row shown, from 1; 0 for an empty list."""
        return (self.number - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return min(self.number * self.size, self.total)

    @property
    def previous(self) -> int | None:
        """The page before, if any."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The page after, if any."""
        return self.number + 1 if self.number < self.pages else None


def page_of(
    session: Session, statement: Select[Any], number: int, size: int = PAGE_SIZE, *, total: int | None = None
) -> tuple[Sequence[Any], Pager]:
    """One page of an ordered ORM statement's entities, and its pager: two queries, or one where the total is known."""
    if total is None:
        total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    pager = Pager(min(number, max(1, -(-total // size))), total, size)
    rows = session.scalars(statement.limit(size).offset((pager.number - 1) * size)).all()
    return rows, pager
