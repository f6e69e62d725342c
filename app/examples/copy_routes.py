"""The desk keeps what is typed: a working copy, its way out, and what differs from what is saved.

These answer the desk's script, by JSON or by a fragment; people without scripts save by the form of the desk.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.examples import claims, queries, working_copies
from app.examples.copy_forms import ChangeForm, KeepForm, ThrowAwayForm
from app.examples.kept import Joined, difference, joined_change
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.working_copies import Desk, Written, require_writer
from app.projects.access import Annotator, ProjectAccess, Reading
from app.web.forms import Typed, check
from app.web.templating import Flash, leave, redirect_to, render
from app.web.transactions import SessionDep, reads_only

router = APIRouter(include_in_schema=False)


class Kept(BaseModel):
    """What the desk learns of each save: where its copy stands, and whether somebody saved a revision since."""

    counter: int
    kept_at: str
    head: int
    head_by: str


@router.post("/projects/{slug}/examples/working-copy", name="examples:keep_new")
def keep_new(session: SessionDep, access: Annotator, typed: Typed) -> Response:
    """Keep what is typed into an example that is not made yet."""
    return _kept(session, access, None, typed)


@router.post("/projects/{slug}/examples/{example_id}/working-copy", name="examples:keep")
def keep(session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Keep what is typed into an example."""
    return _kept(session, access, queries.example_in(session, access.project.id, example_id), typed)


def _kept(session: Session, access: ProjectAccess, example: Example | None, typed: dict[str, str]) -> Response:
    require_writer(access.user, typed)
    posted = check(KeepForm, typed)
    if posted.errors:
        raise Refusal(" ".join(f"{field}: {words}" for field, words in posted.errors.items()))
    form = posted.value
    desk = Desk(access.user, access.project, example, None if example else form.key)
    based_on, follows = form.based_on, form.counter
    unheard = _unheard(session, access, example, form) if example is not None else None
    if unheard is not None:
        # The page saved and never heard of it: its words follow that save, which used its copy up.
        standing = working_copies.copy_on(session, desk)
        sent = standing is not None and standing.key == form.after
        based_on, follows = max(based_on, unheard.number), follows if sent else 0
    written = Written(form.messages, form.description, based_on)
    copy = working_copies.keep(session, desk, written, follows=follows, key=form.copy_key, after=form.after)
    if example is not None:
        claims.renew(session, access.user, example)
    return _answer(session, example, copy)


def _unheard(session: Session, access: ProjectAccess, example: Example, form: KeepForm) -> Revision | None:
    """A revision that this very page has saved since, as far as it knows."""
    saved = queries.revision_by_key(session, example, form.key) if example.revision_number > form.based_on else None
    return saved if saved is not None and saved.author_id == access.user.id else None


def _answer(session: Session, example: Example | None, copy: WorkingCopy) -> Response:
    head, by = (example.revision_number if example else 0), ""
    if example is not None and head > copy.based_on:
        author = queries.head_revision(session, example).author
        by = author.name if author else "somebody"
    kept = Kept(counter=copy.counter, kept_at=copy.changed_at.isoformat(), head=head, head_by=by)
    # Written out here: for a model that is returned the framework takes another thread, to check and write it.
    return Response(kept.model_dump_json(), media_type="application/json")


@router.post("/projects/{slug}/examples/{example_id}/working-copy/removal", name="examples:throw_away")
def throw_away(
    request: Request,
    session: SessionDep,
    access: Annotator,
    example_id: int,
    typed: Typed,
    counter: Annotated[int, Query(ge=0, le=10**9, description="Of one that the page offers and does not show.")] = 0,
) -> Response:
    """Throw one's own copy away, and go on from what is saved."""
    require_writer(access.user, typed)
    example = queries.example_in(session, access.project.id, example_id)
    desk = Desk(access.user, access.project, example)
    thrown = working_copies.throw_away(session, desk, counter=counter or _counter(typed))
    words = "Thrown away." if counter else "Thrown away; what is saved stands here again."
    flash = Flash("ok", words, undo_url=_way_back(request, access, thrown, on_desk=not counter))
    return leave(request, "examples:edit", flash, slug=access.project.slug, example_id=example_id)


@router.post("/projects/{slug}/examples/working-copy/removal", name="examples:throw_away_new")
def throw_away_new(
    request: Request,
    session: SessionDep,
    access: Annotator,
    typed: Typed,
    key: Annotated[str, Query(max_length=64)],
    counter: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """Throw away what was begun and never saved as an example."""
    require_writer(access.user, typed)
    desk = Desk(access.user, access.project, creation_key=key)
    # The desk's own counter moves on while somebody types; that of another one offered beside it does not.
    own = typed.get("key") == key
    thrown = working_copies.throw_away(session, desk, counter=_counter(typed) if own else counter)
    flash = Flash("ok", "Thrown away.", undo_url=_way_back(request, access, thrown, on_desk=own))
    return leave(request, "examples:new", flash, slug=access.project.slug)


def _way_back(request: Request, access: ProjectAccess, thrown: WorkingCopy | None, *, on_desk: bool) -> str | None:
    """Where to have these words back; what stood on a desk with a script, its page remembers and joins."""
    if thrown is None or (on_desk and "hx-request" in request.headers):
        return None
    return f"{request.app.url_path_for('examples:bring_back', slug=access.project.slug)}?key={thrown.key}"


@router.post("/projects/{slug}/examples/working-copy/restoration", name="examples:bring_back")
def bring_back(
    request: Request, session: SessionDep, access: Annotator, key: Annotated[str, Query(max_length=64)]
) -> Response:
    """Have words back that one threw away, and go to where they stand."""
    copy = working_copies.bring_back(session, access.user, access.project, key)
    slug, way = access.project.slug, request.app.url_path_for
    new = f"{way('examples:new', slug=slug)}?key={copy.creation_key}"
    place = str(way("examples:edit", slug=slug, example_id=copy.example_id)) if copy.example_id else new
    return redirect_to(request, place, Flash("ok", "Your words are back."))


def _counter(typed: dict[str, str]) -> int:
    """Where the copy of the page stands; a page that never heard of one throws nothing away."""
    form = check(ThrowAwayForm, {name: typed[name] for name in ("counter",) if name in typed})
    return 0 if form.errors else form.value.counter


@router.post("/projects/{slug}/examples/{example_id}/difference", name="examples:difference")
def differs(request: Request, session: SessionDep, access: Reading, example_id: int, typed: Typed) -> Response:
    """What these texts would change in those that the server has; nothing is saved."""
    example = queries.example_in(session, access.project.id, example_id)
    page = difference(session, access, example, typed)
    return render(request, "examples/_difference.html", page, session=session)


@router.post("/projects/{slug}/examples/difference", name="examples:difference_new")
def differs_new(request: Request, session: SessionDep, access: Reading, typed: Typed) -> Response:
    """The same for an example that is not made yet."""
    page = difference(session, access, None, typed)
    return render(request, "examples/_difference.html", page, session=session)


@router.post("/projects/{slug}/examples/{example_id}/joining", name="examples:join")
@reads_only
def join(session: SessionDep, access: Reading, example_id: int, typed: Typed) -> Joined:
    """The desk with a change of one's own words brought in, or taken out again; nothing is saved."""
    return _joined(session, queries.example_in(session, access.project.id, example_id), typed)


@router.post("/projects/{slug}/examples/joining", name="examples:join_new")
@reads_only
def join_new(session: SessionDep, access: Reading, typed: Typed) -> Joined:  # noqa: ARG001 - who may
    """The same for an example that is not made yet."""
    return _joined(session, None, typed)


def _joined(session: Session, example: Example | None, typed: dict[str, str]) -> Joined:
    posted = check(ChangeForm, typed)
    if posted.errors:
        raise Refusal(" ".join(f"{field}: {words}" for field, words in posted.errors.items()))
    return joined_change(session, example, posted.value)
