"""People, their sessions and tokens, the trail."""

from datetime import datetime

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import ApiToken, AuditEntry, Invitation, LoginSession, Role, SignInFailure, User


def user_by_email(session: Session, email: str) -> User | None:
    """The person with that address, however it is capitalised."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def people() -> Select[User]:
    """Everybody but the local operator, by name."""
    return select(User).where(User.is_operator.is_(False)).order_by(func.lower(User.name), User.id)


def active_admin_count(session: Session) -> int:
    """How many people can still administer this installation."""
    query = select(func.count()).select_from(User)
    usable = (User.role == Role.ADMIN, User.active.is_(True), User.is_operator.is_(False))
    return session.scalar(query.where(*usable)) or 0


# Asked by each request: made once, it is not made and looked through each time.
_LOGIN = (
    select(LoginSession).where(LoginSession.token_hash == bindparam("digest")).options(joinedload(LoginSession.user))
)


def login_by_hash(session: Session, digest: str) -> LoginSession | None:
    """A signed-in browser with its person."""
    return session.scalar(_LOGIN, {"digest": digest})


def api_token_by_hash(session: Session, digest: str) -> ApiToken | None:
    """An API token with its owner."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == digest).options(joinedload(ApiToken.user)))


def tokens_of(user: User) -> Select[ApiToken]:
    """A person's tokens, newest first."""
    return select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id.desc())


def invitation_by_hash(session: Session, digest: str) -> Invitation | None:
    """An invitation, whatever its state."""
    return session.scalar(select(Invitation).where(Invitation.token_hash == digest))


def open_invitations(at: datetime) -> Select[Invitation]:
    """Invitations that still work, newest first."""
    still = (Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > at)
    return select(Invitation).where(*still).order_by(Invitation.id.desc())


def failures_since(session: Session, since: datetime, name_hash: str, address: str) -> tuple[int, int]:
    """Failed sign-ins (for this name from this address, from this address) since a time."""
    recent = select(func.count()).select_from(SignInFailure).where(SignInFailure.at > since)
    by_address = recent.where(SignInFailure.address == address)
    both = by_address.where(SignInFailure.name_hash == name_hash)
    return session.scalar(both) or 0, session.scalar(by_address) or 0


def person(user_id: int) -> Select[User]:
    """One person, never the local operator."""
    return select(User).where(User.id == user_id, User.is_operator.is_(False))


def invitation(invitation_id: int) -> Select[Invitation]:
    """One invitation, whatever its state."""
    return select(Invitation).where(Invitation.id == invitation_id)


def token_of(user: User, token_id: int) -> Select[ApiToken]:
    """One token, if it is that person's."""
    return select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id)


def last_seen(session: Session) -> dict[int, datetime]:
    """When each person was here last, within the few minutes at which it is written down, signed out since or not."""
    seen = select(LoginSession.user_id, func.max(LoginSession.seen_at)).group_by(LoginSession.user_id)
    left = select(AuditEntry.actor_id, func.max(AuditEntry.at)).where(AuditEntry.actor_id.is_not(None))
    found: dict[int, datetime] = {}
    for user_id, at in (*session.execute(seen), *session.execute(left.group_by(AuditEntry.actor_id))):
        found[user_id] = max(found.get(user_id, at), at)
    return found


def trail(
    *,
    project_id: int | None = None,
    actor_id: int | None = None,
    action: str | None = None,
    before: int | None = None,
) -> Select[AuditEntry]:
    """The audit trail, newest first; of one project, person or action, or of everything; before an entry's id."""
    wanted = {AuditEntry.project_id: project_id, AuditEntry.actor_id: actor_id, AuditEntry.action: action}
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if before is not None:
        conditions.append(AuditEntry.id < before)
    return select(AuditEntry).where(*conditions).order_by(AuditEntry.id.desc())


def actions(project_id: int | None = None) -> Select[str]:
    """The kinds of things that were done, by name."""
    query = select(AuditEntry.action).distinct().order_by(AuditEntry.action)
    return query if project_id is None else query.where(AuditEntry.project_id == project_id)
