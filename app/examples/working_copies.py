"""Working copies: what a person types is kept here, in one row, until it becomes a revision.

A copy belongs to one person and to one example, or to the creation key of an example that is not made yet. It is no
revision: it reopens nothing, nobody else sees it, and the trail says nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone
from app.examples import queries
from app.examples.messages import Message, require_size
from app.examples.models import Example, WorkingCopy
from app.examples.operations import NothingWritten
from app.projects.access import require_open
from app.projects.models import Project
from app.text.wellformed import require_wellformed

MOST_OFFERED = 20


class KeptElsewhere(Conflict):
    """Another tab or device of yours kept newer words here. Nothing was overwritten: what stands on this page stays."""

    def __init__(self, copy: WorkingCopy) -> None:
        """Carry the copy that stands there now."""
        super().__init__()
        self.copy = copy


class CopyGone(Gone):
    """Your copy is not here any more: it was saved or thrown away in another tab. What stands on this page stays."""


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


def unmade(person: User, project: Project) -> Select[WorkingCopy]:
    """What a person has begun and never saved as an example, the latest first."""
    mine = (WorkingCopy.user_id == person.id, WorkingCopy.project_id == project.id, WorkingCopy.example_id.is_(None))
    return select(WorkingCopy).where(*mine).order_by(WorkingCopy.changed_at.desc()).limit(MOST_OFFERED)


def keep(session: Session, desk: Desk, written: Written, *, follows: int, key: str) -> WorkingCopy:
    """Keep what was typed, if the copy stands at the counter that this save follows (0: there is none yet).

    The same key again answers with what it kept. Raises KeptElsewhere with the newer copy, or CopyGone.
    """
    require_open(desk.project)
    values = _checked(desk, written) | {"key": key, "changed_at": now(), "counter": follows + 1}
    kept = _moved_on(session, desk, follows, values) if follows else _begun(session, desk, values)
    if kept is not None:
        return kept
    standing = copy_on(session, desk)
    if standing is None:
        raise CopyGone
    if standing.key != key:
        raise KeptElsewhere(standing)
    return standing


def _checked(desk: Desk, written: Written) -> dict[str, Any]:
    messages = [
        {"role": str(one["role"]), "content": require_wellformed(str(one["content"]))} for one in written.messages
    ]
    require_size(messages)
    if desk.example is None and not any(one["content"].strip() for one in messages):
        raise NothingWritten
    return {"messages": messages, "description": dict(written.description), "based_on": written.based_on}


def _moved_on(session: Session, desk: Desk, follows: int, values: Mapping[str, Any]) -> WorkingCopy | None:
    """Compare-and-set in one statement; None if the copy stands elsewhere."""
    changed = update(WorkingCopy).where(*_mine(desk), WorkingCopy.counter == follows).values(values)
    return session.scalar(changed.returning(WorkingCopy).execution_options(synchronize_session=False))


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
        **values,
    )
    try:
        with session.begin_nested():
            session.add(copy)
    except IntegrityError:
        return None
    return copy


def let_go(session: Session, desk: Desk) -> None:
    """Forget the copy: its words are a revision now."""
    session.execute(delete(WorkingCopy).where(*_mine(desk)).execution_options(synchronize_session=False))


def throw_away(session: Session, desk: Desk, *, counter: int) -> None:
    """Forget the copy at that counter; done twice, nothing changes. Raises KeptElsewhere if it has newer words."""
    require_open(desk.project)
    gone = delete(WorkingCopy).where(*_mine(desk), WorkingCopy.counter == counter)
    if session.execute(gone.execution_options(synchronize_session=False)).rowcount:  # type: ignore[attr-defined]
        return
    standing = copy_on(session, desk)
    if standing is not None:
        raise KeptElsewhere(standing)
