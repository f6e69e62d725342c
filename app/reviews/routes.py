"""Review: one example a screen, one key a decision."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.examples.models import Example
from app.examples.queries import example_in
from app.projects.access import Annotator, Lead, ProjectAccess, Reviewer
from app.reviews import operations
from app.reviews.forms import ImportedForm, ReviewQuery, ReviewsNeededForm, VerdictForm, WithdrawForm
from app.reviews.models import Review
from app.reviews.pages import Typed, agreement_page, first_for, review_page
from app.reviews.panel import SAID
from app.web.paging import PageNumber
from app.web.templating import Flash, leave, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)
Wanted = Annotated[ReviewQuery, Query()]


@router.get("/projects/{slug}/review", name="reviews:queue")
def queue(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """The queue, its first example that one may decide on the screen."""
    return render(request, "reviews/review.html", review_page(session, access, None, wanted), session=session)


@router.get("/projects/{slug}/review/{example_id}", name="reviews:example")
def show(request: Request, session: SessionDep, access: Annotator, example_id: int, wanted: Wanted) -> Response:
    """One example of the queue, or one that is decided already."""
    page = review_page(session, access, example_in(session, access.project.id, example_id), wanted)
    return render(request, "reviews/review.html", page, session=session)


@router.post("/projects/{slug}/review/{example_id}", name="reviews:decide")
def decide(
    request: Request,
    session: SessionDep,
    access: Reviewer,
    example_id: int,
    form: Annotated[VerdictForm, Form()],
    wanted: Wanted,
) -> Response:
    """Record the verdict and show the next example; a return without words or comments asks for them."""
    example = example_in(session, access.project.id, example_id)
    following = first_for(session, access, wanted.filter, example)
    try:
        review = _decide(session, access, example, form)
    except operations.WordsNeeded as refusal:
        page = review_page(session, access, example, wanted, Typed(form.words, refusal.message))
        return render(request, "reviews/review.html", page, session=session, status=422)
    flash = _flash(request, access, example, review)
    slug, query = access.project.slug, wanted.as_query(markup=False)
    if following is None:
        return leave(request, "reviews:queue", flash, slug=slug, query=query)
    return leave(request, "reviews:example", flash, slug=slug, example_id=following.id, query=query)


def _decide(session: Session, access: ProjectAccess, example: Example, form: VerdictForm) -> Review:
    if form.verdict == "approved":
        return operations.approve(session, access.user, example, form.revision, form.words)
    act = operations.return_example if form.verdict == "returned" else operations.reject
    return act(session, access.user, example, form.revision, form.words)


def _flash(request: Request, access: ProjectAccess, example: Example, review: Review) -> Flash:
    what = f"Example {example.id}: {SAID[review.verdict]}"
    if review.reviewer_id != access.user.id:
        who = review.reviewer.name if review.reviewer else "somebody else"
        return Flash("info", f"{what} by {who} already.")
    path = request.app.url_path_for("reviews:withdraw", slug=access.project.slug, example_id=example.id)
    return Flash("ok", f"{what}{_and_then(review)}.", undo_url=f"{path}?revision={review.revision_number}")


def _and_then(review: Review) -> str:
    if review.outcome is None:
        return "; it waits for another second person"
    return f"; with the other verdict it is {SAID[review.outcome]}" if review.outcome is not review.verdict else ""


@router.post("/projects/{slug}/review/{example_id}/withdrawal", name="reviews:withdraw")
def withdraw(
    request: Request, session: SessionDep, access: Reviewer, example_id: int, which: Annotated[WithdrawForm, Query()]
) -> Response:
    """Take one's own verdict back."""
    example = example_in(session, access.project.id, example_id)
    operations.withdraw_verdict(session, access.user, example, which.revision)
    flash = Flash("ok", "Taken back; it waits in review again.")
    return redirect(request, "reviews:example", flash, slug=access.project.slug, example_id=example_id)


@router.post("/projects/{slug}/review-imported", name="reviews:imported")
def approve_imported(
    request: Request, session: SessionDep, access: Lead, form: Annotated[ImportedForm, Form()]
) -> Response:
    """Approve what imports brought and nobody edited, with the reason."""
    count = operations.approve_imported(session, access.user, access.project, form.reason)
    flash = Flash("ok", f"Approved as imported: {plural(count, 'example')}.")
    return redirect(request, "reviews:queue", flash, slug=access.project.slug)


@router.get("/projects/{slug}/review-agreement", name="reviews:agreement")
def agreement(request: Request, session: SessionDep, access: Lead, page: PageNumber = 1) -> Response:
    """How far second persons agree, with the texts behind each number, and how many an approval takes."""
    return render(request, "reviews/agreement.html", agreement_page(session, access, page), session=session)


@router.post("/projects/{slug}/review-agreement", name="reviews:needed")
def needed(request: Request, session: SessionDep, access: Lead, form: Annotated[ReviewsNeededForm, Form()]) -> Response:
    """Say whether an approval takes one review or two."""
    operations.set_reviews_needed(session, access.user, access.project, form.reviews)
    flash = Flash("ok", f"An approval takes {plural(form.reviews, 'review')} from now on.")
    return redirect(request, "reviews:agreement", flash, slug=access.project.slug)
