"""Comments on passages: written, answered, settled; beside the text on the review screen and on the desk."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.examples.models import Example
from app.examples.queries import example_in
from app.projects.access import Annotator, ProjectAccess, Reading
from app.reviews import commenting
from app.reviews.forms import CommentForm, ReviewQuery
from app.reviews.pages import Typed, comments_page, review_page
from app.web.forms import Typed as Fields
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep, reads_only

router = APIRouter(include_in_schema=False)
Wanted = Annotated[ReviewQuery, Query()]
Act = Literal["settlement", "reopening"]


@router.get("/projects/{slug}/examples/{example_id}/comments", name="reviews:comments")
def comments(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """The comments on an example, for the margin of its desk or a page of their own."""
    return _comments(request, session, access, example_in(session, access.project.id, example_id))


@router.post("/projects/{slug}/examples/{example_id}/comments/placing", name="reviews:placed_comments")
@reads_only
def placed(request: Request, session: SessionDep, access: Reading, example_id: int, typed: Fields) -> Response:
    """The comments with their passages found in what stands on the desk, saved or not."""
    return _comments(request, session, access, example_in(session, access.project.id, example_id), typed)


def _comments(
    request: Request, session: Session, access: ProjectAccess, example: Example, typed: Mapping[str, str] | None = None
) -> Response:
    page = comments_page(session, access, example, typed)
    return render(request, "reviews/comments.html", page, session=session, fragments=("comments",))


@router.post("/projects/{slug}/review/{example_id}/comments", name="reviews:comment")
def comment(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    form: Annotated[CommentForm, Form()],
    wanted: Wanted,
) -> Response:
    """Say something of a passage, or answer; what cannot be taken comes back as it was typed."""
    example = example_in(session, access.project.id, example_id)
    try:
        _say(session, access, example, form)
    except Refusal as refusal:
        if refusal.status != Refusal.status:
            raise
        page = review_page(session, access, example, wanted, Typed(error=refusal.message, comment=form))
        return render(request, "reviews/review.html", page, session=session, status=422)
    said = "Answered." if form.answer_to else "The comment stands beside the text."
    return _back(request, access, example, wanted, Flash("ok", said))


def _say(session: Session, access: ProjectAccess, example: Example, form: CommentForm) -> None:
    if form.answer_to is not None:
        commenting.answer(session, access.user, example, form.answer_to, form.words, key=form.key)
    else:
        commenting.comment(
            session, access.user, example, form.words, form.passage, revision_number=form.revision, key=form.key
        )


def _back(
    request: Request, access: ProjectAccess, example: Example, wanted: ReviewQuery, flash: Flash | None
) -> Response:
    query = wanted.as_query()
    return redirect(request, "reviews:example", flash, slug=access.project.slug, example_id=example.id, query=query)


@router.post("/projects/{slug}/examples/{example_id}/comments/{comment_id}/{act}", name="reviews:settle")
def settle(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    comment_id: int,
    act: Act,
    wanted: Wanted,
    typed: Fields,
) -> Response:
    """Settle a thread, or open it again; the desk gets its comments anew, placed in what is typed there."""
    example = example_in(session, access.project.id, example_id)
    if act == "reopening":
        commenting.open_again(session, access.user, example, comment_id)
        return _back(request, access, example, wanted, Flash("ok", "The comment is open again."))
    commenting.settle(session, access.user, example, comment_id)
    if targeted_block(request) == "comments":
        return _comments(request, session, access, example, typed)
    ids = {"slug": access.project.slug, "example_id": example.id, "comment_id": comment_id, "act": "reopening"}
    undo = str(request.app.url_path_for("reviews:settle", **ids))
    return _back(request, access, example, wanted, Flash("ok", "Settled.", undo_url=undo))
