"""Two small cookies: the theme, and one message that is said once after a redirect."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress

from fastapi import Request
from fastapi.responses import Response

from app.web.security import local_path
from app.web.templating import FLASH_COOKIE, Flash

THEME_COOKIE = "handpicked_theme"
THEMES = ("system", "light", "dark")


def keep_theme(response: Response, theme: str) -> None:
    """Remember the wish in this browser."""
    response.set_cookie(THEME_COOKIE, theme, max_age=31_536_000, httponly=True, samesite="lax")


def theme_of(request: Request) -> str:
    """The browser's wish."""
    theme = request.cookies.get(THEME_COOKIE, "system")
    return theme if theme in THEMES else "system"


def keep_flash(response: Response, flash: Flash) -> None:
    """Carry one message over a redirect."""
    value = urlsafe_b64encode(json.dumps(vars(flash)).encode()).decode()
    response.set_cookie(FLASH_COOKIE, value, max_age=30, httponly=True, samesite="lax")


def flash_of(request: Request) -> Flash | None:
    """The message that the last redirect carried, if any; shown as text, its link only if it is ours."""
    value = request.cookies.get(FLASH_COOKIE)
    if not value:
        return None
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        said = json.loads(urlsafe_b64decode(value))
        undo = said.get("undo_url")
        safe_undo = undo if undo and local_path(undo) == undo else None
        kind = said["kind"] if said["kind"] in {"info", "ok", "warn", "danger"} else "info"
        return Flash(kind, str(said["text"])[:500], safe_undo, str(said.get("undo_label") or "Undo")[:40])
    return None
