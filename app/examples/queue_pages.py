"""The queue as people see it: who writes on what, what was handed over, what was skipped and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from app.accounts.models import Role, User
from app.db import now
from app.examples import claims, queries
from app.examples.labels import shown_title
from app.examples.models import Example, Revision, Skip, SkipReason
from app.projects import queries as projects
from app.projects.access import ProjectAccess

SHOWN = 100
REASONS = tuple(reason.value for reason in SkipReason if reason is not SkipReason.PASSED)


@dataclass(frozen=True)
class HeldRow:
    """Somebody writes on an example until then."""

    example_id: int
    title: str
    name: str
    until: datetime
    mine: bool


@dataclass(frozen=True)
class HandedRow:
    """Somebody handed an example to somebody."""

    example_id: int
    title: str
    by: str
    to: str
    at: datetime | None
    words: str
    may_undo: bool


@dataclass(frozen=True)
class SkippedRow:
    """Somebody skipped an example."""

    example_id: int
    title: str
    name: str
    reason: str
    words: str
    at: datetime


@dataclass(frozen=True)
class QueuePage:
    """Everything that moves in the queue, the first hundred of each; what was skipped is for leads."""

    slug: str
    held: Sequence[HeldRow]
    writing: int
    """How many are being written, shown or not."""
    handed: Sequence[HandedRow]
    skipped: Sequence[SkippedRow]
    shown: int
    """How many rows of each are shown at most."""
    overlap: int
    lead: bool
    open: bool


@dataclass(frozen=True)
class ClaimPanel:
    """Who writes on one example, and what this person may do about it."""

    holder: str
    until: datetime | None
    mine: bool
    handed_to: str
    handed_by: str
    handed_words: str
    handed_to_me: bool
    may_take_back: bool
    beside_id: int | None
    answers: int
    skipped: Sequence[SkippedRow]
    skipped_by_me: bool
    unfinished: bool
    reasons: Sequence[str]
    colleagues: Sequence[tuple[int, str]]


def queue_page(session: Session, access: ProjectAccess) -> QueuePage:
    """A constant number of queries."""
    lead = access.role is Role.ADMIN
    held, writing = _held(session, access)
    return QueuePage(
        slug=access.project.slug,
        held=held,
        writing=writing,
        handed=_handed(session, access, lead=lead),
        skipped=_skipped(session, access.project.id) if lead else (),
        shown=SHOWN,
        overlap=access.project.overlap,
        lead=lead,
        open=access.project.archived_at is None,
    )


def _held(session: Session, access: ProjectAccess) -> tuple[list[HeldRow], int]:
    alive = (Example.project_id == access.project.id, Example.claimed_until > now())
    columns = (Example.id, Revision.title, User.id, User.name, Example.claimed_until, func.count().over())
    query = select(*columns).join(User, User.id == Example.claimed_by).join(Revision, _is_head()).where(*alive)
    rows = session.execute(query.order_by(Example.claimed_until, Example.id).limit(SHOWN)).all()
    held = [HeldRow(row[0], shown_title(row[1]), row[3], row[4], row[2] == access.user.id) for row in rows if row[4]]
    return held, rows[0][5] if rows else 0


def _handed(session: Session, access: ProjectAccess, *, lead: bool) -> list[HandedRow]:
    giver, taker = aliased(User), aliased(User)
    columns = (Example.id, Revision.title, giver.name, taker.name, Example.handed_at, Example.handed_words, giver.id)
    query = select(*columns).join(Revision, _is_head()).join(taker, taker.id == Example.handed_to)
    query = query.join(giver, giver.id == Example.handed_by).where(Example.project_id == access.project.id)
    query = query.where(Example.handed_at.is_not(None))
    if not lead:
        query = query.where((Example.handed_by == access.user.id) | (Example.handed_to == access.user.id))
    rows = session.execute(query.order_by(Example.handed_at.desc()).limit(SHOWN))
    return [
        HandedRow(row[0], shown_title(row[1]), row[2], row[3], row[4], row[5], lead or row[6] == access.user.id)
        for row in rows
    ]


def _is_head() -> ColumnElement[bool]:
    return and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)


def _skipped(session: Session, project_id: int, example_id: int | None = None) -> list[SkippedRow]:
    columns = (Example.id, Revision.title, User.name, Skip.reason, Skip.words, Skip.created_at)
    query = select(*columns).join(Skip, Skip.example_id == Example.id).join(User, User.id == Skip.user_id)
    wanted = (Example.project_id == project_id, Example.state.in_(queries.UNFINISHED))
    query = query.join(Revision, _is_head()).where(*wanted, Skip.reason != SkipReason.PASSED)
    if example_id is not None:
        query = query.where(Example.id == example_id)
    rows = session.execute(query.order_by(Skip.created_at.desc(), Example.id).limit(SHOWN))
    return [SkippedRow(row[0], shown_title(row[1]), row[2], row[3].value, row[4], row[5]) for row in rows]


def claim_panel(session: Session, access: ProjectAccess, example: Example) -> ClaimPanel:
    """What the desk says of it: a constant number of queries."""
    people = {row.user_id: row.user.name for row in session.scalars(projects.members_of(access.project))}
    skipped = _skipped(session, access.project.id, example.id)
    alive = example.claimed_until is not None and example.claimed_until > now()
    own = session.get(Skip, (example.id, access.user.id))
    return ClaimPanel(
        holder=_name(session, people, example.claimed_by) if alive else "",
        until=example.claimed_until if alive else None,
        mine=alive and not claims.is_held_by_another(access.user, example),
        handed_to=_name(session, people, example.handed_to),
        handed_by=_name(session, people, example.handed_by),
        handed_words=example.handed_words,
        handed_to_me=example.handed_to == access.user.id,
        may_take_back=example.handed_by == access.user.id or access.role is Role.ADMIN,
        beside_id=example.beside_id,
        answers=example.answers,
        skipped=skipped if access.role is Role.ADMIN else (),
        skipped_by_me=own is not None and own.reason is not SkipReason.PASSED,
        unfinished=example.state in queries.UNFINISHED and access.project.archived_at is None,
        reasons=REASONS,
        colleagues=tuple((number, name) for number, name in people.items() if number != access.user.id),
    )


def _name(session: Session, people: dict[int, str], number: int | None) -> str:
    """A member's name, or of somebody who is none any more."""
    if number is None:
        return ""
    user = None if number in people else session.get(User, number)
    return people.get(number) or (user.name if user else "Somebody")
