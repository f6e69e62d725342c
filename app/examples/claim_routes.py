"""The queue by hand: next, claim, skip, hand over, second answers."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.db import SessionDep
from app.examples import answers, claims, queries, queueing, skips
from app.examples.models import Example
from app.examples.queue_forms import LeaveForm, NextForm, OverlapForm
from app.examples.queue_pages import claim_panel, queue_page
from app.projects.access import Annotator, Lead, ProjectAccess
from app.web.templating import Flash, redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/queue", name="examples:queue")
def queue(request: Request, session: SessionDep, access: Annotator) -> Response:
    """Who writes on what, and what was handed over; for leads what was skipped, and why."""
    return render(request, "examples/queue.html", queue_page(session, access), session=session)


@router.post("/projects/{slug}/queue/next", name="examples:next")
def following(request: Request, session: SessionDep, access: Annotator, form: Annotated[NextForm, Form()]) -> Response:
    """To the next example, claimed for this person."""
    after = _example(session, access, form.after) if form.after else None
    found = queueing.claim_next(session, access.user, access.project, after=after)
    if found is None:
        words = "Nothing waits for you in the queue: no draft is free. The pool has more to choose from."
        return redirect(request, "examples:queue", Flash("info", words), slug=access.project.slug)
    return _to_desk(request, access, found.example, Flash("info", f"Next, because {_because(found.why)}."))


def _because(why: queueing.Why) -> str:
    return {
        queueing.Why.RETURNED: "it came back to you",
        queueing.Why.HANDED: "it was handed to you",
        queueing.Why.DRAFT: "you have begun it",
        queueing.Why.NEW: "its source is most short of its target",
        queueing.Why.ANSWER: "another answer to this prompt is wanted",
    }[why]


@router.post("/projects/{slug}/queue/overlap", name="examples:overlap")
def overlap(request: Request, session: SessionDep, access: Lead, form: Annotated[OverlapForm, Form()]) -> Response:
    """Say how many people may answer the same prompt."""
    queueing.set_overlap(session, access.user, access.project, form.overlap)
    words = "Each prompt goes to one person." if form.overlap == 1 else f"A prompt may go to {form.overlap} people."
    return redirect(request, "examples:queue", Flash("ok", words), slug=access.project.slug)


@router.get("/projects/{slug}/examples/{example_id}/claim", name="examples:claim")
def claim(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Who writes on it, and how to skip it or hand it over."""
    panel = claim_panel(session, access, _example(session, access, example_id))
    return render(request, "examples/claim.html", panel, session=session, fragments=("claim",))


@router.post("/projects/{slug}/examples/{example_id}/claim", name="examples:take")
def take(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Have it alone for a while."""
    example = _example(session, access, example_id)
    claims.claim(session, access.user, example)
    return _to_desk(request, access, example, Flash("ok", "You have it alone now; typing renews that."))


@router.post("/projects/{slug}/examples/{example_id}/release", name="examples:release")
def release(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Let others have it."""
    example = _example(session, access, example_id)
    claims.release(session, access.user, example)
    return _to_desk(request, access, example, Flash("ok", "Others may write on it now; what you wrote stays."))


@router.post("/projects/{slug}/examples/{example_id}/skip", name="examples:skip")
def skip(
    request: Request, session: SessionDep, access: Annotator, example_id: int, form: Annotated[LeaveForm, Form()]
) -> Response:
    """Leave it to the others and go on to the next."""
    example = _example(session, access, example_id)
    skips.skip(session, access.user, example, form.as_reason, form.words)
    undo = str(request.app.url_path_for("examples:unskip", slug=access.project.slug, example_id=example_id))
    flash = Flash("ok", f"Example {example_id} is skipped.", undo_url=undo)
    found = queueing.claim_next(session, access.user, access.project)
    if found is None:
        return redirect(request, "examples:queue", flash, slug=access.project.slug)
    return _to_desk(request, access, found.example, flash)


@router.post("/projects/{slug}/examples/{example_id}/skip/undoing", name="examples:unskip")
def unskip(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Take one's skip back."""
    example = _example(session, access, example_id)
    skips.unskip(session, access.user, example)
    return _to_desk(request, access, example, Flash("ok", "Taken back; it comes up for you again."))


@router.post("/projects/{slug}/examples/{example_id}/handing", name="examples:hand_over")
def hand_over(
    request: Request, session: SessionDep, access: Annotator, example_id: int, form: Annotated[LeaveForm, Form()]
) -> Response:
    """Give it to a named colleague."""
    example = _example(session, access, example_id)
    person = session.get(User, form.person) if form.person else None
    if person is None:
        raise skips.NotAMember
    skips.hand_over(session, access.user, example, person, form.words)
    undo = str(request.app.url_path_for("examples:take_back", slug=access.project.slug, example_id=example_id))
    flash = Flash("ok", f"Handed to {person.name}.", undo_url=undo, undo_label="Take back")
    return redirect(request, "examples:queue", flash, slug=access.project.slug)


@router.post("/projects/{slug}/examples/{example_id}/handing/undoing", name="examples:take_back")
def take_back(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Take a hand-over back while the other has not begun."""
    example = _example(session, access, example_id)
    skips.take_back(session, access.user, example, access.role)
    return _to_desk(request, access, example, Flash("ok", "Taken back; it is with nobody in particular."))


@router.post("/projects/{slug}/examples/{example_id}/answers", name="examples:answer")
def answer(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Turn one's kept words into a second answer beside it, or begin one."""
    example = _example(session, access, example_id)
    made = answers.answer_with_copy(session, access.user, access.project, example)
    words = f"This is a second answer beside example {example.id}; both stand."
    return _to_desk(request, access, made, Flash("ok", words))


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)


def _to_desk(request: Request, access: ProjectAccess, example: Example, flash: Flash) -> Response:
    return redirect(request, "examples:edit", flash, slug=access.project.slug, example_id=example.id)
