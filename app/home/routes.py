"""The start page and a project's home, and what belongs to no room: health, theme, the page of all components."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from sqlalchemy import text

from app.accounts.access import Admin, Person, SignedIn, anyone
from app.accounts.models import Role
from app.home.demo import start_demo
from app.home.pages import EmptyPage, day_page, lead_page
from app.home.sheet import composition_csv
from app.home.start import project_to_open, remember_project
from app.projects.access import Annotator
from app.web.cookies import keep_theme
from app.web.security import local_path
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/", name="home:start")
def start(request: Request, access: Person, session: SessionDep) -> Response:
    """To the only or the last project, else the list; where there is none yet, the first page of all."""
    slug, count = project_to_open(request, session, access.user)
    if slug is not None:
        return redirect(request, "home:project", slug=slug)
    if count:
        return redirect(request, "projects:index")
    page = EmptyPage(may_create=access.user.role is Role.ADMIN)
    return render(request, "home/empty.html", page, session=session)


@router.get("/projects/{slug}", name="home:project")
def project(
    request: Request,
    access: Annotator,
    session: SessionDep,
    view: Literal["set", "day", ""] = "",
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> Response:
    """The whole set or one's own day; without a choice what the role needs first."""
    shown = view or ("set" if access.role is Role.ADMIN else "day")
    response = _whole_set(request, access, session) if shown == "set" else _day(request, access, session, skip)
    remember_project(response, access.project.slug)
    return response


def _day(request: Request, access: Annotator, session: SessionDep, skip: int) -> Response:
    return render(request, "home/day.html", day_page(session, access, skip), session=session)


def _whole_set(request: Request, access: Annotator, session: SessionDep) -> Response:
    def example_url(example_id: int) -> str:
        return str(request.app.url_path_for("examples:edit", slug=access.project.slug, example_id=example_id))

    page = lead_page(session, access, example_url)
    response = render(request, "home/set.html", page, session=session, fragments=("running",))
    if targeted_block(request) == "running" and not page.running:
        response.headers["HX-Refresh"] = "true"  # what ran has changed the rest of the page
    return response


@router.get("/projects/{slug}/composition.csv", name="home:composition")
def composition(access: Annotator, session: SessionDep) -> Response:
    """The composition table as CSV."""
    name = f"{access.project.slug}-composition.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(composition_csv(session, access.project), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/demo", name="home:demo")
def demo(request: Request, access: Admin, session: SessionDep) -> Response:
    """Make the project `demo` and bring the bundled sample into it."""
    made = start_demo(session, access.user)
    words = "The sample is on its way into the pool; watch it come in under Running."
    return redirect(request, "home:project", Flash("ok", words), slug=made.slug)


@router.get("/healthz", name="web:health", dependencies=[anyone])
def health(session: SessionDep) -> PlainTextResponse:
    """Whether the server and its database answer."""
    session.execute(text("SELECT 1"))
    return PlainTextResponse("ok")


@router.get("/components", name="web:components", dependencies=[Depends(SignedIn())])
def components(request: Request, session: SessionDep) -> Response:
    """Every component in every state, for developers; new ones go there first."""
    return render(request, "components/gallery.html", None, session=session)


@router.post("/theme", name="web:theme", dependencies=[anyone])
def set_theme(
    theme: Annotated[Literal["system", "light", "dark"], Form()],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Remember the wish in this browser."""
    response = RedirectResponse(local_path(next), status_code=303)
    keep_theme(response, theme)
    return response
