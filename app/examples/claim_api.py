"""/api/v1: the queue, claims, skips, hand-overs, second answers."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.accounts import queries as people
from app.db import now
from app.examples import answers, claims, queries, queueing, skips
from app.examples.api import ExampleOut
from app.examples.at import At, AtExample
from app.examples.documents import example_document
from app.examples.models import Example, SkipReason
from app.examples.queue_forms import HandIn, NextForm, OverlapForm, SkipIn
from app.examples.queue_pages import HandedRow, HeldRow, SkippedRow, queue_page
from app.projects.access import Annotator, Lead
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["queue"], responses=REFUSALS)


class ClaimOut(BaseModel):
    """Who writes on an example, and until when; nobody is null."""

    example: int
    mine: bool
    claimed_until: datetime | None
    handed_to_me: bool
    beside: int | None
    answers: int


class NextOut(BaseModel):
    """What to write next, and why; null when nothing is left."""

    example: ExampleOut | None
    why: str | None
    claimed_until: datetime | None


class QueueOut(BaseModel):
    """Who writes on what, what was handed over, and for leads what was skipped."""

    overlap: int
    held: list[HeldRow]
    handed: list[HandedRow]
    skipped: list[SkippedRow]


@router.get("/queue", name="api:queue")
def queue(session: SessionDep, access: Annotator) -> QueueOut:
    """What moves in the queue."""
    page = queue_page(session, access)
    return QueueOut(overlap=page.overlap, held=[*page.held], handed=[*page.handed], skipped=[*page.skipped])


@router.put("/queue", name="api:overlap")
def overlap(session: SessionDep, access: Lead, body: OverlapForm) -> QueueOut:
    """Say how many people may answer the same prompt."""
    queueing.set_overlap(session, access.user, access.project, body.overlap)
    return queue(session, access)


@router.post("/examples/next", name="api:next")
def following(session: SessionDep, access: Annotator, body: Annotated[NextForm, Body()] = NextForm()) -> NextOut:
    """The next example for this person, claimed."""
    after = queries.example_in(session, access.project.id, body.after) if body.after else None
    found = queueing.claim_next(session, access.user, access.project, after=after)
    if found is None:
        return NextOut(example=None, why=None, claimed_until=None)
    return NextOut(
        example=_shown(session, found.example), why=found.why.value, claimed_until=found.example.claimed_until
    )


@router.get("/examples/{example_id}/claim", name="api:claim")
def claim(at: AtExample) -> ClaimOut:
    """Whether somebody writes on it."""
    return _claim(at)


@router.put("/examples/{example_id}/claim", name="api:take")
def take(at: AtExample) -> ClaimOut:
    """Have it alone for a while, or renew that; 409 names who has it."""
    claims.claim(at.session, at.user, at.example)
    return _claim(at)


@router.delete("/examples/{example_id}/claim", name="api:release")
def release(at: AtExample) -> ClaimOut:
    """Let others have it."""
    claims.release(at.session, at.user, at.example)
    return _claim(at)


@router.put("/examples/{example_id}/skip", name="api:skip")
def skip(at: AtExample, body: SkipIn) -> ClaimOut:
    """Leave it to the others, and say why."""
    skips.skip(at.session, at.user, at.example, SkipReason(body.reason), body.words)
    return _claim(at)


@router.delete("/examples/{example_id}/skip", name="api:unskip")
def unskip(at: AtExample) -> ClaimOut:
    """Take a skip back."""
    skips.unskip(at.session, at.user, at.example)
    return _claim(at)


@router.put("/examples/{example_id}/handing", name="api:hand_over")
def hand_over(at: AtExample, body: HandIn) -> ClaimOut:
    """Give it to a member."""
    person = people.user_by_email(at.session, body.to)
    if person is None:
        raise skips.NotAMember
    skips.hand_over(at.session, at.user, at.example, person, body.words)
    return _claim(at)


@router.delete("/examples/{example_id}/handing", name="api:take_back")
def take_back(at: AtExample) -> ClaimOut:
    """Take a hand-over back while the other has not begun."""
    skips.take_back(at.session, at.user, at.example, at.access.role)
    return _claim(at)


@router.post("/examples/{example_id}/answers", name="api:answer", status_code=201)
def answer(at: AtExample) -> ExampleOut:
    """Turn one's working copy into a second answer beside it, or begin one from the prompt."""
    return _shown(at.session, answers.answer_with_words(at.session, at.user, at.project, at.example))


def _claim(at: At) -> ClaimOut:
    example = at.example
    alive = example.claimed_until is not None and example.claimed_until > now()
    return ClaimOut(
        example=example.id,
        mine=alive and example.claimed_by == at.user.id,
        claimed_until=example.claimed_until if alive else None,
        handed_to_me=example.handed_to == at.user.id,
        beside=example.beside_id,
        answers=example.answers,
    )


def _shown(session: Session, example: Example) -> ExampleOut:
    return ExampleOut.model_validate(example_document(example, queries.head_revision(session, example)))
