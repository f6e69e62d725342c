"""Review: one example a screen, one key a decision."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.db import SessionDep
from app.examples.models import Example
from app.examples.queries import example_in
from app.projects.access import Annotator, Lead, ProjectAccess, Reviewer
from app.reviews import operations
from app.reviews.forms import ImportedForm, VerdictForm, WithdrawForm
from app.reviews.models import Review
from app.reviews.pages import SAID, first_for, review_page
from app.web.templating import Flash, leave, redirect, render
from app.web.words import plural

router = APIRouter(include_in_schema=False)
View = Annotated[Literal["diff", "clean"], Query()]


@router.get("/projects/{slug}/review", name="reviews:queue")
def queue(request: Request, session: SessionDep, access: Annotator, view: View = "diff") -> Response:
    """The queue, its first example that one may decide on the screen."""
    page = review_page(session, access, None, view=view)
    return render(request, "reviews/review.html", page, session=session)


@router.get("/projects/{slug}/review/{example_id}", name="reviews:example")
def show(request: Request, session: SessionDep, access: Annotator, example_id: int, view: View = "diff") -> Response:
    """One example of the queue, or one that is decided already."""
    page = review_page(session, access, example_in(session, access.project.id, example_id), view=view)
    return render(request, "reviews/review.html", page, session=session)


@router.post("/projects/{slug}/review/{example_id}", name="reviews:decide")
def decide(
    request: Request, session: SessionDep, access: Reviewer, example_id: int, form: Annotated[VerdictForm, Form()]
) -> Response:
    """Record the verdict and show the next example; a return without words asks for them."""
    example = example_in(session, access.project.id, example_id)
    following = first_for(session, access, example)
    try:
        review = _decide(session, access, example, form)
    except operations.WordsNeeded as refusal:
        page = review_page(session, access, example, view="diff", words=form.words, error=refusal.message)
        return render(request, "reviews/review.html", page, session=session, status=422)
    flash = _flash(request, access, example, review)
    if following is None:
        return leave(request, "reviews:queue", flash, slug=access.project.slug)
    return leave(request, "reviews:example", flash, slug=access.project.slug, example_id=following.id)


def _decide(session: Session, access: ProjectAccess, example: Example, form: VerdictForm) -> Review:
    if form.verdict == "approved":
        return operations.approve(session, access.user, example, form.revision)
    act = operations.return_example if form.verdict == "returned" else operations.reject
    return act(session, access.user, example, form.revision, form.words)


def _flash(request: Request, access: ProjectAccess, example: Example, review: Review) -> Flash:
    what = f"Example {example.id}: {SAID[review.verdict]}"
    if review.reviewer_id != access.user.id:
        who = review.reviewer.name if review.reviewer else "somebody else"
        return Flash("info", f"{what} by {who} already.")
    path = request.app.url_path_for("reviews:withdraw", slug=access.project.slug, example_id=example.id)
    return Flash("ok", f"{what}.", undo_url=f"{path}?revision={review.revision_number}")


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
