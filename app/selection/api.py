"""/api/v1: candidates."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.db import SessionDep
from app.projects.access import Annotator
from app.selection import operations, queries
from app.selection.documents import candidate_document
from app.selection.forms import PoolQuery, RejectForm
from app.web.paging import page_of
from app.web.refusals import REFUSALS

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["candidates"], responses=REFUSALS)


class CandidateMessage(BaseModel):
    """One message."""

    role: str
    content: str


class CandidateOut(BaseModel):
    """A candidate with its provenance."""

    id: int
    site: str
    external_id: str
    title: str
    messages: list[CandidateMessage]
    source: str | None
    split: str
    language: str
    score: int | None
    author: str | None
    author_url: str | None
    url: str | None
    licence: str | None
    posted_at: str | None
    content_hash: str
    status: str
    reason: str | None


class CandidatesOut(BaseModel):
    """A page of candidates."""

    total: int
    page: int
    candidates: list[CandidateOut]


class UsedOut(BaseModel):
    """The example that a candidate became."""

    candidate: int
    example: int


@router.get("/candidates", name="api:candidates")
def candidates(session: SessionDep, access: Annotator, wanted: Annotated[PoolQuery, Query()]) -> CandidatesOut:
    """The pool, filtered; what is not judged unless another status is asked for."""
    query = queries.pool_candidates(access.project.id, wanted.as_filter())
    found, pager = page_of(session, query, wanted.page)
    shown = [CandidateOut.model_validate(candidate_document(candidate)) for candidate in found]
    return CandidatesOut(total=pager.total, page=pager.number, candidates=shown)


@router.get("/candidates/{candidate_id}", name="api:candidate")
def candidate(session: SessionDep, access: Annotator, candidate_id: int) -> CandidateOut:
    """One candidate."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    return CandidateOut.model_validate(candidate_document(found))


@router.post("/candidates/{candidate_id}/rejection", name="api:reject_candidate")
def reject(session: SessionDep, access: Annotator, candidate_id: int, body: RejectForm) -> CandidateOut:
    """Set a candidate aside with a reason."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    operations.reject_candidate(session, access.user, found, body.reason)
    return CandidateOut.model_validate(candidate_document(found))


@router.post("/candidates/{candidate_id}/restoration", name="api:restore_candidate")
def restore(session: SessionDep, access: Annotator, candidate_id: int) -> CandidateOut:
    """Undo what was done to a candidate."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    operations.restore_candidate(session, access.user, found)
    return CandidateOut.model_validate(candidate_document(found))


@router.post("/candidates/{candidate_id}/example", name="api:use_candidate", status_code=201)
def use(session: SessionDep, access: Annotator, candidate_id: int) -> UsedOut:
    """Turn a candidate into an example; repeated, it is the same example."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    example = operations.use_candidate(session, access.user, found)
    return UsedOut(candidate=candidate_id, example=example.id)
