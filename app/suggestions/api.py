"""/api/v1: help from a model. The same operations as the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.endpoints import queries as endpoints
from app.examples import queries as examples
from app.examples.models import Suggestion
from app.projects.access import Annotator, Lead, ProjectAccess
from app.runs import queries as runs
from app.suggestions import operations, queries
from app.suggestions.documents import help_document, suggestion_document
from app.suggestions.forms import AskIn, HelpIn
from app.suggestions.queries import Place
from app.web.found import found
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["suggestions"], responses=REFUSALS)
SuggestionId = Annotated[int, Path(ge=1, lt=2**62)]


class SuggestionOut(BaseModel):
    """A suggestion; `sent` is all that the model was given, `words` its answer, null while it waits."""

    id: int
    example: int | None
    kind: str
    state: str = Field(description="waiting, answered or failed")
    words: str | None
    error: str | None
    by: str
    model: str
    asked_by: str | None
    asked_at: str
    seconds: float | None
    tokens: int | None
    cut: bool
    copied: bool
    sent: list[dict[str, Any]]
    job: int | None


class HelpOut(BaseModel):
    """Who helps: a model server by name or a run by number, and where texts go (`host` is empty for a run)."""

    endpoint: str | None
    run: int | None
    by: str | None
    model: str | None
    host: str | None
    critique: str
    outline: str


def _out(suggestion: Suggestion) -> SuggestionOut:
    return SuggestionOut.model_validate(suggestion_document(suggestion))


def _one(session: Session, access: ProjectAccess, suggestion_id: int) -> Suggestion:
    return found(session, queries.suggestion_of(access.project, suggestion_id, access.user))


@router.get("/projects/{slug}/model-help", name="api:model_help")
def show_help(access: Annotator, session: SessionDep) -> HelpOut:
    """Who helps here, and with what instruction."""
    return HelpOut.model_validate(help_document(session, access.project))


@router.put("/projects/{slug}/model-help", name="api:set_model_help")
def set_help(access: Lead, session: SessionDep, body: HelpIn) -> HelpOut:
    """Say who helps here: a model server, a run, or with neither nobody."""
    endpoint = endpoints.named_endpoint(session, body.endpoint) if body.endpoint else None
    run = found(session, runs.run_of(access.project, body.run)) if body.run else None
    operations.set_help(
        session, access.user, access.project, endpoint=endpoint, run=run, critique=body.critique, outline=body.outline
    )
    return HelpOut.model_validate(help_document(session, access.project))


@router.get("/projects/{slug}/examples/{example_id}/suggestions", name="api:suggestions")
def list_suggestions(access: Annotator, session: SessionDep, example_id: int) -> list[SuggestionOut]:
    """What models were asked about an example, the latest twenty, newest first."""
    place = Place(access.project, examples.example_in(session, access.project.id, example_id))
    return [_out(one) for one in session.scalars(queries.suggestions_at(place, access.user))]


@router.post("/projects/{slug}/examples/{example_id}/suggestions", name="api:suggest", status_code=202)
def suggest(access: Annotator, session: SessionDep, example_id: int, body: AskIn) -> SuggestionOut:
    """Ask the project's model for a critique or an outline; the answer comes by a job, look again."""
    example = examples.example_in(session, access.project.id, example_id)
    head = examples.head_revision(session, example).messages
    words = head if body.messages is None else [one.model_dump() for one in body.messages]
    return _out(operations.suggest(session, access.user, Place(access.project, example), body.kind, words))


@router.get("/projects/{slug}/suggestions/{suggestion_id}", name="api:suggestion")
def show_suggestion(access: Annotator, session: SessionDep, suggestion_id: SuggestionId) -> SuggestionOut:
    """One suggestion with all that was sent."""
    return _out(_one(session, access, suggestion_id))


@router.post("/projects/{slug}/suggestions/{suggestion_id}/copy", name="api:copy_suggestion")
def copy(access: Annotator, session: SessionDep, suggestion_id: SuggestionId) -> SuggestionOut:
    """Write down that its words were taken; revisions saved after it say so."""
    suggestion = _one(session, access, suggestion_id)
    operations.note_copied(session, access.user, suggestion)
    return _out(suggestion)


@router.post("/projects/{slug}/suggestions/{suggestion_id}/cancellation", name="api:cancel_suggestion")
def cancel(access: Annotator, session: SessionDep, suggestion_id: SuggestionId) -> SuggestionOut:
    """Stop waiting for the answer; one that is there stays."""
    suggestion = _one(session, access, suggestion_id)
    operations.cancel(session, access.user, access.role, suggestion)
    return _out(suggestion)
