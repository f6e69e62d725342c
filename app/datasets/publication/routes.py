"""Publishing a version: what would be sent, sending it, comparing what is there, and the project's token."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.models import Version
from app.datasets.publication import operations as publishing
from app.datasets.publication.forms import PublishAddress, PublishForm, PublishQuery, TokenForm
from app.datasets.publication.operations import NeedsConfirming, NoRepository
from app.datasets.publication.pages import Shown, publish_page
from app.datasets.publication.preview import preview
from app.errors import NotFound, Refusal
from app.projects.access import Lead, LeadReading, ProjectAccess
from app.web.forms import Posted, posted
from app.web.found import found
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)
PAGE = "datasets:publish"


@router.get("/projects/{slug}/versions/{name}/publication", name=PAGE)
def show(
    request: Request,
    session: SessionDep,
    access: Lead,
    name: str,
    wanted: Annotated[PublishAddress, Query()],
) -> Response:
    """Where a version is published; with a repository in the address what would be sent there."""
    version = _version(session, access, name)
    if not wanted.repository:
        return _page(request, session, access, version, Shown(number=wanted.page))
    return _previewed(request, session, access, version, wanted)


def _previewed(
    request: Request,
    session: Session,
    access: ProjectAccess,
    version: Version,
    wanted: PublishQuery,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    typed = {key: str(value) for key, value in wanted.model_dump(mode="json", exclude_none=True).items()}
    try:
        seen = preview(session, request.app.state.settings, version, wanted.as_wanted())
    except NoRepository as refusal:
        shown = Shown(typed, {"repository": refusal.message})
        return _page(request, session, access, version, shown, refusal.status)
    return _page(request, session, access, version, Shown(typed, errors or {}, seen), status)


def _page(
    request: Request, session: Session, access: ProjectAccess, version: Version, shown: Shown, status: int = 200
) -> Response:
    page = publish_page(session, access, version, shown)
    return render(request, "datasets/publish.html", page, session=session, status=status)


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    version = queries.version_by_name(session, access.project, name)
    if version is None:
        raise NotFound
    return version


@router.post("/projects/{slug}/versions/{name}/publication")
def publish(
    request: Request,
    session: SessionDep,
    access: LeadReading,
    name: str,
    form: Annotated[Posted[PublishForm], Depends(posted(PublishForm))],
) -> Response:
    """Send what was seen; where something stands against it the preview comes back with the reason."""
    version = _version(session, access, name)
    if form.errors:
        return _page(request, session, access, version, Shown(form.typed, form.errors), 422)
    wanted = form.value
    try:
        publishing.start_publication(
            session, access.user, version, wanted.as_wanted(), shown=wanted.shown, confirmed=wanted.confirmed
        )
    except Refusal as refusal:
        unread = isinstance(refusal, NeedsConfirming)
        errors = {"confirmed": "Tick this first; nothing was sent."} if unread else {"form": refusal.message}
        return _previewed(request, session, access, version, wanted, errors, refusal.status)
    return redirect(request, PAGE, slug=access.project.slug, name=name)


@router.post("/projects/{slug}/versions/{name}/publications/{publication_id}/check", name="datasets:check_publication")
def check(request: Request, session: SessionDep, access: LeadReading, name: str, publication_id: int) -> Response:
    """Compare what the Hub holds with what was sent, by a job."""
    version = _version(session, access, name)
    publication = found(session, publishing.publication_of(version, publication_id))
    publishing.start_check(session, access.user, version, publication)
    return redirect(request, PAGE, slug=access.project.slug, name=name)


@router.post("/projects/{slug}/versions/{name}/publication/token", name="datasets:hub_token")
def keep_token(
    request: Request,
    session: SessionDep,
    access: Lead,
    name: str,
    form: Annotated[Posted[TokenForm], Depends(posted(TokenForm))],
) -> Response:
    """Put another token in place of the one that is there; empty takes it away."""
    version = _version(session, access, name)
    if form.errors:
        errors = {"token": "That is no token; the one that was there stays."}
        return _page(request, session, access, version, Shown(errors=errors), 422)
    try:
        publishing.set_token(session, request.app.state.settings, access.user, access.project, form.value.token)
    except Refusal as refusal:
        return _page(request, session, access, version, Shown(errors={"token": refusal.message}), refusal.status)
    words = "The token is kept, sealed." if form.value.token else "The project's token is gone."
    return redirect(request, PAGE, Flash("ok", words), slug=access.project.slug, name=name)
