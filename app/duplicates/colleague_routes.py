"""Colleagues' work beside the desk: found by words and by meaning, read in place; what a prompt is near to."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.duplicates.colleague_forms import DismissForm, Sought
from app.duplicates.colleague_pages import colleagues_page, draft_of, near_page, typed_near_page
from app.duplicates.dismissing import dismiss
from app.duplicates.means import Asking
from app.duplicates.nearness import Draft, near_one, saved_draft
from app.duplicates.operations import LeakNeedsReason
from app.examples.models import Example
from app.examples.queries import example_in
from app.projects.access import Annotator, ProjectAccess, Reading
from app.web.forms import Typed
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep, reads_only

router = APIRouter(include_in_schema=False)

SEARCH = ("colleagues", "colleagues_hits", "colleague_text")
NEARNESS = ("nearness",)


@router.get("/projects/{slug}/colleagues", name="duplicates:colleagues")
def colleagues(
    request: Request, access: Annotator, session: SessionDep, q: Sought = "", example: int | None = None
) -> Response:
    """Search the project's examples by words and by meaning: a page, and a panel of the desk."""
    page = colleagues_page(session, access, _asking(request), q, example_id=example, only=targeted_block(request))
    return render(request, "duplicates/colleagues.html", page, session=session, fragments=SEARCH)


@router.get("/projects/{slug}/colleagues/{example_id}", name="duplicates:colleague")
def colleague(request: Request, access: Annotator, session: SessionDep, example_id: int, q: Sought = "") -> Response:
    """One example to read in place, beside what was found."""
    opened = example_in(session, access.project.id, example_id)
    page = colleagues_page(session, access, _asking(request), q, opened=opened, only=targeted_block(request))
    return render(request, "duplicates/colleagues.html", page, session=session, fragments=SEARCH)


@router.post("/projects/{slug}/nearness", name="duplicates:near_new")
@reads_only
def near_new(request: Request, access: Reading, session: SessionDep, typed: Typed) -> Response:
    """What the prompt of an example that is not made yet is near to; nothing is saved."""
    page = typed_near_page(session, access, _asking(request), None, typed)
    status = 422 if page.error else 200
    return render(request, "duplicates/nearness.html", page, session=session, fragments=NEARNESS, status=status)


@router.post("/projects/{slug}/examples/{example_id}/nearness", name="duplicates:near")
@reads_only
def near(request: Request, access: Reading, session: SessionDep, example_id: int, typed: Typed) -> Response:
    """What the prompt that is typed into an example is near to; nothing is saved."""
    example = example_in(session, access.project.id, example_id)
    page = typed_near_page(session, access, _asking(request), example, typed)
    return render(request, "duplicates/nearness.html", page, session=session, fragments=NEARNESS)


@router.get("/projects/{slug}/examples/{example_id}/nearness", name="duplicates:near_saved")
def near_saved(request: Request, access: Annotator, session: SessionDep, example_id: int) -> Response:
    """What the prompt of the newest revision is near to, a page of its own."""
    example = example_in(session, access.project.id, example_id)
    return _near_page(request, session, access, example, saved_draft(session, example))


@router.post("/projects/{slug}/examples/{example_id}/nearness/{other_id}/dismissal", name="duplicates:dismiss")
def dismiss_one(
    request: Request, access: Annotator, session: SessionDep, example_id: int, other_id: int, typed: Typed
) -> Response:
    """Say that two examples are no duplicates, for a reason where one is a leak; the desk stays as it was typed."""
    example = example_in(session, access.project.id, example_id)
    on_desk = "turn_1" in typed
    draft = draft_of(typed, example) if on_desk else saved_draft(session, example)
    form = DismissForm.model_validate({"reason": typed.get(f"reason_{other_id}", typed.get("reason", ""))})
    found = near_one(session, _asking(request), access.project.id, draft, other_id)
    try:
        dismiss(session, access.user, access.project, example, found, form.reason)
    except LeakNeedsReason as refusal:
        return _near_page(request, session, access, example, draft, (other_id, refusal.message))
    if on_desk:
        return _near_page(request, session, access, example, draft)
    flash = Flash("ok", "Settled: they are no duplicates. The inbox of duplicates can undo it.")
    return redirect(request, "duplicates:near_saved", flash, slug=access.project.slug, example_id=example_id)


def _near_page(
    request: Request,
    session: Session,
    access: ProjectAccess,
    example: Example,
    draft: Draft,
    problem: tuple[int, str] | None = None,
) -> Response:
    alone = targeted_block(request) not in NEARNESS
    page = near_page(session, access, _asking(request), example, draft, problem=problem, alone=alone)
    status = 422 if problem else 200
    return render(request, "duplicates/nearness.html", page, session=session, fragments=NEARNESS, status=status)


def _asking(request: Request) -> Asking:
    return Asking(request.app.state.database, request.app.state.settings)
