"""One's own account: name, password, tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.checks import SHORTEST_PASSWORD
from app.accounts.models import Scope, User
from app.db import now
from app.projects import queries as projects


@dataclass(frozen=True)
class TokenRow:
    """A token without its secret; `ended` is why it does not work any more, in words."""

    id: int
    name: str
    scope: str
    project: str | None
    created_at: datetime
    expires_at: datetime | None
    ended: str


@dataclass(frozen=True)
class AccountPage:
    """What one may change about oneself."""

    name: str
    email: str
    role: str
    least_password: int
    tokens: Sequence[TokenRow]
    projects: Sequence[tuple[str, str]]
    scopes: Sequence[str]
    letter: bool


def account_page(session: Session, user: User) -> AccountPage:
    """The page of the acting person."""
    named = session.scalars(projects.projects_of(user)).all()
    names = {project.id: project.name for project in named}
    return AccountPage(
        name=user.name,
        email=user.email,
        role=user.role.value,
        least_password=SHORTEST_PASSWORD,
        tokens=tuple(
            TokenRow(
                row.id,
                row.name,
                row.scope.value,
                names.get(row.project_id, "another project") if row.project_id is not None else None,
                row.created_at,
                row.expires_at,
                _ended(row.revoked_at, row.expires_at),
            )
            for row in session.scalars(accounts.tokens_of(user))
        ),
        projects=tuple((project.slug, project.name) for project in named),
        scopes=tuple(scope.value for scope in Scope),
        letter=user.daily_letter,
    )


def _ended(revoked_at: datetime | None, expires_at: datetime | None) -> str:
    if revoked_at:
        return "revoked"
    return "run out" if expires_at and expires_at <= now() else ""
