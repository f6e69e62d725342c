"""/api/v1: comments on passages; how far second persons agree, and how many an approval takes."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.examples import queries as examples
from app.examples.models import Example
from app.projects.access import Annotator, Lead
from app.reviews import commenting, operations
from app.reviews.forms import CommentForm, ReviewsNeededForm
from app.reviews.margin import Thread, threads
from app.reviews.models import Comment
from app.reviews.pages import agreement_page
from app.web.paging import PageNumber
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["reviews"], responses=REFUSALS)
CommentNumber = Annotated[int, Path(ge=1, le=10**18)]


class AnswerOut(BaseModel):
    """Words in a thread."""

    author: str
    words: str
    at: str


class ThreadOut(BaseModel):
    """A comment with its answers, and where its passage is in the newest revision."""

    comment: int
    author: str
    words: str
    at: str
    revision: int = Field(description="The revision that it was made on.")
    quote: str
    passage: str = Field(description="whole (of the example), here, changed (it reads otherwise by now) or gone.")
    message: int
    start: int | None = Field(description="In characters of that message in the newest revision.")
    end: int | None
    settled: bool
    answers: list[AnswerOut]


class ThreadsOut(BaseModel):
    """All threads on an example, the oldest first."""

    comments: list[ThreadOut]


class CommentOut(BaseModel):
    """The comment that was written or settled."""

    comment: int
    answer_to: int | None
    revision: int
    message: int
    start: int
    end: int
    quote: str
    words: str
    settled: bool


class AgreementOut(BaseModel):
    """How far second persons agree; kappa is None where there is nothing to agree on."""

    reviews_needed: int
    texts: int
    agreed: int
    percent: float | None
    kappa: float | None


@router.get("/examples/{example_id}/comments", name="api:comments")
def comments(session: SessionDep, access: Annotator, example_id: int) -> ThreadsOut:
    """The comments on an example, their passages carried to its newest revision."""
    example = examples.example_in(session, access.project.id, example_id)
    found = threads(session, example, examples.head_revision(session, example).messages)
    return ThreadsOut(comments=[_thread(one) for one in found])


@router.post("/examples/{example_id}/comments", name="api:comment", status_code=201)
def comment(session: SessionDep, access: Annotator, example_id: int, body: CommentForm) -> CommentOut:
    """Comment on a passage, or answer a comment; the same key twice gives the same comment."""
    example = examples.example_in(session, access.project.id, example_id)
    if body.answer_to is not None:
        said = commenting.answer(session, access.user, example, body.answer_to, body.words, key=body.key)
    else:
        said = commenting.comment(
            session, access.user, example, body.words, body.passage, revision_number=body.revision, key=body.key
        )
    return _shown(said)


@router.post("/examples/{example_id}/comments/{comment_id}/settlement", name="api:settle_comment")
def settle(session: SessionDep, access: Annotator, example_id: int, comment_id: CommentNumber) -> CommentOut:
    """Settle a thread; a settled one stays settled."""
    return _shown(commenting.settle(session, access.user, _example(session, access, example_id), comment_id))


@router.post("/examples/{example_id}/comments/{comment_id}/reopening", name="api:open_comment")
def open_again(session: SessionDep, access: Annotator, example_id: int, comment_id: CommentNumber) -> CommentOut:
    """Open a settled thread again."""
    return _shown(commenting.open_again(session, access.user, _example(session, access, example_id), comment_id))


def _example(session: Session, access: Annotator, example_id: int) -> Example:
    return examples.example_in(session, access.project.id, example_id)


@router.get("/reviews/agreement", name="api:agreement")
def agreement(session: SessionDep, access: Lead, page: PageNumber = 1) -> AgreementOut:
    """How far second persons agree where the project asks for two."""
    found = agreement_page(session, access, page)
    all_of_it = found.overall
    return AgreementOut(
        reviews_needed=found.needed, texts=all_of_it.texts, agreed=all_of_it.agreed, percent=all_of_it.percent,
        kappa=all_of_it.kappa,
    )  # fmt: skip


@router.put("/reviews/needed", name="api:reviews_needed")
def needed(session: SessionDep, access: Lead, body: ReviewsNeededForm) -> AgreementOut:
    """Say whether an approval takes one review or two."""
    operations.set_reviews_needed(session, access.user, access.project, body.reviews)
    return agreement(session, access)


def _thread(one: Thread) -> ThreadOut:
    return ThreadOut(
        comment=one.id, author=one.by, words=one.words, at=one.at.isoformat(), revision=one.revision, quote=one.quote,
        passage=one.state, message=one.message, start=one.place.start if one.place else None,
        end=one.place.end if one.place else None, settled=one.settled,
        answers=[AnswerOut(author=said.by, words=said.words, at=said.at.isoformat()) for said in one.answers],
    )  # fmt: skip


def _shown(said: Comment) -> CommentOut:
    return CommentOut(
        comment=said.id, answer_to=said.answer_to, revision=said.revision_number, message=said.message,
        start=said.start, end=said.end, quote=said.quote, words=said.words, settled=said.settled_at is not None,
    )  # fmt: skip
