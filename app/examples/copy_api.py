"""/api/v1: working copies, one's own words before they are a revision."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.examples import claims, queries, working_copies
from app.examples.api import MessageOut, plain
from app.examples.copy_forms import CopyIn
from app.examples.documents import copy_document
from app.examples.models import WorkingCopy
from app.examples.working_copies import Desk, KeptElsewhere, Written
from app.projects.access import Annotator, ProjectAccess
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS, Refused
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["examples"], responses=REFUSALS)

CreationKey = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Counter = Annotated[int, Query(ge=1, le=10**9, description="Where the copy stands that is to go.")]


class CopyOut(BaseModel):
    """What somebody typed, kept and not saved."""

    example: int | None
    creation_key: str | None
    counter: int = Field(description="Name it in the next save, so that two devices never overwrite each other.")
    based_on: int
    messages: list[MessageOut]
    split: str
    source: str
    language: str
    flags: str
    note: str
    was: str = Field(description="What the desk showed the example to be for: a save leaves as it is what equals that.")
    sensitive: bool = Field(description="This and the next two: ticked for an example that is not made yet.")
    format_constraint: bool
    acknowledges_first: bool
    changed_at: str


class CopiesOut(BaseModel):
    """A page of what one has begun and never saved as an example, the latest first."""

    total: int
    page: int
    copies: list[CopyOut]


class ElsewhereOut(BaseModel):
    """Another device of the same person kept newer words: the refusal, and those words."""

    error: Refused
    current: CopyOut


ELSEWHERE: dict[int | str, dict[str, Any]] = {409: {"model": ElsewhereOut}}


@router.get("/working-copies", name="api:working_copies")
def begun(session: SessionDep, access: Annotator, page: PageNumber = 1) -> CopiesOut:
    """One's own words for examples that are not made yet."""
    found, pager = page_of(session, working_copies.unmade(access.user, access.project), page)
    return CopiesOut(total=pager.total, page=pager.number, copies=[_out(copy) for copy in found])


@router.get("/working-copies/{key}", name="api:begun_copy")
def begun_copy(session: SessionDep, access: Annotator, key: CreationKey) -> CopyOut:
    """One's own words for an example that is not made yet."""
    return _read(session, _new(access, key))


@router.put("/working-copies/{key}", name="api:keep_begun", response_model=CopyOut, responses=ELSEWHERE)
def keep_begun(
    request: Request, session: SessionDep, access: Annotator, key: CreationKey, body: CopyIn
) -> CopyOut | Response:
    """Keep words for an example that is not made yet; making it with this key as `key` uses them up."""
    return _keep(request, session, _new(access, key), body)


@router.post("/working-copies/restoration", name="api:bring_back")
def bring_back(
    session: SessionDep, access: Annotator, key: Annotated[str, Query(max_length=64, description="Of their save.")]
) -> CopyOut:
    """Have words back that were thrown away within the last day, where they stood if nothing else stands there."""
    return _out(working_copies.bring_back(session, access.user, access.project, key))


@router.delete("/working-copies/{key}", name="api:throw_begun_away", status_code=204)
def throw_begun_away(session: SessionDep, access: Annotator, key: CreationKey, counter: Counter) -> None:
    """Throw such words away."""
    working_copies.throw_away(session, _new(access, key), counter=counter)


@router.get("/examples/{example_id}/working-copy", name="api:working_copy")
def copy_of(session: SessionDep, access: Annotator, example_id: int) -> CopyOut:
    """One's own words for an example, kept and not saved."""
    return _read(session, _desk(session, access, example_id))


@router.put("/examples/{example_id}/working-copy", name="api:keep", response_model=CopyOut, responses=ELSEWHERE)
def keep(request: Request, session: SessionDep, access: Annotator, example_id: int, body: CopyIn) -> CopyOut | Response:
    """Keep words for an example without making a revision; the same key again keeps them once."""
    return _keep(request, session, _desk(session, access, example_id), body)


@router.delete("/examples/{example_id}/working-copy", name="api:throw_away", status_code=204)
def throw_away(session: SessionDep, access: Annotator, example_id: int, counter: Counter) -> None:
    """Throw them away."""
    working_copies.throw_away(session, _desk(session, access, example_id), counter=counter)


def _new(access: ProjectAccess, key: str) -> Desk:
    return Desk(access.user, access.project, creation_key=key)


def _desk(session: Session, access: ProjectAccess, example_id: int) -> Desk:
    return Desk(access.user, access.project, queries.example_in(session, access.project.id, example_id))


def _read(session: Session, desk: Desk) -> CopyOut:
    copy = working_copies.copy_on(session, desk)
    if copy is None:
        raise NotFound("You have no words here that are kept and not saved.")
    return _out(copy)


def _keep(request: Request, session: Session, desk: Desk, body: CopyIn) -> CopyOut | Response:
    written = Written(plain(body.messages), body.description, body.based_on)
    try:
        with session.begin_nested():
            kept = working_copies.keep(session, desk, written, follows=body.counter, key=body.key)
    except KeptElsewhere as elsewhere:
        refused = {"message": elsewhere.message, "problems": [], "request_id": request.state.request_id}
        return JSONResponse({"error": refused, "current": copy_document(elsewhere.copy)}, elsewhere.status)
    if desk.example is not None:
        claims.renew(session, desk.person, desk.example)
    return _out(kept)


def _out(copy: WorkingCopy) -> CopyOut:
    return CopyOut.model_validate(copy_document(copy))
