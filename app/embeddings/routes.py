"""The pool's vectors: how many there are, and having the rest encoded."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.embeddings import operations
from app.embeddings.pages import pool_standing_of
from app.projects.access import Annotator
from app.web.security import local_path
from app.web.templating import redirect, redirect_to, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/encoding", name="embeddings:standing")
def standing(request: Request, access: Annotator, session: SessionDep, next: str = "") -> Response:
    """How far the pool is encoded: a fragment of the pages that need it, or a page. `next` is where to go on."""
    page = pool_standing_of(request, session, access, local_path(next) if next else "")
    response = render(request, "embeddings/standing.html", page, session=session, fragments=("encoding_standing",))
    if page.next and page.whole and not page.waits and "hx-request" in request.headers:
        response.headers["HX-Redirect"] = page.next  # who watches it goes on by themselves
    return response


@router.post("/projects/{slug}/encoding", name="embeddings:start")
def start(request: Request, access: Annotator, session: SessionDep, next: str = "") -> Response:
    """Have encoded what has no vector yet, and go back to where it was asked for."""
    operations.start_encoding(session, access.user, access.project)
    if next:
        return redirect_to(request, local_path(next))
    return redirect(request, "embeddings:standing", slug=access.project.slug)
