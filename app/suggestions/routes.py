"""Help from a model on the desk, its trail, and the setting that allows it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.endpoints import queries as endpoints
from app.endpoints.models import Endpoint
from app.errors import Refusal
from app.examples import queries as examples
from app.examples.forms import messages_of
from app.examples.models import Suggestion
from app.projects.access import Annotator, Lead, ProjectAccess
from app.runs import queries as runs
from app.suggestions import operations, queries
from app.suggestions.forms import DeskAsk, HelpForm, asked_in
from app.suggestions.pages import help_page, panel_page, trail_page
from app.suggestions.queries import Place
from app.web.forms import Typed, check
from app.web.found import found
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)
KEY = r"^[A-Za-z0-9_-]{8,64}$"


@router.get("/projects/{slug}/examples/{example_id}/suggestions", name="suggestions:panel")
def panel(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """What models said of an example, and the buttons that ask for more."""
    return _panel(request, session, access, _at(session, access, example_id))


@router.get("/projects/{slug}/suggestions", name="suggestions:panel_new")
def panel_new(
    request: Request, session: SessionDep, access: Annotator, key: Annotated[str, Query(pattern=KEY)]
) -> Response:
    """The same for an example that is not made yet, by the key of its form."""
    return _panel(request, session, access, Place(access.project, creation_key=key))


def _panel(
    request: Request, session: Session, access: ProjectAccess, place: Place, problem: str = "", status: int = 200
) -> Response:
    page = panel_page(session, access, place, problem, on_desk=targeted_block(request) == "helper")
    return render(request, "suggestions/panel.html", page, session=session, fragments=("helper",), status=status)


def _at(session: Session, access: ProjectAccess, example_id: int) -> Place:
    return Place(access.project, examples.example_in(session, access.project.id, example_id))


@router.post("/projects/{slug}/examples/{example_id}/suggestions", name="suggestions:ask")
def ask(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Ask about the text as it is typed; without one, about what is kept or saved."""
    return _asked(request, session, access, _at(session, access, example_id), typed)


@router.post("/projects/{slug}/suggestions", name="suggestions:ask_new")
def ask_new(
    request: Request, session: SessionDep, access: Annotator, typed: Typed, key: Annotated[str, Form(pattern=KEY)]
) -> Response:
    """Ask about the text of an example that is not made yet."""
    return _asked(request, session, access, Place(access.project, creation_key=key), typed)


def _asked(
    request: Request, session: Session, access: ProjectAccess, place: Place, typed: Mapping[str, str]
) -> Response:
    try:
        form = check(DeskAsk, asked_in(typed))
        if form.errors:
            return _panel(request, session, access, place, next(iter(form.errors.values())), 422)
        words = messages_of(form.value.system, form.value.turns) or operations.kept_words(session, access.user, place)
        with session.begin_nested():
            operations.suggest(session, access.user, place, form.value.kind, words)
    except Refusal as refusal:
        return _panel(request, session, access, place, refusal.message, refusal.status)
    if "hx-request" in request.headers:
        return _panel(request, session, access, place)
    return _back(request, access, place.example.id if place.example else None, place.creation_key or "")


def _back(request: Request, access: ProjectAccess, example_id: int | None, key: str) -> Response:
    slug = access.project.slug
    if example_id is not None:
        return redirect(request, "suggestions:panel", slug=slug, example_id=example_id)
    return redirect(request, "suggestions:panel_new", slug=slug, query=f"key={key}")


def _suggestion(session: Session, access: ProjectAccess, suggestion_id: int) -> Suggestion:
    return found(session, queries.suggestion_of(access.project, suggestion_id, access.user))


@router.get("/projects/{slug}/suggestions/{suggestion_id}", name="suggestions:one")
def one(request: Request, session: SessionDep, access: Annotator, suggestion_id: int) -> Response:
    """One suggestion with all that was sent: where its words come from."""
    page = trail_page(access, _suggestion(session, access, suggestion_id))
    return render(request, "suggestions/one.html", page, session=session)


@router.post("/projects/{slug}/suggestions/{suggestion_id}/copy", name="suggestions:copy")
def copy(request: Request, session: SessionDep, access: Annotator, suggestion_id: int) -> Response:
    """Write down that its words were copied."""
    suggestion = _suggestion(session, access, suggestion_id)
    operations.note_copied(session, access.user, suggestion)
    return _shown_again(request, session, access, suggestion)


@router.post("/projects/{slug}/suggestions/{suggestion_id}/cancellation", name="suggestions:cancel")
def cancel(request: Request, session: SessionDep, access: Annotator, suggestion_id: int) -> Response:
    """Stop waiting for the answer."""
    suggestion = _suggestion(session, access, suggestion_id)
    operations.cancel(session, access.user, access.role, suggestion)
    return _shown_again(request, session, access, suggestion)


def _shown_again(request: Request, session: Session, access: ProjectAccess, suggestion: Suggestion) -> Response:
    key = suggestion.creation_key or ""
    if "hx-request" not in request.headers:
        return _back(request, access, suggestion.example_id, key)
    if suggestion.example_id is not None:
        return _panel(request, session, access, _at(session, access, suggestion.example_id))
    return _panel(request, session, access, Place(access.project, creation_key=key))


@router.get("/projects/{slug}/model-help", name="suggestions:setting")
def setting(request: Request, session: SessionDep, access: Annotator) -> Response:
    """Who helps here, with what instruction, and what is sent where."""
    return render(request, "suggestions/setting.html", help_page(session, access), session=session)


@router.post("/projects/{slug}/model-help", name="suggestions:set")
def set_help(request: Request, session: SessionDep, access: Lead, typed: Typed) -> Response:
    """Say who helps here."""
    form = check(HelpForm, typed)
    errors, status = form.errors, 422
    if not errors:
        try:
            with session.begin_nested():
                _set(session, access, form.value)
        except Refusal as refusal:
            errors, status = {"form": refusal.message}, refusal.status
    if errors:
        page = help_page(session, access, typed, errors)
        return render(request, "suggestions/setting.html", page, session=session, status=status)
    words = "Nobody is asked here." if form.value.source == "no" else "Whoever writes here can ask for help now."
    return redirect(request, "suggestions:setting", Flash("ok", f"Saved. {words}"), slug=access.project.slug)


def _set(session: Session, access: ProjectAccess, form: HelpForm) -> None:
    endpoint: Endpoint | None = found(session, endpoints.endpoint_of(form.endpoint)) if form.endpoint else None
    run = found(session, runs.run_of(access.project, form.run)) if form.run else None
    operations.set_help(
        session, access.user, access.project, endpoint=endpoint, run=run, critique=form.critique, outline=form.outline
    )
