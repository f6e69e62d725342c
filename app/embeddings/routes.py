"""The pool's vectors: how many there are, and having the rest encoded."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.embeddings import choosing, operations
from app.embeddings.forms import ModelForm
from app.embeddings.pages import encoding_page
from app.errors import Refusal
from app.projects.access import Annotator, Lead
from app.web.forms import Posted, posted
from app.web.security import local_path
from app.web.templating import redirect, redirect_to, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/encoding", name="embeddings:standing")
def show(request: Request, access: Annotator, session: SessionDep, next: str = "") -> Response:
    """How far the pool is encoded: a fragment of the pages that need it, or a page. `next` is where to go on."""
    page = encoding_page(request, session, access, local_path(next) if next else "")
    response = render(request, "embeddings/standing.html", page, session=session, fragments=("encoding_standing",))
    standing = page.standing
    if standing.next and standing.whole and not standing.waits and "hx-request" in request.headers:
        response.headers["HX-Redirect"] = standing.next  # who watches it goes on by themselves
    return response


@router.post("/projects/{slug}/encoding", name="embeddings:start")
def start(request: Request, access: Annotator, session: SessionDep, next: str = "") -> Response:
    """Have encoded what has no vector yet, and go back to where it was asked for."""
    operations.start_encoding(session, access.user, access.project)
    if next:
        return redirect_to(request, local_path(next))
    return redirect(request, "embeddings:standing", slug=access.project.slug)


@router.post("/projects/{slug}/encoding/model", name="embeddings:set_model")
def set_model(
    request: Request, access: Lead, session: SessionDep, form: Annotated[Posted[ModelForm], Depends(posted(ModelForm))]
) -> Response:
    """Have all encoded by another model; what does not fit is said, and nothing is changed."""
    refused = ""
    if not form.errors:
        try:
            wanted, settings = form.value, request.app.state.settings
            choosing.change_model(
                session, access.user, access.project, settings, name=wanted.model, eight_bits=wanted.eight_bits
            )
        except Refusal as refusal:
            refused = refusal.message
    if form.errors or refused:
        page = encoding_page(request, session, access, form=form, refused=refused)
        return render(request, "embeddings/standing.html", page, session=session, status=422)
    return redirect(request, "embeddings:standing", slug=access.project.slug)
