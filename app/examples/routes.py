"""Write: the lists, the desk, the history."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.errors import NotFound, Refusal
from app.examples import describing, operations, queries, roles, working_copies
from app.examples.claims import HeldByAnother
from app.examples.copy_forms import DESCRIBED, KeepForm
from app.examples.desk import DeskPage, desk_page, typed_desk
from app.examples.forms import DeskForm, ExampleQuery, HistoryQuery, RestoreForm, new_key
from app.examples.kept import joined_desk, new_desk, opened_desk, stale_desk
from app.examples.merging import Turns
from app.examples.models import Example
from app.examples.pages import history_page, write_page
from app.examples.working_copies import Desk, KeptElsewhere, Written, require_writer
from app.projects.access import Annotator, ProjectAccess, Reading
from app.web.forms import Posted, Typed, check
from app.web.paging import PageNumber
from app.web.templating import Flash, leave, redirect, render, targeted_block
from app.web.transactions import SessionDep, reads_only

router = APIRouter(include_in_schema=False)
FRAGMENTS = ("save_state", "preview", "counts", "turns")
NOT_KEPT = {"act", "as", "not_duplicates"}
STAYS = {"add_turn": 1, "remove_turn": -1, "preview": 0, "join": 0}


@router.get("/projects/{slug}/examples", name="examples:index")
def index(
    request: Request, session: SessionDep, access: Annotator, wanted: Annotated[ExampleQuery, Query()]
) -> Response:
    """One's own open work, and all examples."""
    return render(request, "examples/index.html", write_page(session, access, wanted), session=session)


@router.get("/projects/{slug}/examples/new", name="examples:new")
def new(
    request: Request,
    session: SessionDep,
    access: Annotator,
    key: Annotated[str, Query(pattern=r"^(?:[A-Za-z0-9_-]{8,64})?$")] = "",
    begun: PageNumber = 1,
) -> Response:
    """An empty desk, or what was begun under that key and never saved."""
    return _desk(request, session, new_desk(session, access, key, begun))


@router.post("/projects/{slug}/examples", name="examples:create")
def create(request: Request, session: SessionDep, access: Annotator, typed: Typed) -> Response:
    """Make an example of what is on the desk, or leave it as it is; the same form twice makes one."""
    require_writer(access.user, typed)
    form = check(DeskForm, typed)
    if typed.get("act") == "leave":
        return _left(request, session, access, typed, form)
    if form.errors or form.value.act in STAYS:
        return _typed(request, session, access, None, typed, form)
    example: Example | None = None
    try:
        with session.begin_nested():
            example = _made(session, access, form.value)
    except operations.StaleSave as stale:
        return _stale(request, session, access, stale, form.value, typed)
    except Refusal as refusal:
        return _refused(request, session, access, None, typed, refusal)
    return _done(request, access, example, submitted=form.value.act == "submit")


def _left(
    request: Request, session: Session, access: ProjectAccess, typed: Mapping[str, str], form: Posted[DeskForm]
) -> Response:
    """Keep what is on a new desk, be it right or not, and go to the list."""
    kept = check(KeepForm, {name: typed[name] for name in typed if name not in NOT_KEPT} | {"copy_key": new_key()})
    if kept.errors:
        return _typed(request, session, access, None, typed, form)
    flash = Flash("info", "Nothing was written, so nothing is kept.")
    words = kept.value
    if any(message["content"].strip() for message in words.messages):
        written = Written(words.messages, words.description, 0)
        desk = Desk(access.user, access.project, creation_key=words.key)
        try:
            with session.begin_nested():
                working_copies.keep(session, desk, written, follows=words.counter, key=words.copy_key)
        except Refusal as refusal:
            return _refused(request, session, access, None, typed, refusal)
        flash = Flash("ok", "Kept as it is; nobody else sees it. It waits for you under New example.")
    return leave(request, "examples:index", flash, slug=access.project.slug)


def _made(session: Session, access: ProjectAccess, form: DeskForm) -> Example:
    messages = _some(form.messages)
    queries.require_source(session, access.project, form.source)
    example = operations.create_example(
        session, access.user, access.project,
        split=form.split, source=form.source, language=form.language,
        messages=messages, flags=form.flag_list, creation_key=form.key, note=form.note,
        not_duplicates=form.not_duplicates,
    )  # fmt: skip
    roles.set_roles(session, access.user, example, roles.changed(roles.roles_of(example), form.roles))
    desk = Desk(access.user, access.project, creation_key=form.key)
    working_copies.let_go(session, desk, queries.head_revision(session, example), form.followed)
    if form.act == "submit":
        operations.submit_example(session, access.user, example)
    return example


def _some(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    if not any(message["content"].strip() for message in messages):
        raise operations.NothingWritten
    return messages


@router.post("/projects/{slug}/examples/preview", name="examples:preview")
@reads_only
def preview(request: Request, session: SessionDep, access: Reading, typed: Typed) -> Response:
    """How the texts will look, and how large they are; nothing is saved."""
    return _desk(request, session, typed_desk(desk_page(session, access, None), typed))


@router.get("/projects/{slug}/examples/{example_id}", name="examples:edit")
def edit(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    take: bool = False,
    shows: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """An example on the desk; `take` joins one's own kept words with what was saved since.

    `shows` is the mark of the purpose in the fields of a desk that stays: it comes anew where that is another by now.
    """
    example = _example(session, access, example_id)
    if targeted_block(request) == "save_state":
        if shows and shows != describing.purpose_of(example).mark:
            flash = Flash("ok", "Saved. Somebody has changed what it is for, and so it stands here now.")
            return leave(request, "examples:edit", flash, slug=access.project.slug, example_id=example_id)
        # The desk stays as it is, so it shows no copy and follows none.
        return _desk(request, session, desk_page(session, access, example))
    return _desk(request, session, opened_desk(session, access, example, take=take))


@router.post("/projects/{slug}/examples/{example_id}", name="examples:save")
def save(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Save what is on the desk, or submit it; a stale save shows both texts and loses neither."""
    require_writer(access.user, typed)
    example = _example(session, access, example_id)
    form = check(DeskForm, typed)
    if form.errors or form.value.act in STAYS:
        return _typed(request, session, access, example, typed, form)
    try:
        with session.begin_nested():
            _save(session, access, example, form.value)
    except operations.StaleSave as stale:
        return _stale(request, session, access, stale, form.value, typed)
    except HeldByAnother as held:
        typed |= _kept_unsaved(session, access, example, form.value, typed, form.value.based_on)
        return _refused(request, session, access, example, typed, held)
    except Refusal as refusal:
        return _refused(request, session, access, example, typed, refusal)
    return _done(
        request, access, example, submitted=form.value.act == "submit", meanwhile=_meanwhile(example, form.value)
    )


def _meanwhile(example: Example, form: DeskForm) -> str:
    """What somebody else has changed since the page showed what the example is for, and what the page shows still."""
    other = describing.differences(describing.purpose_of(example), form.purpose)
    told = ", ".join(f"{name} {text or 'none'}" for name, text in other.items())
    return f" Somebody changed meanwhile what it is for, and that stays: {told}." if told else ""


def _save(session: Session, access: ProjectAccess, example: Example, form: DeskForm) -> None:
    saved = operations.save_revision(
        session, access.user, example,
        based_on=form.based_on, messages=form.messages, note=form.note, idempotency_key=form.key,
    )  # fmt: skip
    wished = describing.wished(describing.purpose_of(example), form.was, form.purpose)
    describing.describe_example(session, access.user, example, **asdict(wished))
    working_copies.let_go(session, Desk(access.user, access.project, example), saved, form.followed)
    if form.act == "submit":
        operations.submit_example(session, access.user, example)


def _stale(
    request: Request,
    session: Session,
    access: ProjectAccess,
    stale: operations.StaleSave,
    form: DeskForm,
    typed: Mapping[str, str],
) -> Response:
    """Both texts on the desk; one's own is kept as a working copy, whatever becomes of the page."""
    example = _example(session, access, stale.current.example_id)
    kept = _kept_unsaved(session, access, example, form, typed, stale.based_on)
    page = typed_desk(desk_page(session, access, example), {**typed, **kept})
    seen = targeted_block(request) != "save_state"
    mine = Turns(form.system, form.turns)
    return _desk(request, session, stale_desk(session, page, example, mine, stale.based_on, seen=seen), 409)


def _kept_unsaved(
    session: Session, access: ProjectAccess, example: Example, form: DeskForm, typed: Mapping[str, str], based_on: int
) -> dict[str, str]:
    """Keep what could not be saved as one's own copy; what the page follows from now on."""
    written = Written(form.messages, {name: typed.get(name, "") for name in DESCRIBED}, based_on)
    with suppress(KeptElsewhere, working_copies.CopyGone):  # another tab at this very moment: the page has the words
        desk = Desk(access.user, access.project, example)
        copy = working_copies.keep_unsaved(session, desk, written, form.followed)
        return {"counter": str(copy.counter), "copy_key": copy.key}
    return {}


@router.post("/projects/{slug}/examples/{example_id}/withdrawal", name="examples:withdraw")
def withdraw(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """Take a submitted example back to write on."""
    example = _example(session, access, example_id)
    operations.withdraw_example(session, access.user, example)
    flash = Flash("ok", "Taken back; it is a draft again.")
    return leave(request, "examples:edit", flash, slug=access.project.slug, example_id=example_id)


@router.get("/projects/{slug}/examples/{example_id}/history", name="examples:history")
def history(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    wanted: Annotated[HistoryQuery, Query()],
) -> Response:
    """All revisions with what each changed, and any two compared."""
    shown = history_page(session, access, _example(session, access, example_id), wanted)
    return render(request, "examples/history.html", shown, session=session)


@router.post("/projects/{slug}/examples/{example_id}/revisions/{number}/restoration", name="examples:restore")
def restore(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    number: int,
    form: Annotated[RestoreForm, Form()],
) -> Response:
    """Bring an older revision back as a new one."""
    example = _example(session, access, example_id)
    old = queries.revision(session, example, number)
    if old is None:
        raise NotFound("There is no such revision.")
    try:
        with session.begin_nested():
            saved = operations.save_revision(
                session, access.user, example, based_on=form.based_on, messages=old.messages,
                note=f"revision {number} brought back", idempotency_key=form.key,
            )  # fmt: skip
    except Refusal as refusal:
        problem = f"{refusal.message} Revision {number} is not back; look at the newest, then bring it back again."
        page = replace(history_page(session, access, example, HistoryQuery()), problem=problem)
        return render(request, "examples/history.html", page, session=session, status=refusal.status)
    flash = Flash("ok", f"Revision {number} is back as revision {saved.number}.")
    return redirect(request, "examples:edit", flash, slug=access.project.slug, example_id=example_id)


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)


def _desk(request: Request, session: Session, page: DeskPage, status: int = 200) -> Response:
    return render(request, "examples/desk.html", page, session=session, fragments=FRAGMENTS, status=status)


def _typed(
    request: Request,
    session: Session,
    access: ProjectAccess,
    example: Example | None,
    typed: Mapping[str, str],
    form: Posted[DeskForm],
) -> Response:
    """The desk as it was typed, with what does not fit or with another number of turns."""
    turns = 0 if form.errors else STAYS[form.value.act]
    page = typed_desk(desk_page(session, access, example), typed, form.errors, turns=turns)
    if example is not None and not form.errors and form.value.joining:
        typed_turns = Turns(page.system, tuple(turn.text for turn in page.turns))
        page = joined_desk(session, page, example, form.value.joining, typed_turns)
    return _desk(request, session, page, 422 if form.errors else 200)


def _refused(
    request: Request,
    session: Session,
    access: ProjectAccess,
    example: Example | None,
    typed: Mapping[str, str],
    refusal: Refusal,
) -> Response:
    """The desk as it was typed, with the sentence that says why it was not saved."""
    page = typed_desk(desk_page(session, access, example), typed, {"form": refusal.message})
    return _desk(request, session, page, refusal.status)


def _done(
    request: Request, access: ProjectAccess, example: Example, *, submitted: bool, meanwhile: str = ""
) -> Response:
    slug = access.project.slug
    if submitted:
        undo = str(request.app.url_path_for("examples:withdraw", slug=slug, example_id=example.id))
        said = f"Submitted; a second person reads it now.{meanwhile}"
        flash = Flash("ok", said, undo_url=undo, undo_label="Take back")
        return leave(request, "examples:index", flash, slug=slug)
    flash, alone = Flash("ok", f"Saved.{meanwhile}"), targeted_block(request) == "save_state"
    if alone and meanwhile:  # the fields of the page show what it was for: all of the page is to come anew
        return leave(request, "examples:edit", flash, slug=slug, example_id=example.id)
    if not alone:
        return redirect(request, "examples:edit", flash, slug=slug, example_id=example.id)
    # htmx follows to the saved desk and takes its state alone: no message is kept for a later page.
    shows = f"shows={describing.purpose_of(example).mark}"
    return redirect(request, "examples:edit", slug=slug, example_id=example.id, query=shows)
