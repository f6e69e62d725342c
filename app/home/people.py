"""The page of people: who is here, as what, with what open; who is invited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.models import User
from app.db import now
from app.home import queries
from app.projects import queries as projects

# Nobody is missed before that.
LONG_AWAY = timedelta(days=10)


@dataclass(frozen=True)
class PersonRow:
    """A person of the installation; `places` are their projects with their roles there."""

    id: int
    name: str
    email: str
    role: str
    active: bool
    you: bool
    places: Sequence[tuple[str, str]]
    drafts: int
    returned: int
    review: int
    seen_at: datetime | None
    away: bool

    @property
    def work(self) -> str:
        """What they have open, in words."""
        parts = (
            (self.returned, "came back"),
            (self.drafts, "draft" if self.drafts == 1 else "drafts"),
            (self.review, "in review"),
        )
        return ", ".join(f"{count:,} {words}" for count, words in parts if count)


@dataclass(frozen=True)
class InvitedRow:
    """An open invitation; `reset` where it is for a new password."""

    id: int
    reset: bool
    email: str | None
    role: str
    project: str | None
    by: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class PeoplePage:
    """Everybody, open invitations, and the projects that one may invite into."""

    people: Sequence[PersonRow]
    invited: Sequence[InvitedRow]
    projects: Sequence[tuple[str, str]]
    days: float


def people_page(session: Session, you: User, invitation_days: float) -> PeoplePage:
    """The page for an admin: a constant number of queries."""
    people = session.scalars(accounts.people()).all()
    places: dict[int, list[tuple[str, str]]] = {}
    for membership in session.scalars(projects.memberships()):
        places.setdefault(membership.user_id, []).append((membership.project.name, membership.role.value))
    work, seen = queries.open_work(session), accounts.last_seen(session)
    named = session.scalars(projects.projects_of(you)).all()
    return PeoplePage(
        people=tuple(
            _row(user, you, places.get(user.id, []), work.get(user.id, (0, 0, 0)), seen.get(user.id)) for user in people
        ),
        invited=_invited(session, {p.id: p.name for p in named}, {user.id: user.name for user in people}),
        projects=tuple((project.slug, project.name) for project in named if project.archived_at is None),
        days=invitation_days,
    )


def _row(
    user: User, you: User, places: list[tuple[str, str]], work: tuple[int, int, int], seen: datetime | None
) -> PersonRow:
    drafts, returned, review = work
    away = user.active and now() - (seen or user.created_at) > LONG_AWAY
    return PersonRow(
        user.id,
        user.name,
        user.email,
        user.role.value,
        user.active,
        user.id == you.id,
        tuple(places),
        drafts,
        returned,
        review,
        seen,
        away,
    )


def _invited(session: Session, projects: dict[int, str], people: dict[int, str]) -> tuple[InvitedRow, ...]:
    return tuple(
        InvitedRow(
            row.id,
            row.user_id is not None,
            row.email,
            row.role.value,
            projects.get(row.project_id) if row.project_id is not None else None,
            people.get(row.invited_by) if row.invited_by is not None else None,
            row.created_at,
            row.expires_at,
        )
        for row in session.scalars(accounts.open_invitations(now()))
        if not row.is_setup
    )
