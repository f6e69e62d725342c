"""/api/v1: examples, their revisions, submission."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.examples import describing, operations, queries
from app.examples.answers import keep_words
from app.examples.claims import HeldByAnother
from app.examples.documents import example_document, found_document, merge_document, revision_document
from app.examples.forms import DescriptionIn, ExampleIn, MessageIn, RevisionIn, SearchQuery
from app.examples.merging import Turns, merge_turns, turns_of
from app.examples.models import Example, Revision
from app.examples.searching import all_examples
from app.projects.access import Annotator, ProjectAccess
from app.text.search import parse
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS, Refused
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["examples"], responses=REFUSALS)


class MessageOut(BaseModel):
    """One message."""

    role: str
    content: str


class ExampleOut(BaseModel):
    """An example with the words of its newest revision."""

    id: int
    state: str
    split: str
    source: str
    language: str
    flags: list[str]
    author_group: str | None = Field(description="A or B: the group of the prompt's author when it was written.")
    sensitive: bool
    format_constraint: bool = Field(description="Whether the prompt fixes the structure of its answer.")
    acknowledges_first: bool = Field(description="Whether the response takes up the question before it answers.")
    translation_of: int | None = Field(description="The number of the example that this one translates.")
    translation_seen: int | None = Field(description="The revision of it that the translator has seen.")
    revision: int
    head: int
    approved: int | None = Field(description="The revision approved last, even if the example was reopened since.")
    title: str
    messages: list[MessageOut]
    content_hash: str
    author: str | None
    candidate: int | None
    licence: str | None
    attribution: dict[str, Any]
    verdict_words: str
    created_at: str
    changed_at: str


class PieceOut(BaseModel):
    """A stretch of a text; `hit` is a word that was looked for."""

    text: str
    hit: bool


class FoundOut(ExampleOut):
    """An example in a list."""

    snippet: list[PieceOut] = Field(description="Where its texts say what was looked for; empty without a search.")


class ExamplesOut(BaseModel):
    """A page of examples, the latest change first."""

    total: int
    page: int
    examples: list[FoundOut]


class HelpMarkOut(BaseModel):
    """A suggestion of a model that was there when a revision was saved; `words` of it stand in the revision."""

    suggestion: int
    kind: str
    by: str
    model: str
    copied: bool
    words: int


class RevisionOut(BaseModel):
    """One revision; `help` is what models had said by then."""

    number: int
    author: str | None
    note: str
    messages: list[MessageOut]
    content_hash: str
    help: list[HelpMarkOut]
    created_at: str


class RevisionsOut(BaseModel):
    """A page of revisions, the newest first."""

    total: int
    page: int
    revisions: list[RevisionOut]


class ConflictOut(BaseModel):
    """A place that both changed; turn 0 is the system message."""

    turn: int
    base: str
    mine: str
    theirs: str


class MergedOut(BaseModel):
    """Both people's words joined as a proposal; in a conflict one's own stand."""

    messages: list[MessageOut]
    conflicts: list[ConflictOut]


class StaleOut(BaseModel):
    """Somebody else saved in the meantime: the refusal, the words that stand there now, and both joined."""

    error: Refused
    current: RevisionOut
    base: RevisionOut | None = Field(description="The revision that the refused words began from.")
    merged: MergedOut


@router.get("/examples", name="api:examples")
def examples(session: SessionDep, access: Annotator, wanted: Annotated[SearchQuery, Query()]) -> ExamplesOut:
    """The project's examples, searched and filtered, the latest change first."""
    narrowed = wanted.as_filter(access.user)
    listed, looked_for = all_examples(session, access.project.id, narrowed, wanted.page), parse(narrowed.words)
    shown = [FoundOut.model_validate(found_document(head, looked_for)) for head in listed.heads]
    return ExamplesOut(total=listed.pager.total, page=listed.pager.number, examples=shown)


@router.post("/examples", name="api:create_example", status_code=201)
def create(session: SessionDep, access: Annotator, body: ExampleIn) -> ExampleOut:
    """Write a new example."""
    queries.require_source(session, access.project, body.source)
    example = operations.create_example(
        session, access.user, access.project,
        split=body.split, source=body.source, language=body.language, flags=body.flags,
        messages=plain(body.messages), note=body.note, creation_key=body.key,
        not_duplicates=body.not_duplicates,
    )  # fmt: skip
    return _shown(session, example)


def plain(messages: list[MessageIn]) -> list[dict[str, str]]:
    """Messages as the operations take them."""
    return [message.model_dump() for message in messages]


@router.get("/examples/{example_id}", name="api:example")
def example(session: SessionDep, access: Annotator, example_id: int, revision: int | None = None) -> ExampleOut:
    """One example, at its newest revision or at the one asked for."""
    return _shown(session, _example(session, access, example_id), revision)


@router.get("/examples/{example_id}/revisions", name="api:revisions")
def revisions(session: SessionDep, access: Annotator, example_id: int, page: PageNumber = 1) -> RevisionsOut:
    """The history of an example."""
    query = queries.revisions_of(_example(session, access, example_id))
    found, pager = page_of(session, query, page)
    shown = [RevisionOut.model_validate(revision_document(one)) for one in found]
    return RevisionsOut(total=pager.total, page=pager.number, revisions=shown)


@router.post(
    "/examples/{example_id}/revisions",
    name="api:save_revision",
    status_code=201,
    response_model=RevisionOut,
    responses={409: {"model": StaleOut}},
)
def save(
    request: Request, session: SessionDep, access: Annotator, example_id: int, body: RevisionIn
) -> RevisionOut | Response:
    """Save new words; a stale save answers 409 with the words that stand there now and both joined."""
    example = _example(session, access, example_id)
    try:
        saved = operations.save_revision(
            session, access.user, example,
            based_on=body.based_on, messages=plain(body.messages), note=body.note, idempotency_key=body.key,
        )  # fmt: skip
    except operations.StaleSave as stale:
        refused = {"message": stale.message, "problems": [], "request_id": request.state.request_id}
        return JSONResponse({"error": refused, **_both(session, example, stale.current, body)}, stale.status)
    except HeldByAnother as held:
        keep_words(session, access.user, access.project, example, plain(body.messages), body.based_on)
        refused = {"message": held.message, "problems": [], "request_id": request.state.request_id}
        current = revision_document(queries.head_revision(session, example))
        return JSONResponse({"error": refused, "current": current}, held.status)
    return RevisionOut.model_validate(revision_document(saved))


def _both(session: Session, example: Example, current: Revision, body: RevisionIn) -> dict[str, Any]:
    base = queries.revision(session, example, body.based_on)
    began = turns_of(base.messages) if base else Turns("", ())
    merged = merge_turns(began, turns_of(plain(body.messages)), turns_of(current.messages))
    return {
        "current": revision_document(current),
        "base": revision_document(base) if base else None,
        "merged": merge_document(merged),
    }


@router.put("/examples/{example_id}/description", name="api:describe_example")
def describe(session: SessionDep, access: Annotator, example_id: int, body: DescriptionIn) -> ExampleOut:
    """Say what an example is for; another split, source or language reopens what was approved."""
    example = _example(session, access, example_id)
    describing.describe_example(
        session, access.user, example,
        split=body.split, source=body.source, language=body.language, flags=body.flags,
    )  # fmt: skip
    return _shown(session, example)


@router.post("/examples/{example_id}/submission", name="api:submit_example")
def submit(session: SessionDep, access: Annotator, example_id: int) -> ExampleOut:
    """Send it to review; repeated, nothing changes."""
    example = _example(session, access, example_id)
    operations.submit_example(session, access.user, example)
    return _shown(session, example)


@router.post("/examples/{example_id}/withdrawal", name="api:withdraw_example")
def withdraw(session: SessionDep, access: Annotator, example_id: int) -> ExampleOut:
    """Take it back out of review."""
    example = _example(session, access, example_id)
    operations.withdraw_example(session, access.user, example)
    return _shown(session, example)


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)


def _shown(session: Session, example: Example, number: int | None = None) -> ExampleOut:
    revision = queries.revision(session, example, number or example.revision_number)
    if revision is None:
        raise NotFound("There is no such revision.")
    return ExampleOut.model_validate(example_document(example, revision))
