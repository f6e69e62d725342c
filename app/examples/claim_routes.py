"""The queue by hand: next, claim, skip, hand over, second answers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.accounts.models import User
from app.errors import Refusal
from app.examples import answers, claims, queries, queueing, skips
from app.examples.at import At, AtExample
from app.examples.forms import UNKNOWN, DeskForm, Followed
from app.examples.messages import Message
from app.examples.models import Example
from app.examples.queue_forms import LeaveForm, NextForm, OverlapForm
from app.examples.queue_pages import queue_page
from app.examples.working_copies import require_writer
from app.projects.access import Annotator, Lead, ProjectAccess
from app.web.forms import Typed, check
from app.web.templating import Flash, leave, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/queue", name="examples:queue")
def queue(request: Request, session: SessionDep, access: Annotator) -> Response:
    """Who writes on what, and what was handed over; for leads what was skipped, and why."""
    return render(request, "examples/queue.html", queue_page(session, access), session=session)


@router.post("/projects/{slug}/queue/next", name="examples:next")
def following(request: Request, session: SessionDep, access: Annotator, form: Annotated[NextForm, Form()]) -> Response:
    """To the next example, claimed for this person."""
    after = queries.example_in(session, access.project.id, form.after) if form.after else None
    found = queueing.claim_next(session, access.user, access.project, after=after)
    if found is None:
        words = "Nothing waits for you in the queue: no draft is free. The pool has more to choose from."
        return redirect(request, "examples:queue", Flash("info", words), slug=access.project.slug)
    return _to_desk(request, found.example, access, Flash("info", f"Next, because {_because(found.why)}."))


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


@router.post("/projects/{slug}/examples/{example_id}/claim", name="examples:take")
def take(request: Request, at: AtExample) -> Response:
    """Have it alone for a while."""
    claims.claim(at.session, at.user, at.example)
    return _to_desk(request, at.example, at, Flash("ok", "You have it alone now; typing renews that."))


@router.post("/projects/{slug}/examples/{example_id}/release", name="examples:release")
def release(request: Request, at: AtExample) -> Response:
    """Let others have it."""
    claims.release(at.session, at.user, at.example)
    return _to_desk(request, at.example, at, Flash("ok", "Others may write on it now; what you wrote stays."))


@router.post("/projects/{slug}/examples/{example_id}/skip", name="examples:skip")
def skip(request: Request, at: AtExample, form: Annotated[LeaveForm, Form()]) -> Response:
    """Leave it to the others and go on to the next."""
    skips.skip(at.session, at.user, at.example, form.as_reason, form.words)
    flash = Flash("ok", f"Example {at.example.id} is skipped.", undo_url=_url(request, "examples:unskip", at))
    found = queueing.claim_next(at.session, at.user, at.project)
    if found is None:
        return redirect(request, "examples:queue", flash, slug=at.project.slug)
    return _to_desk(request, found.example, at, flash)


@router.post("/projects/{slug}/examples/{example_id}/skip/undoing", name="examples:unskip")
def unskip(request: Request, at: AtExample) -> Response:
    """Take one's skip back."""
    skips.unskip(at.session, at.user, at.example)
    return _to_desk(request, at.example, at, Flash("ok", "Taken back; it comes up for you again."))


@router.post("/projects/{slug}/examples/{example_id}/handing", name="examples:hand_over")
def hand_over(request: Request, at: AtExample, form: Annotated[LeaveForm, Form()]) -> Response:
    """Give it to a named colleague."""
    person = at.session.get(User, form.person) if form.person else None
    if person is None:
        raise skips.NotAMember
    try:
        skips.hand_over(at.session, at.user, at.example, person, form.words)
    except skips.UnsavedWords as refusal:
        return _to_desk(request, at.example, at, Flash("danger", refusal.message))
    undo = _url(request, "examples:take_back", at)
    flash = Flash("ok", f"Handed to {person.name}.", undo_url=undo, undo_label="Take back")
    return redirect(request, "examples:queue", flash, slug=at.project.slug)


@router.post("/projects/{slug}/examples/{example_id}/handing/undoing", name="examples:take_back")
def take_back(request: Request, at: AtExample) -> Response:
    """Take a hand-over back while the other has not begun."""
    skips.take_back(at.session, at.user, at.example, at.access.role)
    return _to_desk(request, at.example, at, Flash("ok", "Taken back; it is with nobody in particular."))


@router.post("/projects/{slug}/examples/{example_id}/answers", name="examples:answer")
def answer(request: Request, at: AtExample, typed: Typed) -> Response:
    """Turn what stands on the desk, else one's kept words, into a second answer beside it, or begin one."""
    require_writer(at.user, typed)
    messages, followed = _on_desk(typed) if "turn_1" in typed else ((), UNKNOWN)
    made = answers.answer_with_words(at.session, at.user, at.project, at.example, messages, followed)
    flash = Flash("ok", f"This is a second answer beside example {at.example.id}; both stand.")
    return leave(request, "examples:edit", flash, slug=at.project.slug, example_id=made.id)


def _on_desk(typed: dict[str, str]) -> tuple[Sequence[Message], Followed]:
    form = check(DeskForm, typed | {"act": "save"})
    if form.errors:
        raise Refusal(" ".join(f"{field}: {words}" for field, words in form.errors.items()))
    return form.value.messages, form.value.followed


def _url(request: Request, name: str, at: At) -> str:
    return str(request.app.url_path_for(name, slug=at.project.slug, example_id=at.example.id))


def _to_desk(request: Request, example: Example, access: ProjectAccess | At, flash: Flash) -> Response:
    return redirect(request, "examples:edit", flash, slug=access.project.slug, example_id=example.id)
