"""/api/v1: what to add next, what is said to it, and selections of a size."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from app.embeddings.choosing import model_of
from app.embeddings.operations import light_encoder_within
from app.errors import Conflict
from app.projects.access import Annotator
from app.selection.adding import deciding, requesting
from app.selection.adding.advising import Asking, ask
from app.selection.adding.choosing import Method, choose, open_pool
from app.selection.adding.documents import next_document, selection_document
from app.selection.adding.forms import NextAsk, NextForm, RequestForm
from app.selection.adding.models import CoverageRequest
from app.selection.queries import candidate_in
from app.web.forms import Form
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["candidates"], responses=REFUSALS)
# Whoever asks by a program waits rather than ask twice.
PATIENCE = 30.0


class ModelUnderWay(Conflict):
    """The embedding model is being loaded; nothing was selected. Ask again in a moment."""


class NeedOut(BaseModel):
    """What a source of the target lacks."""

    source: str
    title: str
    target: int
    begun: int
    short: int


class SuggestionOut(BaseModel):
    """A candidate that would help, and why.

    `nearest` is the cosine of the set's nearest example; of `alike` candidates like it `bare` have no example near.
    `region` is what people call the part of the map where it lies, if they do; `request` the one that it answers.
    """

    id: int
    site: str
    external_id: str
    title: str
    source: str | None
    score: int | None
    reason: str
    nearest_example: int | None
    nearest: float | None
    alike: int
    bare: int
    region: str
    request: int | None


class ThinOut(BaseModel):
    """A region that the set does not cover: the candidate in its middle, and of how many how many are bare."""

    name: str
    candidate: int
    candidates: int
    examples: int
    bare: int
    region: str


class RequestOut(BaseModel):
    """What somebody asked for more of; `candidates` counts those of the pool that are about it."""

    id: int
    words: str
    by: str
    at: str
    candidates: int


class NextOut(BaseModel):
    """What to add next. `near` is the cosine from which two are alike; `under_way`: ask again in a moment.

    `area` names the part of the map that was asked for, empty for all of it.
    """

    encoded: int
    pool: int
    under_way: bool
    problem: str
    near: float | None
    begun: int
    short: int
    eligible: int
    put_off: int
    widened: bool
    area: str
    requests: list[RequestOut]
    needs: list[NeedOut]
    suggestions: list[SuggestionOut]
    thin: list[ThinOut]


class RequestedOut(BaseModel):
    """A request, and whether it weighs."""

    id: int
    words: str
    stands: bool


class SaidOut(BaseModel):
    """What was done with a suggestion, in words."""

    candidate: int
    said: str


class ChosenOut(BaseModel):
    """A candidate of a selection."""

    id: int
    site: str
    external_id: str
    title: str


class SelectionOut(BaseModel):
    """A selection in its order, and how well it covers what it is of."""

    method: str
    seed: int
    of: int
    count: int
    lowest: float
    mean: float
    kept: int | None
    candidates: list[ChosenOut]


class SelectionAsk(Form):
    """How many candidates, by which method; the seed is that of chance."""

    count: int = Field(1000, ge=1, le=100_000)
    method: Method = Method.COVERAGE
    seed: int = Field(0, ge=0, le=2**53 - 1)


@router.get("/next", name="api:next")
def add_next(request: Request, session: SessionDep, access: Annotator, wanted: Annotated[NextAsk, Query()]) -> NextOut:
    """The candidates that would help the set most, each with its reason."""
    asking = Asking(request.app.state.database, request.app.state.settings, PATIENCE)
    answer = ask(session, asking, access.project, wanted.as_wish())
    return NextOut.model_validate(next_document(answer))


@router.post("/coverage-requests", name="api:request_coverage", status_code=201)
def request_coverage(session: SessionDep, access: Annotator, body: RequestForm) -> RequestedOut:
    """Ask for more of something; the same words twice are one request."""
    return _requested(requesting.request_coverage(session, access.user, access.project, body.words))


@router.post("/coverage-requests/{number}/withdrawal", name="api:withdraw_request")
def withdraw_request(session: SessionDep, access: Annotator, number: int) -> RequestedOut:
    """Let a request weigh no more."""
    found = requesting.request_in(session, access.project.id, number)
    requesting.withdraw_request(session, access.user, access.project, found)
    return _requested(found)


@router.post("/coverage-requests/{number}/restoration", name="api:restore_request")
def restore_request(session: SessionDep, access: Annotator, number: int) -> RequestedOut:
    """Undo a withdrawal."""
    found = requesting.request_in(session, access.project.id, number)
    requesting.restore_request(session, access.user, access.project, found)
    return _requested(found)


def _requested(request: CoverageRequest) -> RequestedOut:
    return RequestedOut(id=request.id, words=request.words, stands=request.withdrawn_at is None)


@router.post("/next/{candidate_id}", name="api:decide_next")
def decide(session: SessionDep, access: Annotator, candidate_id: int, body: NextForm) -> SaidOut:
    """Accept a suggestion, put it off, or reject it for good."""
    candidate = candidate_in(session, access.project.id, candidate_id)
    said = deciding.decide(session, access.user, access.project, candidate, body.verdict, body.reason)
    return SaidOut(candidate=candidate_id, said=said)


@router.post("/next/{candidate_id}/undoing", name="api:undo_next")
def undo(session: SessionDep, access: Annotator, candidate_id: int) -> SaidOut:
    """Undo what was said to a suggestion."""
    candidate = candidate_in(session, access.project.id, candidate_id)
    verdict = deciding.take_back(session, access.user, access.project, candidate)
    return SaidOut(candidate=candidate_id, said=f"Undone: {verdict.value}.")


@router.get("/selection", name="api:selection")
def selection(
    request: Request, session: SessionDep, access: Annotator, wanted: Annotated[SelectionAsk, Query()]
) -> SelectionOut:
    """So many open candidates by a method; nothing moves. Seconds for a large pool."""
    encoder = light_encoder_within(PATIENCE, model_of(session, request.app.state.settings, access.project.id))
    if encoder is None:
        raise ModelUnderWay
    pool = open_pool(session, request.app.state.database, encoder, access.project)
    return SelectionOut.model_validate(selection_document(choose(pool, wanted.method, wanted.count, wanted.seed)))
