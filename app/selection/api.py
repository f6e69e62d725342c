"""/api/v1: candidates."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.projects.access import Annotator
from app.selection import operations, queries
from app.selection.documents import candidate_document, found_documents
from app.selection.forms import CandidatesQuery, JudgeForm, ManyForm, RejectForm
from app.selection.search.finding import find, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

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
    flags: list[str]
    title_alone: bool | None


class FoundOut(CandidateOut):
    """A candidate that was found; `near` is its cosine with what is searched by meaning, if it has a vector."""

    near: float | None


class CandidatesOut(BaseModel):
    """A page of candidates; `under_way`: words have answered, and meaning will when it is asked again in a moment.

    `reason` says why meaning cannot answer. By meaning at most 1,000 are found, by words and meaning 2,000.
    """

    total: int
    page: int
    under_way: bool
    reason: str
    candidates: list[FoundOut]


class UsedOut(BaseModel):
    """The example that a candidate became."""

    candidate: int
    example: int


class ManyOut(BaseModel):
    """What was done to many: how many it changed; what was used already is neither kept nor rejected."""

    act: str
    changed: int


class UndoneStepOut(BaseModel):
    """The candidates that an undo set back, and those that stay since their example is worked on; or neither."""

    undone: list[int]
    stayed: list[int]


@router.get("/candidates", name="api:candidates")
def candidates(session: SessionDep, access: Annotator, wanted: Annotated[CandidatesQuery, Query()]) -> CandidatesOut:
    """The pool, filtered; what is not judged unless another status is asked for.

    `by` searches by meaning or by both; `like` and `unlike` may each be given several times.
    """
    hits = find(session, access.project.id, wanted.as_filter())
    page = page_of(session, hits, wanted.page)
    shown = [FoundOut.model_validate(document) for document in found_documents(page)]
    return CandidatesOut(
        total=page.pager.total, page=page.pager.number, under_way=hits.under_way, reason=hits.reason, candidates=shown
    )


@router.post("/candidates/selected", name="api:many_candidates")
def many(session: SessionDep, access: Annotator, body: ManyForm) -> ManyOut:
    """Keep, reject, use or assign many as one act, which one undo takes back."""
    chosen = [queries.candidate_in(session, access.project.id, one) for one in body.ids]
    done = operations.do_with_many(session, access.user, chosen, body.as_act())
    return ManyOut(act=body.act, changed=done.count)


@router.post("/candidates/undoing", name="api:undo_in_pool")
def undo(session: SessionDep, access: Annotator) -> UndoneStepOut:
    """Undo what this person did last in the pool; again, what they did before that."""
    undone = operations.undo_last(session, access.user, access.project)
    return UndoneStepOut(undone=list(undone.candidates), stayed=list(undone.stayed))


@router.get("/candidates/{candidate_id}", name="api:candidate")
def candidate(session: SessionDep, access: Annotator, candidate_id: int) -> CandidateOut:
    """One candidate."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    return CandidateOut.model_validate(candidate_document(found))


@router.post("/candidates/{candidate_id}/keeping", name="api:keep_candidate")
def keep(session: SessionDep, access: Annotator, candidate_id: int) -> CandidateOut:
    """Keep a candidate: it belongs in the set, and plans take it first."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    operations.keep_candidate(session, access.user, found)
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


@router.post("/candidates/{candidate_id}/title", name="api:judge_title")
def judge_title(session: SessionDep, access: Annotator, candidate_id: int, body: JudgeForm) -> CandidateOut:
    """Say whether the title stands alone; then it becomes the prompt when the candidate is used."""
    found = queries.candidate_in(session, access.project.id, candidate_id)
    operations.judge_title(session, access.user, found, body.value)
    return CandidateOut.model_validate(candidate_document(found))
