"""Working copies: what a person types is kept here, in one row, until it becomes a revision.

A copy belongs to one person and to one example, or to the creation key of an example that is not made yet. It is no
revision: it reopens nothing, nobody else sees it, and the trail says nothing of it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone
from app.examples import queries
from app.examples.forms import UNKNOWN, Followed, new_key
from app.examples.messages import Message, require_size, same_messages, without_places
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.operations import NothingWritten
from app.projects.limits import require_open
from app.projects.models import Project
from app.text.wellformed import require_wellformed

# Where a copy begins to count. Not at 1: a page that still shows one which was thrown away would overwrite the next.
BEGINNINGS = 2**29
# The creation key of what was thrown away begins so, which no page and no client may send.
THROWN = "thrown:"
BROUGHT_BACK_FOR = timedelta(days=1)


class KeptElsewhere(Conflict):
    """Another tab or device of yours kept newer words here. Nothing was overwritten: what stands on this page stays."""

    def __init__(self, copy: WorkingCopy) -> None:
        """Carry the copy that stands there now."""
        super().__init__()
        self.copy = copy


class CopyGone(Gone):
    """Your copy is not here any more: it was saved or thrown away in another tab. What stands on this page stays."""


class NotBroughtBack(Gone):
    """These words are not to be had back: they were thrown away more than a day ago, or are back already."""


class WrittenByAnother(Conflict):
    """Somebody else wrote this; nothing was kept or saved under your name. They have it when they sign in here."""

    title = "Somebody else's words"


def require_writer(person: User, typed: Mapping[str, str]) -> None:
    """Raise WrittenByAnother where a page that was made for somebody else sends its words."""
    if typed.get("writer", "") not in ("", str(person.id)):
        raise WrittenByAnother


@dataclass(frozen=True)
class Desk:
    """One person's place to write: an example, or the creation key of one that is not made yet."""

    person: User
    project: Project
    example: Example | None = None
    creation_key: str | None = None


@dataclass(frozen=True)
class Written:
    """What stands on a desk: the words, what they are for, and the revision they began from."""

    messages: Sequence[Message]
    description: Mapping[str, str]
    based_on: int


def _mine(desk: Desk) -> tuple[ColumnElement[bool], ...]:
    if desk.example is not None:
        return (WorkingCopy.user_id == desk.person.id, WorkingCopy.example_id == desk.example.id)
    unmade = (WorkingCopy.project_id == desk.project.id, WorkingCopy.creation_key == desk.creation_key)
    return (WorkingCopy.user_id == desk.person.id, *unmade, WorkingCopy.example_id.is_(None))


def copy_on(session: Session, desk: Desk) -> WorkingCopy | None:
    """The copy that this person has here."""
    return session.scalar(select(WorkingCopy).where(*_mine(desk)))


def unmade(person: User, project: Project, *, but: WorkingCopy | None = None) -> Select[WorkingCopy]:
    """What a person has begun and never saved as an example, the latest first; all of it but that one."""
    mine = (WorkingCopy.user_id == person.id, WorkingCopy.project_id == project.id, WorkingCopy.example_id.is_(None))
    others = select(WorkingCopy).where(*mine, ~_is_thrown(), WorkingCopy.id != (but.id if but is not None else 0))
    return others.order_by(WorkingCopy.changed_at.desc(), WorkingCopy.id.desc())


def keep(session: Session, desk: Desk, written: Written, *, follows: int, key: str, after: str = "") -> WorkingCopy:
    """Keep what was typed, if the copy stands at the counter that this save follows (0: there is none yet).

    The save with the key `after` is followed as well, be its answer lost or late. The same key again answers with
    what it kept. Raises KeptElsewhere with the newer copy, or CopyGone.
    """
    require_open(desk.project)
    values = _checked(desk, written) | {"key": key, "changed_at": now()}
    kept = _moved_on(session, desk, follows, after, values) if follows or after else None
    if kept is None and not follows:
        kept = _begun(session, desk, values)
    if kept is not None:
        return kept
    standing = copy_on(session, desk)
    if standing is None:
        raise CopyGone
    if _says_the_same(standing, values, again=standing.key == key):
        return standing
    offered = not follows and standing.based_on < written.based_on
    if standing.key != key and offered and _set_aside(session, desk, standing):
        kept = _begun(session, desk, values)
        if kept is not None:
            return kept
    raise KeptElsewhere(standing)


def _says_the_same(standing: WorkingCopy, values: Mapping[str, Any], *, again: bool) -> bool:
    """Whether these very words are kept already: sent `again`, or by a page that went and the one that came next."""
    described = (standing.based_on, standing.description) == (values["based_on"], values["description"])
    return (again or described) and same_messages(standing.messages, values["messages"])


def _checked(desk: Desk, written: Written) -> dict[str, Any]:
    messages = [
        {"role": str(one["role"]), "content": require_wellformed(str(one["content"]))} for one in written.messages
    ]
    require_size(messages)
    if desk.example is None and not any(one["content"].strip() for one in messages):
        raise NothingWritten
    return {"messages": messages, "description": dict(written.description), "based_on": written.based_on}


def _moved_on(session: Session, desk: Desk, follows: int, after: str, values: Mapping[str, Any]) -> WorkingCopy | None:
    """Compare-and-set in one statement; None if the copy stands elsewhere, be it begun anew from a later revision."""
    place: dict[str, Any] = {"person": desk.person.id, "follows": follows, "after": after}
    if desk.example is not None:
        place["example"] = desk.example.id
    else:
        place |= {"project": desk.project.id, "creation": desk.creation_key}
    words = {f"new_{name}": value for name, value in values.items()}
    return session.scalar(_next(made=desk.example is not None), {**place, **words})


@cache
def _next(*, made: bool) -> ReturningUpdate[WorkingCopy]:
    """The statement of each save, made once: making it costs as much as asking it."""
    here = {"example_id": "example"} if made else {"project_id": "project", "creation_key": "creation"}
    places = [getattr(WorkingCopy, column) == bindparam(name) for column, name in here.items()]
    if not made:
        places.append(WorkingCopy.example_id.is_(None))
    followed = or_(WorkingCopy.counter == bindparam("follows"), WorkingCopy.key == bindparam("after"))
    still = (followed, WorkingCopy.based_on <= bindparam("new_based_on"))
    words = ("messages", "description", "based_on", "key", "changed_at")
    values = {**{name: bindparam(f"new_{name}") for name in words}, "counter": WorkingCopy.counter + 1}
    changed = update(WorkingCopy).where(WorkingCopy.user_id == bindparam("person"), *places, *still).values(values)
    fresh = {"synchronize_session": False, "populate_existing": True, "dml_strategy": "orm"}
    return changed.returning(WorkingCopy).execution_options(**fresh)


def _begun(session: Session, desk: Desk, values: Mapping[str, Any]) -> WorkingCopy | None:
    """The first row; None if there is one already."""
    if desk.example is None:
        # The page may have made the example while its last words were on the way: they belong to it now.
        made = session.scalar(queries.example_by_creation_key(desk.project.id, desk.creation_key or ""))
        if made is not None:
            raise CopyGone
    copy = WorkingCopy(
        user_id=desk.person.id,
        project_id=desk.project.id,
        example_id=desk.example.id if desk.example else None,
        creation_key=None if desk.example else desk.creation_key,
        counter=1 + secrets.randbelow(BEGINNINGS),
        **values,
    )
    try:
        with session.begin_nested():
            session.add(copy)
    except IntegrityError:
        return None
    return copy


def _set_aside(session: Session, desk: Desk, standing: WorkingCopy) -> bool:
    """Make a copy an example that was begun and never saved; False for one that is that already."""
    if desk.example is None:
        return False
    standing.example_id, standing.creation_key = None, new_key()
    session.flush()
    return True


def keep_unsaved(session: Session, desk: Desk, written: Written, followed: Followed = UNKNOWN) -> WorkingCopy:
    """Keep what could not be saved. Other words of the same person that stand here are set aside, not overwritten."""
    standing = copy_on(session, desk)
    if standing is not None:
        same = same_messages(standing.messages, written.messages)
        if not same and not _is_behind(standing, followed) and _set_aside(session, desk, standing):
            standing = None
    follows = standing.counter if standing is not None else 0
    return keep(session, desk, written, follows=follows, key=new_key())


def _is_behind(standing: WorkingCopy, followed: Followed) -> bool:
    """Whether a page's words follow this copy: the page showed it or sent it, and nobody has written there since."""
    shown = standing.counter == followed.counter and standing.based_on <= followed.based_on
    return shown or standing.key == followed.copy_key


def let_go(session: Session, desk: Desk, saved: Revision, followed: Followed = UNKNOWN) -> None:
    """Forget the copy whose words are in the revision that was saved, or behind it; any other stays and is offered.

    One that is older than what the save began from was offered and left: it is set aside.
    """
    standing = copy_on(session, desk)
    if standing is None:
        return
    if _is_behind(standing, followed) or _says(standing, saved):
        same = (WorkingCopy.id == standing.id, WorkingCopy.counter == standing.counter)
        session.execute(delete(WorkingCopy).where(*same).execution_options(synchronize_session=False))
        session.expunge(standing)  # SQLite may give its number to the next row
    elif standing.based_on < followed.based_on:
        _set_aside(session, desk, standing)


def _says(standing: WorkingCopy, saved: Revision) -> bool:
    """Whether every word of a copy stands in a revision."""
    note = standing.description.get("note", "").strip()
    return same_messages(without_places(standing.messages), saved.messages) and note in ("", saved.note)


def has_unsaved(session: Session, desk: Desk) -> bool:
    """Whether this person has words for an example that its newest revision has not."""
    copy = copy_on(session, desk)
    if copy is None or desk.example is None:
        return False
    return not _says(copy, queries.head_revision(session, desk.example))


def _is_thrown() -> ColumnElement[bool]:
    return WorkingCopy.creation_key.startswith(THROWN, autoescape=True)


def throw_away(session: Session, desk: Desk, *, counter: int) -> WorkingCopy | None:
    """Take the copy at that counter out of sight, from where `bring_back` has it for a day; None if there is none.

    Raises KeptElsewhere if it has newer words.
    """
    require_open(desk.project)
    standing = copy_on(session, desk)
    if standing is None:
        return None
    place = {"example": standing.example_id, "key": standing.creation_key, "at": standing.changed_at.isoformat()}
    hidden: dict[str, Any] = {"example_id": None, "creation_key": THROWN + new_key(), "changed_at": now()}
    hidden["description"] = {**standing.description, "thrown": place}
    gone = update(WorkingCopy).where(WorkingCopy.id == standing.id, WorkingCopy.counter == counter).values(hidden)
    if not session.execute(gone.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        raise KeptElsewhere(standing)
    session.refresh(standing)
    return standing


def bring_back(session: Session, person: User, project: Project, key: str) -> WorkingCopy:
    """What one threw away, known by the key of its save, where it stood; beside, if other words stand there now.

    Raises NotBroughtBack.
    """
    require_open(project)
    mine = (WorkingCopy.user_id == person.id, WorkingCopy.project_id == project.id, WorkingCopy.key == key)
    copy = session.scalar(select(WorkingCopy).where(*mine, _is_thrown()))
    if copy is None:
        raise NotBroughtBack
    place = copy.description["thrown"]
    example = session.get(Example, place["example"]) if place["example"] else None
    desk = Desk(person, project, example, place["key"] or new_key())
    made = queries.example_by_creation_key(project.id, desk.creation_key or "")
    free = copy_on(session, desk) is None and (example is not None or session.scalar(made) is None)
    copy.example_id = example.id if example is not None and free else None
    copy.creation_key = None if copy.example_id else desk.creation_key if free else new_key()
    copy.description = {name: value for name, value in copy.description.items() if name != "thrown"}
    copy.changed_at = datetime.fromisoformat(place["at"])
    session.flush()
    return copy


def forget_thrown(session: Session) -> None:
    """Delete what was thrown away more than a day ago."""
    old = delete(WorkingCopy).where(_is_thrown(), WorkingCopy.changed_at < now() - BROUGHT_BACK_FOR)
    session.execute(old.execution_options(synchronize_session=False))
