"""Add next: the ten candidates that would help most; accept, not now, never, undo."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from app.examples.operations import WorkedOn
from app.projects.access import Annotator, ProjectAccess
from app.selection.adding import deciding, requesting
from app.selection.adding.advising import Asking
from app.selection.adding.forms import NextForm, NextQuery, RequestForm
from app.selection.adding.models import NextVerdict
from app.selection.adding.pages import next_page
from app.selection.queries import candidate_in
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)
Wanted = Annotated[NextQuery, Query()]
UNDONE = {
    NextVerdict.ACCEPTED: "Undone: it is a candidate again.", NextVerdict.LATER: "Undone: it is not put off any more.",
    NextVerdict.NEVER: "Undone: it is not rejected any more.",
}  # fmt: skip


@router.get("/projects/{slug}/next", name="selection:next")
def add_next(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """The ten, the chosen one open."""
    asking = Asking(request.app.state.database, request.app.state.settings)
    page = next_page(request, session, access, asking, wanted)
    return render(request, "selection/next.html", page, session=session)


@router.post("/projects/{slug}/coverage-requests", name="selection:request_coverage")
def request_coverage(
    request: Request, session: SessionDep, access: Annotator, wanted: Wanted, form: Annotated[RequestForm, Form()]
) -> Response:
    """Ask for more of something; the suggestions go by it at once."""
    slug = access.project.slug
    try:
        made = requesting.request_coverage(session, access.user, access.project, form.words)
    except (requesting.NoRequest, requesting.TooManyRequests) as refusal:
        return redirect(request, "selection:next", Flash("danger", refusal.message), slug=slug, query=wanted.as_query())
    back = _address(request, "selection:withdraw_request", access, made.id, wanted)
    flash = Flash("ok", "Asked for; the ten below go by it.", undo_url=back)
    return redirect(request, "selection:next", flash, slug=slug, query=wanted.as_query())


@router.post("/projects/{slug}/coverage-requests/{number}/withdrawal", name="selection:withdraw_request")
def withdraw_request(request: Request, session: SessionDep, access: Annotator, number: int, wanted: Wanted) -> Response:
    """Let a request weigh no more."""
    found = requesting.request_in(session, access.project.id, number)
    requesting.withdraw_request(session, access.user, access.project, found)
    back = _address(request, "selection:restore_request", access, number, wanted)
    flash = Flash("ok", f"Withdrawn: {found.words}.", undo_url=back)
    return redirect(request, "selection:next", flash, slug=access.project.slug, query=wanted.as_query())


@router.post("/projects/{slug}/coverage-requests/{number}/restoration", name="selection:restore_request")
def restore_request(request: Request, session: SessionDep, access: Annotator, number: int, wanted: Wanted) -> Response:
    """Undo a withdrawal."""
    found = requesting.request_in(session, access.project.id, number)
    requesting.restore_request(session, access.user, access.project, found)
    flash = Flash("ok", f"Asked for again: {found.words}.")
    return redirect(request, "selection:next", flash, slug=access.project.slug, query=wanted.as_query())


def _address(request: Request, name: str, access: ProjectAccess, number: int, wanted: NextQuery) -> str:
    query = wanted.as_query()
    url = str(request.app.url_path_for(name, slug=access.project.slug, number=number))
    return f"{url}?{query}" if query else url


@router.post("/projects/{slug}/next/{candidate_id}", name="selection:decide_next")
def decide(
    request: Request,
    session: SessionDep,
    access: Annotator,
    candidate_id: int,
    wanted: Wanted,
    form: Annotated[NextForm, Form()],
) -> Response:
    """Do what was said to the candidate; the one that stood after it is chosen."""
    candidate = candidate_in(session, access.project.id, candidate_id)
    said = deciding.decide(session, access.user, access.project, candidate, form.verdict, form.reason)
    return redirect(request, "selection:next", Flash("ok", said), slug=access.project.slug, query=wanted.as_query())


@router.post("/projects/{slug}/next/{candidate_id}/undoing", name="selection:undo_next")
def undo(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """Undo what was said to the candidate, and choose it."""
    candidate = candidate_in(session, access.project.id, candidate_id)
    try:
        flash = Flash("ok", UNDONE[deciding.take_back(session, access.user, access.project, candidate)])
    except WorkedOn:
        flash = Flash("warn", "It stays accepted: its example has been worked on.")
    query = wanted.as_query(at=candidate_id)
    return redirect(request, "selection:next", flash, slug=access.project.slug, query=query)
