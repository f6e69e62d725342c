"""Test prompts that a project keeps out of sight: who may not read which, and a session that shows none of them.

A person sees a hidden test prompt if they lead the project, if a lead lets them read tests, or if they wrote it. For
everybody else `app.projects.limits` notes the person in the session, and every statement of that session leaves out
the hidden examples with all that hangs on them: their revisions, comments, reviews, claims. So a list, a count, a
search or a `get` that somebody adds tomorrow shows none of them either (docs/decisions/0009). What reads by tables
instead of mapped classes, or from files, is not covered and has to ask `is_kept` itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    TextClause,
    and_,
    bindparam,
    event,
    exists,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, with_loader_criteria

from app.accounts.models import Role, User
from app.db import Base
from app.errors import Denied
from app.examples.models import Example, Revision
from app.projects.limits import KEPT_FROM_TESTS
from app.projects.models import Membership, Project, Split
from app.sources.models import Candidate, ImportRun

# Tables and not classes: the limit below must not be laid upon itself.
EXAMPLE, REVISION, PROJECT, MEMBERSHIP, RUN, CANDIDATE = (
    mapped.__table__ for mapped in (Example, Revision, Project, Membership, ImportRun, Candidate)
)
assert isinstance(EXAMPLE, Table)
# In the words of the index that holds the tests alone.
IS_TEST = EXAMPLE.c.split == literal_column(f"'{Split.TEST}'")

Limit = Callable[[int], ColumnElement[bool]]


class OutOfSight(Denied):
    """This holds test prompts, which are kept out of sight: you cannot see it, nor can anybody else but leads.

    Members whom a lead lets read test prompts can as well; ask a lead of the project.
    """


def hidden_from(person: int | BindParameter[int]) -> Select[int]:
    """The numbers of the test prompts that this person may not read, in all projects."""
    wrote = exists().where(REVISION.c.example_id == EXAMPLE.c.id, REVISION.c.author_id == person)
    kept = EXAMPLE.c.project_id.in_(hiding_projects(person))
    not_mine = or_(EXAMPLE.c.created_by.is_(None), EXAMPLE.c.created_by != person)
    return select(EXAMPLE.c.id).where(IS_TEST, kept, not_mine, ~wrote)


def hiding_projects(person: int | BindParameter[int]) -> Select[int]:
    """The numbers of the projects that keep their test prompts from this person."""
    may_read = or_(MEMBERSHIP.c.role == literal_column(f"'{Role.ADMIN}'"), MEMBERSHIP.c.reads_tests)
    mine = and_(MEMBERSHIP.c.project_id == PROJECT.c.id, MEMBERSHIP.c.user_id == person)
    return select(PROJECT.c.id).where(PROJECT.c.tests_hidden, ~exists().where(mine, may_read))


def hidden_candidates(person: int) -> Select[str, str]:
    """(site, external id) of the candidates for the test split that this person may not read, in all projects."""
    brought = select(RUN.c.id).where(RUN.c.created_by == person)
    kept = (CANDIDATE.c.split == Split.TEST, CANDIDATE.c.project_id.in_(hiding_projects(person)))
    return select(CANDIDATE.c.site, CANDIDATE.c.external_id).where(*kept, CANDIDATE.c.import_run_id.not_in(brought))


def visible_to(person: User) -> ColumnElement[bool]:
    """Whether that person may read the example, for statements of a session that is nobody's in particular."""
    return true() if person.role is Role.ADMIN else Example.id.not_in(hidden_from(person.id))


def reads(session: Session, person: User, example: Example) -> bool:
    """Whether a member may read this example."""
    kept = hidden_from(person.id).where(EXAMPLE.c.id == example.id)
    return person.role is Role.ADMIN or session.scalar(kept) is None


def _candidates(person: int) -> ColumnElement[bool]:
    """Candidates for the test split say what its prompts will say; whoever imported them knows them already."""
    brought = select(RUN.c.id).where(RUN.c.created_by == person)
    other = Candidate.project_id.not_in(_as_text(hiding_projects(bindparam("kept_from")), person))
    return or_(Candidate.split != Split.TEST, other, Candidate.import_run_id.in_(brought))


_LIMITS: dict[type[Base], Limit] = {Candidate: _candidates}


def limits(mapped: type[Base], limit: Limit) -> None:
    """A room above says which rows of its own a person may read who is kept from the tests."""
    _LIMITS[mapped] = limit
    _options.cache_clear()


def _as_text(wanted: Select[int], person: int) -> TextClause:
    """The statement as one text: SQLAlchemy reads all criteria anew with every statement, and a text is read fast."""
    return text(f"({wanted})").bindparams(kept_from=person)


def _hangs_on_examples(mapped: type[Base]) -> Iterator[Any]:
    for column in mapped.__table__.columns:
        if any(key.column is EXAMPLE.c.id for key in column.foreign_keys):
            yield getattr(mapped, mapped.__mapper__.get_property_by_column(column).key)


def _criteria(person: int) -> Iterator[tuple[type[Base], ColumnElement[bool]]]:
    hidden = _as_text(hidden_from(bindparam("kept_from")), person)
    yield Example, Example.id.not_in(hidden)
    for mapper in Base.registry.mappers:
        for column in _hangs_on_examples(mapper.class_):
            yield mapper.class_, or_(column.is_(None), column.not_in(hidden))
    for mapped, limit in _LIMITS.items():
        yield mapped, limit(person)


@event.listens_for(Session, "do_orm_execute")
def _leave_out(state: ORMExecuteState) -> None:
    person = state.session.info.get(KEPT_FROM_TESTS)
    if person is None or not state.is_orm_statement or state.is_insert or state.is_column_load:
        return
    state.statement = state.statement.options(*_options(person))


@lru_cache(maxsize=256)
def _options(person: int) -> tuple[LoaderCriteriaOption, ...]:
    # Made once all rooms are there: the first statement comes after the application.
    return tuple(with_loader_criteria(mapped, limit, include_aliases=True) for mapped, limit in _criteria(person))


def kept_person(session: Session) -> int | None:
    """Whom this session leaves hidden test prompts out for, by number; None where it leaves out none."""
    person: int | None = session.info.get(KEPT_FROM_TESTS)
    return person


def is_kept(session: Session) -> bool:
    """Whether this session leaves hidden test prompts out."""
    return KEPT_FROM_TESTS in session.info


def require_sight(session: Session) -> None:
    """Raise OutOfSight where a whole that holds test prompts is asked for by somebody who is kept from them."""
    if is_kept(session):
        raise OutOfSight


@contextmanager
def everything(session: Session) -> Iterator[None]:
    """All rows for a while: to count them, or to tell that there is one, never to show their words."""
    person = session.info.pop(KEPT_FROM_TESTS, None)
    try:
        yield
    finally:
        if person is not None:
            session.info[KEPT_FROM_TESTS] = person


@contextmanager
def as_seen_by(session: Session, person: User) -> Iterator[None]:
    """Only what that person may read, in a session that is nobody's: a letter, a page about another project."""
    before = session.info.get(KEPT_FROM_TESTS)
    if person.role is not Role.ADMIN:
        session.info[KEPT_FROM_TESTS] = person.id
    try:
        yield
    finally:
        session.info.pop(KEPT_FROM_TESTS, None)
        if before is not None:
            session.info[KEPT_FROM_TESTS] = before
