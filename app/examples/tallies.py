"""How many examples stand where, from a tally that the database keeps as they change, not by counting all of them.

Triggers add to it in the transaction that changes the examples. On SQLite each kind of example has one row; on
PostgreSQL a change is a row of its own, so that two people never wait for each other's counts, and `settle` adds the
rows up. Test prompts that are kept out of somebody's sight are counted for that person one by one.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, or_, select, table, text
from sqlalchemy.orm import Session

from app.examples.models import Example, ExampleState
from app.examples.sight import is_kept
from app.projects.models import Split
from app.sources.models import ImportRun, ImportState

KIND = ("source", "split", "state", "language", "licence")
TALLY = table("example_tally", column("project_id"), column("import_run_id"), column("examples"), *map(column, KIND))
SETTLE = text(
    "WITH gone AS (DELETE FROM example_tally RETURNING *) INSERT INTO example_tally "
    "(project_id, import_run_id, source, split, state, language, licence, examples) "
    "SELECT project_id, import_run_id, source, split, state, language, licence, sum(examples) FROM gone "
    "GROUP BY project_id, import_run_id, source, split, state, language, licence HAVING sum(examples) <> 0"
)


@dataclass(frozen=True)
class FacetCount:
    """How many examples are alike in all that a list is filtered by; without a licence it is empty."""

    source: str
    split: Split
    state: ExampleState
    language: str
    licence: str
    count: int


def facet_counts(session: Session, project_id: int) -> list[FacetCount]:
    """The project's examples by all that a list is filtered by but people and words."""
    published = select(ImportRun.id).where(ImportRun.state == ImportState.PUBLISHED)
    arrived = or_(TALLY.c.import_run_id == 0, TALLY.c.import_run_id.in_(published))
    kind = [TALLY.c[name] for name in KIND]
    tallied = select(*kind, func.sum(TALLY.c.examples)).where(TALLY.c.project_id == project_id, arrived)
    if is_kept(session):
        tallied = tallied.where(TALLY.c.split != Split.TEST.value)
    found = _read(session, tallied.group_by(*kind))
    return [*found, *_read(session, _visible_tests(project_id))] if is_kept(session) else found


def has_arrived() -> ColumnElement[bool]:
    """Examples that may be seen: those of an import appear all at once, when it is published."""
    # Not by OR, for which SQLite would gather all examples of all imports before it looks at anything else.
    unpublished = select(ImportRun.id).where(ImportRun.state != ImportState.PUBLISHED)
    return func.coalesce(Example.import_run_id, 0).not_in(unpublished)


def _visible_tests(project_id: int) -> Select[*tuple[Any, ...]]:
    kind = (Example.source, Example.split, Example.state, Example.language, func.coalesce(Example.licence, ""))
    tests = (Example.project_id == project_id, Example.split == Split.TEST, has_arrived())
    return select(*kind, func.count()).where(*tests).group_by(*kind)


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> list[FacetCount]:
    return [
        FacetCount(source, Split(split), ExampleState(state), language, licence, int(count))
        for source, split, state, language, licence, count in session.execute(query)
        if count
    ]


def settle(session: Session) -> None:
    """Add up what changed, so that reading the tally stays as cheap as it is. PostgreSQL only."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(SETTLE)
