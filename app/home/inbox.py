"""One person's inbox: what came back, where they are named, what was handed to them, what they hold, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.db import now
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import UNFINISHED
from app.projects.models import Project
from app.reviews import queries as reviews
from app.reviews.queries import Number

SHOWN = 50
SOON = timedelta(minutes=10)
"""A claim that ends within so long is shown as ending."""


@dataclass(frozen=True)
class InboxItem:
    """Something that concerns one person: why it is here, what somebody said, until when."""

    kind: str
    example_id: int
    title: str
    words: str = ""
    who: str = ""
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Inbox:
    """Everything that waits for one person in one project, each kind the newest first."""

    returned: Sequence[InboxItem] = ()
    mentioned: Sequence[InboxItem] = ()
    handed: Sequence[InboxItem] = ()
    claimed: Sequence[InboxItem] = ()
    expiring: Sequence[InboxItem] = ()
    waiting: int = 0
    """How many things wait for an answer, shown or not; what one holds oneself does not."""

    @property
    def unshown(self) -> int:
        """How many of those that wait are beyond what is shown of each kind."""
        return max(0, self.waiting - len(self.returned) - len(self.mentioned) - len(self.handed))

    @property
    def items(self) -> list[InboxItem]:
        """All of it in the order in which it should be answered."""
        return [*self.returned, *self.mentioned, *self.handed, *self.expiring, *self.claimed]


def inbox_of(session: Session, user: User, project: Project) -> Inbox:
    """A constant number of queries."""
    held, soon = _held(session, user, project), now() + SOON
    return Inbox(
        returned=_returned(session, user, project),
        mentioned=_mentioned(session, user, project),
        handed=_handed(session, user, project),
        claimed=tuple(item for item in held if item.until and item.until > soon),
        expiring=tuple(replace(item, kind="expiring") for item in held if item.until and item.until <= soon),
        waiting=session.scalar(select(waiting_in_inbox(project.id, user.id))) or 0,
    )


def is_head() -> ColumnElement[bool]:
    """A revision that is the newest of its example."""
    return and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)


def came_back_to(user_id: Number) -> ColumnElement[bool]:
    """Returned examples that this person wrote; what an import brought is with whoever brought it."""
    wrote = or_(Revision.author_id == user_id, and_(Revision.author_id.is_(None), Example.created_by == user_id))
    return and_(Example.state == ExampleState.RETURNED, wrote)


def _rows(project: Project) -> Select[int, str]:
    return select(Example.id, Revision.title).join(Revision, is_head()).where(Example.project_id == project.id)


def _returned(session: Session, user: User, project: Project) -> tuple[InboxItem, ...]:
    more = (Example.verdict_words, User.name, Example.verdict_at, Example.changed_at)
    query = _rows(project).add_columns(*more).outerjoin(User, User.id == Example.verdict_by)
    query = query.where(came_back_to(user.id)).order_by(Example.changed_at.desc(), Example.id.desc()).limit(SHOWN)
    return tuple(
        InboxItem("returned", number, title, words, who or "", at or changed)
        for number, title, words, who, at, changed in session.execute(query)
    )


def _handed(session: Session, user: User, project: Project) -> tuple[InboxItem, ...]:
    more = (Example.handed_words, User.name, Example.handed_at)
    query = _rows(project).add_columns(*more).outerjoin(User, User.id == Example.handed_by)
    query = query.where(Example.handed_to == user.id, Example.state.in_(UNFINISHED))
    rows = session.execute(query.order_by(Example.handed_at.desc(), Example.id.desc()).limit(SHOWN))
    return tuple(InboxItem("handed", number, title, words, who or "", at) for number, title, words, who, at in rows)


def _held(session: Session, user: User, project: Project) -> tuple[InboxItem, ...]:
    query = _rows(project).add_columns(Example.claimed_until)
    query = query.where(Example.claimed_by == user.id, Example.claimed_until > now())
    rows = session.execute(query.order_by(Example.claimed_until, Example.id).limit(SHOWN))
    return tuple(InboxItem("claimed", number, title, until=until) for number, title, until in rows)


def _mentioned(session: Session, user: User, project: Project) -> tuple[InboxItem, ...]:
    said = session.scalars(reviews.mentions_of(user.id, project.id).limit(SHOWN)).all()
    titles = _titles(session, project, [one.example_id for one in said])
    return tuple(
        InboxItem(
            "mentioned",
            one.example_id,
            titles.get(one.example_id, ""),
            one.words,
            one.author.name if one.author else "",
            one.created_at,
        )
        for one in said
    )


def _titles(session: Session, project: Project, ids: Sequence[int]) -> Mapping[int, str]:
    rows = session.execute(_rows(project).where(Example.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def waiting_in_inbox(project_id: Number, user_id: Number) -> ColumnElement[int]:
    """How many things wait for this person's answer, as a part of a larger query."""
    here = Example.project_id == project_id
    back = select(func.count(Example.id)).join(Revision, is_head()).where(here, came_back_to(user_id))
    handed = select(func.count(Example.id)).where(here, Example.handed_to == user_id, Example.state.in_(UNFINISHED))
    named = select(func.count()).select_from(reviews.mentions_of(user_id, project_id).order_by(None).subquery())
    return back.scalar_subquery() + handed.scalar_subquery() + named.scalar_subquery()
