"""What every response carries and what every unsafe request must prove, whatever the route does."""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.web.transactions import SAFE_METHODS

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)

_ALWAYS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Private pages must not come back after sign-out; a static address carries its content's hash.
_PRIVATE = (*_ALWAYS, (b"cache-control", b"no-store"))
_HASHED = (*_ALWAYS, (b"cache-control", b"public, max-age=31536000, immutable"))
_REQUEST_ID = b"x-request-id"
_OURS = {name for name, _ in _PRIVATE} | {_REQUEST_ID}


class SecurityHeaders:
    """Adds the policy headers and a request id to each response, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress the response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        hashed = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                theirs = [pair for pair in message.get("headers", ()) if pair[0].lower() not in _OURS]
                message["headers"] = [*theirs, *(_HASHED if hashed else _PRIVATE), (_REQUEST_ID, request_id.encode())]
            await send(message)

        await self.app(scope, receive, dress)


class OriginCheck:
    """Refuses unsafe requests to pages that another site caused."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let safe, same-origin and API requests through."""
        # The API takes bearer tokens only, which no browser sends on its own: it answers 401 without one.
        harmless = scope["type"] != "http" or scope["method"] in SAFE_METHODS or scope["path"].startswith("/api/")
        if harmless or is_same_origin(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        words = "This request came from another site, or from nowhere that can be checked; nothing was changed."
        await PlainTextResponse(words, status_code=403)(scope, receive, send)


def is_same_origin(headers: Headers) -> bool:
    """Whether a browser vouches that the request comes from our own pages."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    if not origin or origin == "null":
        return False
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


class AllowedHosts:
    """Answers only to the names it is meant to be reached by, against forged Host headers and DNS rebinding."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Collect the names: those of the settings and the base URL's."""
        self.app = app
        self.names = {host.lower() for host in settings.allowed_hosts}
        if settings.base_url:
            self.names.add((urlsplit(settings.base_url).hostname or "").lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse unknown names with 400."""
        if scope["type"] == "http" and host_name(Headers(scope=scope).get("host", "")) not in self.names:
            words = "This server does not answer to that host name. An operator can add it: HANDPICKED_ALLOWED_HOSTS."
            await PlainTextResponse(words, status_code=400)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def host_name(host: str) -> str:
    """The name in a Host header without its port; brackets of IPv6 stay."""
    if host.startswith("["):
        return host.split("]", maxsplit=1)[0].lower() + "]"
    return host.split(":", maxsplit=1)[0].lower()


def local_path(target: str | None) -> str:
    """The target if it is a plain path on this server, else the start page: no open redirects."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(character) < 33 for character in target):
        return "/"
    return target
