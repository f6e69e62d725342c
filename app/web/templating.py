"""Jinja and render(): a page and its htmx fragments are one template."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2_fragments import render_block
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.config import ROOT
from app.text.languages import name_of, name_with_code, names
from app.text.markdown import render_markdown
from app.web import words


@dataclass(frozen=True)
class Place:
    """A place in the rail."""

    title: str
    url: str
    current: bool = False
    count: int | None = None
    count_word: str = "waiting"
    alarm: bool = False
    under: bool = False
    five: bool = False
    full: bool = False


@dataclass(frozen=True)
class PersonBadge:
    """The signed-in person as the rail shows them."""

    name: str
    email: str
    initial: str
    role_title: str
    id: int = 0


@dataclass(frozen=True)
class ProjectLink:
    """A project in the switcher."""

    name: str
    slug: str
    url: str
    archived: bool = False


@dataclass(frozen=True)
class Flash:
    """What just happened, said once after a redirect."""

    kind: str
    text: str
    undo_url: str | None = None
    undo_label: str = "Undo"


@dataclass(frozen=True)
class Frame:
    """What stands around every page."""

    person: PersonBadge | None
    project: ProjectLink | None
    projects: tuple[ProjectLink, ...]
    places: tuple[Place, ...]
    theme: str
    flash: Flash | None
    path: str


FLASH_COOKIE = "handpicked_flash"

# Registered by the top of the house: the frame counts what waits in rooms that web must not know.
FrameBuilder = Callable[[Request, Session | None], Frame]


@pass_context
def _url_for(context: Context, name: str, /, **params: Any) -> str:
    # Paths, not absolute addresses: they hold behind any proxy and never echo a Host header.
    request: Request = context["request"]
    query = params.pop("query", None)
    path = str(request.app.url_path_for(name, **params))
    return f"{path}?{query}" if query else path


@cache
def static_url(path: str) -> str:
    """The address of a static file, with its content in the query so that browsers may cache it for ever."""
    digest = hashlib.sha256((ROOT / "static" / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


@cache
def _language_options() -> Markup:
    # Made once: the desk shows them all.
    return Markup("").join(
        Markup('<option value="{}">{}</option>').format(code, name_with_code(code)) for code in names()
    )


def build_environment() -> Environment:
    """The one Jinja environment: escaped, strict about names."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(url_for=_url_for, static_url=static_url, language_options=_language_options)
    environment.filters.update(
        number=words.number,
        plural=words.plural,
        ago=words.ago,
        day=words.day,
        moment=words.moment,
        duration=words.duration,
        filesize=words.filesize,
        language=name_of,
        language_and_code=name_with_code,
        markdown=lambda text: Markup(render_markdown(text)),  # noqa: S704 - render_markdown sanitises last
    )
    return environment


environment = build_environment()


def render(
    request: Request,
    template: str,
    page: Any,
    *,
    session: Session | None = None,
    fragments: tuple[str, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    """The whole page, or only the named block that htmx's HX-Target asks for, if it is among `fragments`."""
    frame = request.app.state.build_frame(request, session)
    context = {"request": request, "page": page, "frame": frame, "now": datetime.now().astimezone()}
    block = targeted_block(request)
    alone = block in fragments
    if alone:
        body = render_block(environment, template, block, context)
    else:
        body = environment.get_template(template).render(context)
    response = HTMLResponse(body, status_code=status, headers={"Vary": "HX-Target"})
    if frame.flash and not alone:  # it was said; a fragment has no place to say it and leaves it to the next page
        response.delete_cookie(FLASH_COOKIE, httponly=True, samesite="lax")
    return response


def targeted_block(request: Request) -> str:
    """The block that the request wants alone: htmx 4 sends `tag#id`, and block and id are one word."""
    target = request.headers.get("hx-target", "")
    return target.rpartition("#")[2].replace("-", "_")


def redirect(request: Request, name: str, /, flash: Flash | None = None, **params: Any) -> Response:
    """Post/redirect/get to a named route, with at most one message that is said once."""
    query = params.pop("query", None)
    url = str(request.app.url_path_for(name, **params)) + (f"?{query}" if query else "")
    return redirect_to(request, url, flash)


def leave(request: Request, name: str, /, flash: Flash | None = None, **params: Any) -> Response:
    """Like `redirect`, for what leads to another page: htmx opens it whole, as what stands around changes as well."""
    response = redirect(request, name, flash, **params)
    if "hx-request" in request.headers:
        response.status_code = 200
        response.headers["HX-Redirect"] = response.headers["location"]
        del response.headers["location"]
    return response


def redirect_to(request: Request, path: str, flash: Flash | None = None) -> Response:
    """Like `redirect`, to a path of this server."""
    response = RedirectResponse(path, status_code=303)
    if flash is not None:
        request.app.state.keep_flash(response, flash)
    return response
