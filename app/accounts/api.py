"""/api/v1: oneself, people, one's own tokens."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from app.accounts import operations, queries
from app.accounts.access import Access, Admin, Person
from app.accounts.forms import PersonChange
from app.accounts.models import Role, Scope, User
from app.web.found import found
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["people"], responses=REFUSALS)


class PersonOut(BaseModel):
    """A person."""

    id: int
    email: str
    name: str
    role: Role
    active: bool

    @classmethod
    def of(cls, user: User) -> "PersonOut":
        """What may be told of a person; never a hash."""
        return cls(id=user.id, email=user.email, name=user.name, role=user.role, active=user.active)


class MeOut(PersonOut):
    """Oneself, and how far the token reaches."""

    scope: Scope | None


class TokenOut(BaseModel):
    """A token; the secret itself is shown once, when it is made."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@router.get("/me", name="api:me")
def me(access: Person) -> MeOut:
    """Who the token speaks for."""
    return _me(access)


def _me(access: Access) -> MeOut:
    person = PersonOut.of(access.user)
    return MeOut(**person.model_dump(), scope=access.token.scope if access.token else None)


@router.get("/people", name="api:people")
def people(_: Admin, session: SessionDep) -> list[PersonOut]:
    """Everybody with an account here, by name."""
    return [PersonOut.of(user) for user in session.scalars(queries.people())]


@router.patch("/people/{user_id}", name="api:person")
def change_person(access: Admin, session: SessionDep, user_id: int, change: PersonChange) -> PersonOut:
    """Change a person's role, shut them out or let them in again; the last admin stays one."""
    user = found(session, queries.person(user_id))
    if change.role is not None and change.role is not user.role:
        operations.change_role(session, access.user, user, change.role)
    if change.active is not None and change.active is not user.active:
        verb = operations.enable_user if change.active else operations.disable_user
        verb(session, access.user, user)
    return PersonOut.of(user)


@router.get("/tokens", name="api:tokens")
def tokens(access: Person, session: SessionDep) -> list[TokenOut]:
    """One's own tokens, newest first."""
    rows = session.scalars(queries.tokens_of(access.user))
    return [TokenOut.model_validate(row, from_attributes=True) for row in rows]


@router.delete("/tokens/{token_id}", name="api:revoke_token")
def revoke_token(access: Person, session: SessionDep, token_id: int) -> TokenOut:
    """Stop one of one's own tokens at once; again changes nothing."""
    token = found(session, queries.token_of(access.user, token_id))
    operations.revoke_api_token(session, access.user, token)
    return TokenOut.model_validate(token, from_attributes=True)


@router.delete("/invitations/{invitation_id}", name="api:withdraw", status_code=204)
def withdraw(access: Admin, session: SessionDep, invitation_id: int) -> None:
    """Make an invitation's link useless."""
    invitation = found(session, queries.invitation(invitation_id))
    operations.withdraw_invitation(session, access.user, invitation)
