"""Translations: made from an example, written beside it, and what a followed project has that is not translated."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.examples import linking, operations, queries, translations, working_copies
from app.examples.answers import keep_words
from app.examples.claims import HeldByAnother
from app.examples.forms import DeskForm
from app.examples.models import Example
from app.examples.operations import NothingWritten, StaleSave
from app.examples.role_forms import SeenForm, TranslateForm
from app.examples.translation_pages import (
    followed_for,
    following_page,
    original_to_link,
    translation_page,
    translations_page,
)
from app.examples.working_copies import Desk, require_writer
from app.projects.access import Annotator, ProjectAccess
from app.web.forms import Posted, Storable, Typed, check
from app.web.paging import PageNumber
from app.web.templating import Flash, leave, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)
Show = Annotated[Literal["new", "changed", "withdrawn", "settled"], Query()]
WHICH = "Name a language, such as German, or its code, as in en, de or pt-BR; nothing was made."
Words = Annotated[str, StringConstraints(max_length=300), Storable, Query()]
Revised = Annotated[int | None, Query(ge=1, le=10**9)]


@router.get("/projects/{slug}/examples/{example_id}/translations", name="examples:translations")
def index(request: Request, session: SessionDep, access: Annotator, example_id: int, q: Words = "") -> Response:
    """The translations of an example, the form for another, and those that could be linked by words."""
    page = translations_page(session, access, _example(session, access, example_id), q)
    return render(request, "examples/translations.html", page, session=session, fragments=("link_hits",))


@router.post("/projects/{slug}/examples/{example_id}/translations", name="examples:translate")
def translate(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Make a translation and go to it; the same language again goes to the one that is there."""
    example = _example(session, access, example_id)
    form = check(TranslateForm, typed)
    if form.errors:
        return _not_made(request, session, access, example, typed, WHICH)
    try:
        made = translations.translate(session, access.user, access.project, example, form.value.language)
    except translations.SameLanguage as refusal:
        return _not_made(request, session, access, example, typed, refusal.message)
    return redirect(request, "examples:translation", slug=access.project.slug, example_id=made.id)


def _not_made(
    request: Request, session: Session, access: ProjectAccess, example: Example, typed: Mapping[str, str], words: str
) -> Response:
    page = translations_page(session, access, example, typed=typed.get("language", ""), problem=words)
    return render(request, "examples/translations.html", page, session=session, status=422)


@router.get("/projects/{slug}/examples/{example_id}/translation", name="examples:translation")
def show(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """A translation beside its original, turn by turn."""
    page = translation_page(session, access, _example(session, access, example_id))
    return render(request, "examples/translation.html", page, session=session)


@router.post("/projects/{slug}/examples/{example_id}/translation", name="examples:save_translation")
def save(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Save the translation, or submit it; what cannot be saved stays on the page and is kept as one's own copy."""
    require_writer(access.user, typed)
    example = _example(session, access, example_id)
    form = check(DeskForm, typed)
    if form.errors:
        words = " ".join(f"{name}: {said}" for name, said in form.errors.items())
        return _not_saved(request, session, access, example, typed, words, 422)
    try:
        with session.begin_nested():
            _save(session, access, example, form)
    except (StaleSave, HeldByAnother) as refusal:
        sent = form.value
        kept = keep_words(session, access.user, access.project, example, sent.messages, sent.based_on, sent.followed)
        typed |= {"counter": str(kept.counter), "copy_key": kept.key}
        return _not_saved(request, session, access, example, typed, refusal.message, refusal.status)
    except Refusal as refusal:
        return _not_saved(request, session, access, example, typed, refusal.message, refusal.status)
    return _done(request, access, example, submitted=form.value.act == "submit")


def _save(session: Session, access: ProjectAccess, example: Example, form: Posted[DeskForm]) -> None:
    wanted = form.value
    if not any(message["content"].strip() for message in wanted.messages):
        raise NothingWritten
    saved = operations.save_revision(
        session, access.user, example,
        based_on=wanted.based_on, messages=wanted.messages, note=wanted.note, idempotency_key=wanted.key,
    )  # fmt: skip
    working_copies.let_go(session, Desk(access.user, access.project, example), saved, wanted.followed)
    if wanted.act == "submit":
        operations.submit_example(session, access.user, example)


def _not_saved(
    request: Request,
    session: Session,
    access: ProjectAccess,
    example: Example,
    typed: Mapping[str, str],
    words: str,
    status: int,
) -> Response:
    page = translation_page(session, access, example, typed, words)
    return render(request, "examples/translation.html", page, session=session, status=status)


def _done(request: Request, access: ProjectAccess, example: Example, *, submitted: bool) -> Response:
    slug = access.project.slug
    if submitted:
        undo = str(request.app.url_path_for("examples:withdraw", slug=slug, example_id=example.id))
        flash = Flash("ok", "Submitted; a second person reads it now.", undo_url=undo, undo_label="Take back")
        return leave(request, "examples:index", flash, slug=slug)
    return redirect(request, "examples:translation", Flash("ok", "Saved."), slug=slug, example_id=example.id)


@router.post("/projects/{slug}/examples/{example_id}/translation/seen", name="examples:original_seen")
def seen(
    request: Request, session: SessionDep, access: Annotator, example_id: int, form: Annotated[SeenForm, Form()]
) -> Response:
    """Say that the translation fits what the original says now."""
    example = _example(session, access, example_id)
    translations.mark_seen(session, access.user, example, form.revision)
    said = Flash("ok", f"Marked: the translation fits revision {form.revision} of its original.")
    return redirect(request, "examples:translation", said, slug=access.project.slug, example_id=example_id)


@router.post("/projects/{slug}/examples/{example_id}/translation/link/{original_id}", name="examples:link")
def link(
    request: Request, session: SessionDep, access: Annotator, example_id: int, original_id: int, seen: Revised = None
) -> Response:
    """Say that this example translates that one, and show them side by side; a refusal stays beside the search."""
    example = _example(session, access, example_id)
    try:
        linking.link(session, access.user, example, original_to_link(session, access, original_id), seen)
    except Refusal as refusal:
        page = translations_page(session, access, example, not_linked=refusal.message)
        return render(request, "examples/translations.html", page, session=session, status=refusal.status)
    slug = access.project.slug
    undo = str(request.app.url_path_for("examples:unlink", slug=slug, example_id=example_id))
    said = Flash("ok", f"Linked: this is the translation of example {original_id}.", undo_url=undo)
    return redirect(request, "examples:translation", said, slug=slug, example_id=example_id)


@router.post("/projects/{slug}/examples/{example_id}/translation/unlink", name="examples:unlink")
def unlink(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Say that this example is no translation; its words stay as they are."""
    example, slug = _example(session, access, example_id), access.project.slug
    seen = example.translation_seen
    original = linking.unlink(session, access.user, example)
    undo = request.app.url_path_for("examples:link", slug=slug, example_id=example_id, original_id=original)
    said = Flash("ok", f"Unlinked from example {original}.", undo_url=f"{undo}?seen={seen}" if seen else str(undo))
    return redirect(request, "examples:translations", said, slug=slug, example_id=example_id)


@router.get("/projects/{slug}/following", name="examples:following")
def following(
    request: Request, session: SessionDep, access: Annotator, show: Show = "new", page: PageNumber = 1
) -> Response:
    """What is new, changed and withdrawn in the project that this one translates."""
    shown = following_page(session, access, show, page)
    return render(request, "examples/following.html", shown, session=session)


@router.post("/projects/{slug}/following/{original_id}", name="examples:translate_followed")
def translate_followed(request: Request, session: SessionDep, access: Annotator, original_id: int) -> Response:
    """Make the translation of one example of the followed project, claimed by this person, and go to it."""
    original = followed_for(session, access, original_id)
    language = access.project.follows_language or ""
    made = translations.translate(session, access.user, access.project, original, language)
    return redirect(request, "examples:translation", slug=access.project.slug, example_id=made.id)


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)
