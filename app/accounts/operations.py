"""What changes people, sessions, invitations and tokens; each writes the trail in the same transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.audit import record
from app.accounts.checks import checked_email, checked_name, checked_password
from app.accounts.models import ApiToken, Invitation, LoginSession, Role, Scope, SignInFailure, User
from app.accounts.secrets import hash_password, new_token, password_matches, token_hash
from app.config import Settings
from app.db import now
from app.errors import Conflict, Denied, Gone, NotFound, Refusal, TooMany

OPERATOR_EMAIL = "operator@localhost"


class WrongPassword(Refusal):
    """That e-mail and password do not go together. Nothing was changed; try again, or ask an admin for a new link."""

    status = 401


class LinkUsed(Conflict):
    """This link has been used already. Sign in, or ask an admin for another."""


class LastAdmin(Refusal):
    """At least one admin has to stay; make somebody else an admin first."""

    status = 409


@dataclass(frozen=True)
class Attempt:
    """How a sign-in ended: a person and the token of their new session, or the refusal."""

    user: User | None = None
    token: str = ""
    refusal: Refusal | None = None


def local_operator(session: Session) -> User:
    """The person as whom the command line acts by default; made at first use, can never sign in."""
    operator = queries.user_by_email(session, OPERATOR_EMAIL)
    if operator is None:
        operator = User(email=OPERATOR_EMAIL, name="Local operator", role=Role.ADMIN, is_operator=True)
        session.add(operator)
        session.flush()
    return operator


def create_user(
    session: Session, actor: User | None, *, email: str, name: str, role: Role, password: str | None
) -> User:
    """Add a person; without a password they cannot sign in until they are invited or given one."""
    email = checked_email(email)
    if queries.user_by_email(session, email):
        raise Conflict(f"There is somebody with the address {email} already; nothing was changed.")
    user = User(email=email, name=checked_name(name or email.split("@")[0]), role=role)
    if password is not None:
        user.password_hash = hash_password(checked_password(password))
    session.add(user)
    session.flush()
    record(session, actor or user, "create person", f"user:{user.id}", email=email, role=role)
    return user


def attempt_sign_in(
    session: Session, settings: Settings, *, email: str, password: str, address: str, present_token: str | None
) -> Attempt:
    """Sign in, or say why not.

    A refusal is returned, not raised, because the failure that it counts has to be committed. The session that the
    browser brought along ends, so that a planted one is worth nothing.
    """
    try:
        require_patience(session, settings, email=email, address=address)
        user, token = sign_in(session, email=email, password=password)
    except TooMany as refusal:
        return Attempt(refusal=refusal)
    except WrongPassword as refusal:
        note_failure(session, settings, email=email, address=address)
        return Attempt(refusal=refusal)
    if present_token:
        session.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash(present_token)))
    return Attempt(user, token)


def sign_in(session: Session, *, email: str, password: str) -> tuple[User, str]:
    """A new session with a new token for the right password; the token is shown to nobody but the browser."""
    user = queries.user_by_email(session, email)
    fits = password_matches(password, user.password_hash if user and user.active else None)
    if not user or not fits:
        raise WrongPassword
    record(session, user, "sign in", f"user:{user.id}")
    return user, open_session(session, user)


def open_session(session: Session, user: User) -> str:
    """Start a browser session and give its token."""
    token = new_token()
    session.add(LoginSession(token_hash=token_hash(token), user_id=user.id))
    return token


def require_patience(session: Session, settings: Settings, *, email: str, address: str) -> None:
    """Refuse to try again after too many failures, for this name from this address or for the whole address."""
    since = now() - timedelta(minutes=settings.sign_in_minutes)
    for_name, for_address = queries.failures_since(session, since, name_digest(email), address)
    if for_name >= settings.sign_in_tries or for_address >= 5 * settings.sign_in_tries:
        raise TooMany(
            f"Too many failed sign-ins from here. Wait up to {settings.sign_in_minutes:.0f} minutes and try again."
        )


def note_failure(session: Session, settings: Settings, *, email: str, address: str) -> None:
    """Count a failed sign-in and forget those that no longer matter."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < now() - timedelta(minutes=settings.sign_in_minutes)))
    session.add(SignInFailure(name_hash=name_digest(email), address=address[:64]))
    record(session, None, "fail to sign in", f"address:{address}")


def name_digest(email: str) -> str:
    """What is remembered of a name that somebody tried."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def sign_out(session: Session, actor: User, token: str) -> None:
    """End this browser's session on the server."""
    session.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash(token)))
    record(session, actor, "sign out", f"user:{actor.id}")


def rename(session: Session, actor: User, *, name: str) -> None:
    """Change the name under which the others see the acting person."""
    before, actor.name = actor.name, checked_name(name)
    record(session, actor, "change name", f"user:{actor.id}", before=before, after=actor.name)


def set_daily_letter(session: Session, actor: User, *, wanted: bool) -> None:
    """Whether the acting person gets a letter a day with what waits; said twice, nothing changes."""
    if actor.daily_letter is not wanted:
        actor.daily_letter = wanted
        record(session, actor, "set daily letter", f"user:{actor.id}", wanted=wanted)


def require_role(actor: User, role: Role) -> None:
    """Refuse somebody whose role in the installation is too small: what routes declare, for the command line."""
    if not actor.role.covers(role):
        raise Denied("Your role does not allow this; nothing was changed. Ask an admin of the installation.")


def end_sessions(session: Session, user: User) -> None:
    """End every session of a person at once."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def change_password(session: Session, actor: User, *, old: str, new: str) -> str:
    """Set a new password, end all sessions, and start a fresh one whose token is returned."""
    if not password_matches(old, actor.password_hash):
        raise WrongPassword("The present password is not right; nothing was changed.")
    actor.password_hash = hash_password(checked_password(new))
    end_sessions(session, actor)
    record(session, actor, "change password", f"user:{actor.id}")
    return open_session(session, actor)


def change_role(session: Session, actor: User, user: User, role: Role) -> None:
    """Give a person another role, at once and everywhere; the last admin stays one."""
    _require_person(user)
    _line_up_admins(session)
    before, user.role = user.role, role
    session.flush()
    if before is Role.ADMIN:
        _require_admin_left(session)
    end_sessions(session, user)
    record(session, actor, "change role", f"user:{user.id}", before=before, after=role)


def disable_user(session: Session, actor: User, user: User) -> None:
    """Shut a person out at once: sessions end, tokens stop working; what they wrote stays."""
    _require_person(user)
    _line_up_admins(session)
    user.active = False
    session.flush()
    if user.role is Role.ADMIN:
        _require_admin_left(session)
    end_sessions(session, user)
    record(session, actor, "disable person", f"user:{user.id}")


def enable_user(session: Session, actor: User, user: User) -> None:
    """Let a person in again."""
    user.active = True
    record(session, actor, "enable person", f"user:{user.id}")


def _require_person(user: User) -> None:
    if user.is_operator:
        raise Refusal("The local operator belongs to the command line and cannot be changed.")


def _require_admin_left(session: Session) -> None:
    if queries.active_admin_count(session) == 0:
        raise LastAdmin


def _line_up_admins(session: Session) -> None:
    # Two admins who demote each other at once: on PostgreSQL the second waits here until the first is through and then
    # counts afresh. SQLite writes one at a time anyway.
    session.execute(select(User.id).where(User.role == Role.ADMIN).order_by(User.id).with_for_update()).all()


def invite(
    session: Session, settings: Settings, actor: User | None, *, role: Role, email: str | None, project_id: int | None
) -> tuple[Invitation, str]:
    """A one-time link's token for somebody to make their own account.

    With a project, `role` is the role there and the account's own is annotator: who leads one project must not be
    able to make admins of the installation.
    """
    token = new_token()
    invitation = Invitation(
        token_hash=token_hash(token),
        email=checked_email(email) if email else None,
        role=role,
        project_id=project_id,
        invited_by=actor.id if actor else None,
        expires_at=now() + timedelta(days=settings.invitation_days),
    )
    session.add(invitation)
    session.flush()
    record(session, actor, "invite", f"invitation:{invitation.id}", project_id=project_id, role=role, email=email)
    return invitation, token


def invite_to_reset(session: Session, settings: Settings, actor: User, user: User) -> tuple[Invitation, str]:
    """A one-time link with which somebody who has an account sets its password anew; older such links end."""
    _require_person(user)
    older = (Invitation.user_id == user.id, Invitation.accepted_at.is_(None))
    session.execute(update(Invitation).where(*older).values(withdrawn_at=now()))
    invitation, token = invite(session, settings, actor, role=user.role, email=user.email, project_id=None)
    invitation.user_id = user.id
    return invitation, token


def reset_password(session: Session, token: str, *, password: str) -> User:
    """Use up such a link: set the password and end all sessions."""
    user = session.get(User, take_invitation(session, token).user_id)
    if user is None or not user.active:
        raise Gone("This link does not work any more. Ask an admin for another.")
    user.password_hash = hash_password(checked_password(password))
    end_sessions(session, user)
    record(session, user, "set password by link", f"user:{user.id}")
    return user


def renew_setup_link(session: Session, settings: Settings) -> str | None:
    """The token of a fresh set-up link while there is no admin, else None; older set-up links stop working."""
    if queries.active_admin_count(session):
        return None
    pending = (Invitation.invited_by.is_(None), Invitation.accepted_at.is_(None))
    session.execute(update(Invitation).where(*pending).values(withdrawn_at=now()))
    return invite(session, settings, None, role=Role.ADMIN, email=None, project_id=None)[1]


def usable_invitation(session: Session, token: str, at: datetime | None = None) -> Invitation:
    """The invitation behind a link, or a refusal that says why the link does not work."""
    invitation = queries.invitation_by_hash(session, token_hash(token))
    if invitation is None:
        raise NotFound("This link is not known here. Copy it whole, or ask an admin for another.")
    set_up_already = invitation.is_setup and queries.active_admin_count(session) > 0
    if invitation.accepted_at is not None or set_up_already:
        raise LinkUsed
    if invitation.withdrawn_at is not None or invitation.expires_at <= (at or now()):
        raise Gone("This link does not work any more. Ask an admin for another.")
    return invitation


def accept_invitation(session: Session, token: str, *, email: str, name: str, password: str) -> tuple[User, Invitation]:
    """Make the account that an invitation promises; of two browsers at once one wins, the other gets 409."""
    invitation = take_invitation(session, token)
    role = Role.ANNOTATOR if invitation.project_id is not None else invitation.role
    user = create_user(session, None, email=invitation.email or email, name=name, role=role, password=password)
    record(session, user, "accept invitation", f"invitation:{invitation.id}", project_id=invitation.project_id)
    return user, invitation


def take_invitation(session: Session, token: str) -> Invitation:
    """Use a link up: for exactly one of those who come at once."""
    invitation = usable_invitation(session, token)
    taken = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.accepted_at.is_(None))
        .values(accepted_at=now())
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise LinkUsed
    return invitation


def withdraw_invitation(session: Session, actor: User, invitation: Invitation) -> None:
    """Make a link useless; one that was used already has made its account."""
    if invitation.accepted_at is not None:
        raise LinkUsed("This invitation was accepted already; the account stays until an admin disables it.")
    invitation.withdrawn_at = invitation.withdrawn_at or now()
    record(session, actor, "withdraw invitation", f"invitation:{invitation.id}", project_id=invitation.project_id)


def create_api_token(
    session: Session, actor: User, *, name: str, scope: Scope, project_id: int | None, days: int | None
) -> tuple[ApiToken, str]:
    """A token of the acting person, shown once."""
    token = f"hp_{new_token()}"
    row = ApiToken(
        token_hash=token_hash(token),
        user_id=actor.id,
        name=checked_name(name),
        scope=scope,
        project_id=project_id,
        expires_at=now() + timedelta(days=days) if days else None,
    )
    session.add(row)
    session.flush()
    record(session, actor, "create token", f"token:{row.id}", project_id=project_id, scope=scope)
    return row, token


def revoke_api_token(session: Session, actor: User, token: ApiToken) -> None:
    """Stop a token at once; repeated revocation changes nothing."""
    token.revoked_at = token.revoked_at or now()
    record(session, actor, "revoke token", f"token:{token.id}", project_id=token.project_id)
