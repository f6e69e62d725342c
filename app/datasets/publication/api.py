"""/api/v1: publications of a version, what would be sent, sending it, comparing what is there, the project's token."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.publication import operations as publishing
from app.datasets.publication.forms import PublishForm, PublishQuery, TokenForm
from app.datasets.publication.models import PublicationState, Visibility, Way
from app.datasets.publication.preview import preview
from app.errors import NotFound
from app.projects.access import Lead, LeadReading, ProjectAccess
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class FileOut(BaseModel):
    """A file that is or was sent."""

    path: str
    sha256: str
    bytes: int


class CautionOut(BaseModel):
    """A thing to know; one that `asks` has to be confirmed."""

    kind: str
    words: str
    asks: bool


class PreviewOut(BaseModel):
    """What would be sent; `shown` is the hash of its list of files."""

    repository: str
    url: str
    version_id: str
    visibility: Visibility
    way: Way
    format: Format
    files: list[FileOut]
    bytes: int
    shown: str
    card: str = Field(description="README.md, as the Hub shows it.")
    cautions: list[CautionOut]


class CheckOut(BaseModel):
    """What the last comparison with the Hub came to; `problems` have revision, path and problem."""

    ok: bool
    found: str
    problems: list[dict[str, Any]]
    at: datetime


class PublicationOut(BaseModel):
    """A version on its way to the Hub, or there: the commit that holds it, and what the last comparison found."""

    id: int
    reference: str
    version_id: str
    hub: str
    repository: str
    visibility: Visibility
    way: Way
    format: str
    state: PublicationState
    job: int | None = Field(description="Its job; see the project's jobs for how far it is.")
    revision: str | None
    pull_request: int | None
    note: str | None = Field(description="That main held it already, where a pull request was asked for.")
    url: str | None
    error: str | None
    files: list[FileOut]
    created_at: datetime
    published_at: datetime | None
    check: CheckOut | None


class PublicationsOut(BaseModel):
    """A page of publications, the newest first."""

    total: int
    page: int
    publications: list[PublicationOut]


class CheckingOut(BaseModel):
    """The job that compares."""

    job: int


class TokenOut(BaseModel):
    """Whether the project has a token of its own, and whether the server has one in HF_TOKEN; never the token."""

    of_project: bool
    of_environment: bool


@router.get("/versions/{name}/publications", name="api:publications")
def publications(session: SessionDep, access: Lead, name: str, page: PageNumber = 1) -> PublicationsOut:
    """Where a version was published."""
    version = _version(session, access, name)
    rows, pager = page_of(session, publishing.publications_of(version), page)
    shown = [PublicationOut.model_validate(publishing.publication_document(row, version)) for row in rows]
    return PublicationsOut(total=pager.total, page=pager.number, publications=shown)


@router.get("/versions/{name}/publications/preview", name="api:preview_publication")
def preview_publication(
    request: Request, session: SessionDep, access: Lead, name: str, wanted: Annotated[PublishQuery, Query()]
) -> PreviewOut:
    """What would be sent; the Hub is not asked."""
    seen = preview(session, request.app.state.settings, _version(session, access, name), wanted.as_wanted())
    return PreviewOut.model_validate(seen.document())


@router.post("/versions/{name}/publications", name="api:publish", status_code=202)
def publish(session: SessionDep, access: LeadReading, name: str, body: PublishForm) -> PublicationOut:
    """Publish a version, by a job; look again at the publication."""
    version = _version(session, access, name)
    publication = publishing.start_publication(
        session, access.user, version, body.as_wanted(), shown=body.shown, confirmed=body.confirmed
    )
    return PublicationOut.model_validate(publishing.publication_document(publication, version))


@router.get("/versions/{name}/publications/{publication_id}", name="api:publication")
def publication(session: SessionDep, access: Lead, name: str, publication_id: int) -> PublicationOut:
    """One publication."""
    version = _version(session, access, name)
    one = found(session, publishing.publication_of(version, publication_id))
    return PublicationOut.model_validate(publishing.publication_document(one, version))


@router.post("/versions/{name}/publications/{publication_id}/check", name="api:check_publication", status_code=202)
def check_publication(session: SessionDep, access: LeadReading, name: str, publication_id: int) -> CheckingOut:
    """Compare what the Hub holds with what was sent, by a job."""
    version = _version(session, access, name)
    one = found(session, publishing.publication_of(version, publication_id))
    return CheckingOut(job=publishing.start_check(session, access.user, version, one).id)


@router.put("/hub-token", name="api:set_hub_token")
def set_hub_token(request: Request, session: SessionDep, access: Lead, body: TokenForm) -> TokenOut:
    """Keep a token by which the project publishes, sealed; empty takes it away."""
    publishing.set_token(session, request.app.state.settings, access.user, access.project, body.token)
    return _token(session, access)


@router.get("/hub-token", name="api:hub_token")
def hub_token(session: SessionDep, access: Lead) -> TokenOut:
    """Whether there is one."""
    return _token(session, access)


def _token(session: Session, access: ProjectAccess) -> TokenOut:
    return TokenOut(
        of_project=publishing.token_kept(session, access.project) is not None,
        of_environment=bool(publishing.token_of_environment()),
    )


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    version = queries.version_by_name(session, access.project, name)
    if version is None:
        raise NotFound
    return version
