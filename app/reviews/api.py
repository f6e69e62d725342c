"""/api/v1: the review queue, verdicts, imported sets."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.examples.queries import example_in
from app.projects.access import Annotator, Lead, Reviewer
from app.reviews import operations, queries
from app.reviews.forms import ImportedForm, VerdictForm, WithdrawForm
from app.reviews.models import Review
from app.reviews.panel import visible
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["reviews"], responses=REFUSALS)


class WaitingOut(BaseModel):
    """An example that waits for a second person."""

    example: int
    revision: int
    title: str
    source: str
    split: str
    author: str | None
    since: str


class QueueOut(BaseModel):
    """A page of the queue, the longest wait first."""

    total: int
    page: int
    waiting: list[WaitingOut]


class ReviewOut(BaseModel):
    """A verdict."""

    example: int
    revision: int
    verdict: str
    outcome: str | None = Field(default=None, description="What the example became by it; null while another waits.")
    words: str
    reviewer: str | None
    at: str


class ReviewsOut(BaseModel):
    """The verdicts on an example that stand, the newest first."""

    reviews: list[ReviewOut]


class ImportedOut(BaseModel):
    """How many examples were approved as imported."""

    approved: int = Field(description="Examples that an import brought and nobody edited.")


@router.get("/reviews", name="api:review_queue")
def queue(session: SessionDep, access: Annotator, page: PageNumber = 1) -> QueueOut:
    """What waits for a second person."""
    found, pager = page_of(session, queries.awaiting_review(access.project.id), page)
    waiting = [
        WaitingOut(
            example=head.example_id,
            revision=head.number,
            title=head.title,
            source=head.example.source,
            split=head.example.split.value,
            author=head.author.name if head.author else None,
            since=head.example.changed_at.isoformat(),
        )
        for head in found
    ]
    return QueueOut(total=pager.total, page=pager.number, waiting=waiting)


@router.get("/examples/{example_id}/reviews", name="api:reviews")
def reviews(session: SessionDep, access: Annotator, example_id: int) -> ReviewsOut:
    """The verdicts that stand: none that was taken back, and the first of two once both are given."""
    example = example_in(session, access.project.id, example_id)
    told = session.scalars(queries.reviews_of(example)).all()
    return ReviewsOut(reviews=[_shown(review) for review in visible(told, example, access.user.id)])


@router.post("/examples/{example_id}/reviews", name="api:review", status_code=201)
def decide(session: SessionDep, access: Reviewer, example_id: int, body: VerdictForm) -> ReviewOut:
    """Approve, return or reject one revision; an approval that stands already is given back as it is."""
    example = example_in(session, access.project.id, example_id)
    if body.verdict == "approved":
        return _shown(operations.approve(session, access.user, example, body.revision, body.words))
    act = operations.return_example if body.verdict == "returned" else operations.reject
    return _shown(act(session, access.user, example, body.revision, body.words))


@router.post("/examples/{example_id}/reviews/withdrawal", name="api:withdraw_review")
def withdraw(
    session: SessionDep, access: Reviewer, example_id: int, which: Annotated[WithdrawForm, Query()]
) -> ReviewOut:
    """Take one's own last verdict back."""
    example = example_in(session, access.project.id, example_id)
    return _shown(operations.withdraw_verdict(session, access.user, example, which.revision))


@router.post("/reviews/imported", name="api:approve_imported")
def approve_imported(session: SessionDep, access: Lead, body: ImportedForm) -> ImportedOut:
    """Approve a set that was approved elsewhere, with the reason."""
    return ImportedOut(approved=operations.approve_imported(session, access.user, access.project, body.reason))


def _shown(review: Review) -> ReviewOut:
    return ReviewOut(
        example=review.example_id,
        revision=review.revision_number,
        verdict=review.verdict.value,
        outcome=review.outcome.value if review.outcome else None,
        words=review.words,
        reviewer=review.reviewer.name if review.reviewer else None,
        at=review.created_at.isoformat(),
    )
