"""Who may: each route declares one Requirement; a route without one stops the application from starting."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.models import ApiToken, LoginSession, Role, Scope, User
from app.accounts.secrets import token_hash
from app.config import Settings
from app.db import now
from app.errors import Denied, NotFound, NotSignedIn
from app.web.transactions import SAFE_METHODS, SessionDep

COOKIE = "handpicked_session"
SECURE_COOKIE = "__Host-handpicked_session"
# A session's last-seen time is written at most so often, by itself: reading a page is not a write.
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Access:
    """Who is acting in this request; with a token, how far it reaches."""

    user: User
    token: ApiToken | None = None


class Requirement:
    """A permission that a route declares; subclasses say which."""

    name = "nothing"


class Anyone(Requirement):
    """Open to everybody: sign-in, links, health, static files."""

    name = "anyone"

    def __call__(self) -> None:
        """Let everybody through."""


class SignedIn(Requirement):
    """Somebody with an account here, of at least a role in the installation."""

    def __init__(self, role: Role = Role.ANNOTATOR) -> None:
        """Name the least role."""
        self.role = role
        self.name = f"installation {role}"

    def __call__(self, request: Request, session: SessionDep) -> Access:
        """The acting person, or 401, or 403."""
        access = identify(request, session)
        if not access.user.role.covers(self.role):
            raise Denied
        if access.token and access.token.project_id is not None:
            raise Denied("This token is for one project only; nothing was changed.")
        require_scope(access, self.role, request.method)
        return access


def identify(request: Request, session: Session) -> Access:
    """The person behind the request's session cookie or, for the API, its bearer token; remembered for the frame."""
    access = _token_access(request, session) if request.url.path.startswith("/api/") else None
    access = access or _cookie_access(request, session)
    request.state.access = access
    _require_possible_ids(request)
    return access


def _require_possible_ids(request: Request) -> None:
    """No row has a number of more than 18 digits; a database asked for one would fail instead of finding nothing."""
    if any(str(value).isdecimal() and len(str(value)) > 18 for value in request.path_params.values()):
        raise NotFound


def _token_access(request: Request, session: Session) -> Access:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    row = queries.api_token_by_hash(session, token_hash(token.strip())) if kind.lower() == "bearer" else None
    if row is None or row.revoked_at or not row.user.active or (row.expires_at and row.expires_at <= now()):
        raise NotSignedIn("The API needs a valid token: Authorization: Bearer …; nothing was changed.")
    return Access(row.user, row)


def _cookie_access(request: Request, session: Session) -> Access:
    login = current_login(request, session)
    if login is None:
        raise NotSignedIn
    _note_seen(request, login)
    return Access(login.user)


def current_login(request: Request, session: Session) -> LoginSession | None:
    """The live session behind the request's cookie, if any."""
    settings: Settings = request.app.state.settings
    token = session_token(request)
    login = queries.login_by_hash(session, token_hash(token)) if token else None
    if login is None or not login.user.active:
        return None
    idle = timedelta(hours=settings.session_idle_hours)
    life = timedelta(days=settings.session_days)
    alive = now() - login.seen_at < idle + SEEN_EVERY and now() - login.created_at < life
    return login if alive else None


def session_token(request: Request) -> str | None:
    """The session token that the browser sent."""
    return request.cookies.get(cookie_name(request.app.state.settings))


def cookie_name(settings: Settings) -> str:
    """Over HTTPS the browser itself guarantees a __Host- cookie's origin."""
    return SECURE_COOKIE if settings.secure_cookies else COOKIE


def keep_session(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session; scripts never see it and other sites cannot send it with a POST."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(settings.session_days * 86_400),
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def forget_session(response: Response, settings: Settings) -> None:
    """Take the cookie back; the server has ended the session already."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.secure_cookies, httponly=True, samesite="lax"
    )


def address_of(request: Request) -> str:
    """The address that the request came from; behind a proxy, what the configured proxy says."""
    return request.client.host if request.client else "unknown"


def _note_seen(request: Request, login: LoginSession) -> None:
    if now() - login.seen_at < SEEN_EVERY or request.method not in SAFE_METHODS:
        return
    with request.app.state.database.writing() as writing:
        row = writing.get(LoginSession, login.id)
        if row is not None:
            row.seen_at = now()


def require_scope(access: Access, role: Role, method: str) -> None:
    """Refuse a token whose scope is narrower than what the route does."""
    if access.token is None:
        return
    needed = Scope.ADMIN if role is Role.ADMIN else Scope.READ if method in SAFE_METHODS else Scope.WRITE
    order = list(Scope)
    if order.index(access.token.scope) < order.index(needed):
        raise Denied(f"This token has the scope {access.token.scope}; {needed} is needed. Nothing was changed.")


anyone = Depends(Anyone())
Person = Annotated[Access, Depends(SignedIn())]
Admin = Annotated[Access, Depends(SignedIn(Role.ADMIN))]
