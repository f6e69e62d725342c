"""The desk keeps what is typed: a working copy, its way out, and what differs from what is saved.

These answer the desk's script, by JSON or by a fragment; people without scripts save by the form of the desk.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.db import SessionDep
from app.errors import Refusal
from app.examples import claims, queries, working_copies
from app.examples.forms import KeepForm, ThrowAwayForm
from app.examples.kept import difference
from app.examples.models import Example, WorkingCopy
from app.examples.working_copies import Desk, Written
from app.projects.access import Annotator, ProjectAccess, Reading
from app.web.forms import Typed, check
from app.web.templating import Flash, leave, render

router = APIRouter(include_in_schema=False)


class Kept(BaseModel):
    """What the desk learns of each save: where its copy stands, and whether somebody saved a revision since."""

    counter: int
    kept_at: str
    head: int
    head_by: str


@router.post("/projects/{slug}/examples/working-copy", name="examples:keep_new")
def keep_new(session: SessionDep, access: Annotator, typed: Typed) -> Kept:
    """Keep what is typed into an example that is not made yet."""
    return _kept(session, access, None, typed)


@router.post("/projects/{slug}/examples/{example_id}/working-copy", name="examples:keep")
def keep(session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Kept:
    """Keep what is typed into an example."""
    return _kept(session, access, queries.example_in(session, access.project.id, example_id), typed)


def _kept(session: Session, access: ProjectAccess, example: Example | None, typed: dict[str, str]) -> Kept:
    posted = check(KeepForm, typed)
    if posted.errors:
        raise Refusal(" ".join(f"{field}: {words}" for field, words in posted.errors.items()))
    form = posted.value
    desk = Desk(access.user, access.project, example, None if example else form.key)
    written = Written(form.messages, form.description, form.based_on)
    copy = working_copies.keep(session, desk, written, follows=form.counter, key=form.copy_key)
    if example is not None:
        claims.renew(session, access.user, example)
    return _answer(session, example, copy)


def _answer(session: Session, example: Example | None, copy: WorkingCopy) -> Kept:
    head, by = (example.revision_number if example else 0), ""
    if example is not None and head > copy.based_on:
        author = queries.head_revision(session, example).author
        by = author.name if author else "somebody"
    return Kept(counter=copy.counter, kept_at=copy.changed_at.isoformat(), head=head, head_by=by)


@router.post("/projects/{slug}/examples/{example_id}/working-copy/removal", name="examples:throw_away")
def throw_away(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Throw one's own copy away, and go on from what is saved."""
    example = queries.example_in(session, access.project.id, example_id)
    desk = Desk(access.user, access.project, example)
    working_copies.throw_away(session, desk, counter=_counter(typed))
    flash = Flash("ok", "Thrown away; what is saved stands here again.")
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
    desk = Desk(access.user, access.project, creation_key=key)
    # The desk's own counter moves on while somebody types; that of another one offered beside it does not.
    own = typed.get("key") == key
    working_copies.throw_away(session, desk, counter=_counter(typed) if own else counter)
    return leave(request, "examples:new", Flash("ok", "Thrown away."), slug=access.project.slug)


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
