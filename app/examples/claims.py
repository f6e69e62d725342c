"""Claims: one person at a time writes on an example.

A claim is two columns of the example, so that one statement both looks and takes. It ends by itself: nothing has to be
swept up. Whoever's claim has ended still has the example among their drafts, until somebody else takes it.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.config import Settings
from app.db import now
from app.errors import Conflict
from app.examples.models import Example
from app.projects.limits import require_open
from app.projects.models import Project


class HeldByAnother(Conflict):
    """Somebody else writes on this example."""

    def __init__(self, name: str, until: datetime) -> None:
        """Name who writes, and until when."""
        super().__init__(
            f"{name} writes on this until {until:%H:%M} UTC, so nothing was saved over it. Save again "
            "when they have finished, or send your text in as a second answer to the prompt."
        )
        self.name, self.until = name, until


@cache
def claim_time() -> timedelta:
    """How long a claim lasts from its last renewal; this installation's setting."""
    return timedelta(minutes=Settings().claim_minutes)


def free_for(person: int, at: datetime) -> ColumnElement[bool]:
    """Whether that person may write on the example then: nobody else holds it."""
    return or_(Example.claimed_until.is_(None), Example.claimed_until <= at, Example.claimed_by == person)


def claimed(actor: User) -> dict[str, Any]:
    """What a statement sets to give the example to that person."""
    return {"claimed_by": actor.id, "claimed_until": now() + claim_time()}


def is_held_by_another(actor: User, example: Example) -> bool:
    """Whether somebody else's claim is alive, as far as the loaded row says."""
    return example.claimed_by != actor.id and _alive(example)


def _alive(example: Example) -> bool:
    return example.claimed_until is not None and example.claimed_until > now()


def require_free(session: Session, actor: User, example: Example) -> None:
    """Raise HeldByAnother while somebody else writes on it."""
    if is_held_by_another(actor, example):
        holder = session.get(User, example.claimed_by)
        assert example.claimed_until is not None
        raise HeldByAnother(holder.name if holder else "Somebody", example.claimed_until)


def renew(session: Session, actor: User, example: Example) -> bool:
    """Say that this person is writing on it; False if somebody else is. Costs nothing while the claim is fresh."""
    fresh = example.claimed_by == actor.id and _alive(example)
    if fresh and example.claimed_until is not None and example.claimed_until > now() + claim_time() * 0.9:
        return True
    taken = session.execute(
        update(Example)
        .where(Example.id == example.id, free_for(actor.id, now()))
        .values(claimed(actor))
        .execution_options(synchronize_session=False)
    )
    session.refresh(example, ("claimed_by", "claimed_until"))
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def claim(session: Session, actor: User, example: Example) -> None:
    """Take this example to write on; raises HeldByAnother if somebody else has it."""
    require_open(session.get_one(Project, example.project_id))
    if not renew(session, actor, example):
        require_free(session, actor, example)


def release(session: Session, actor: User, example: Example) -> None:
    """End one's own claim; what one has written stays one's draft. Somebody else's claim stays as it is."""
    if example.claimed_by != actor.id:
        return
    example.claimed_until = None
    if untouched(example):
        example.claimed_by = None
    session.flush()


def end(example: Example) -> None:
    """Nobody writes on it any more, and it lies with nobody: it was submitted."""
    example.claimed_by = example.claimed_until = None
    example.handed_to = example.handed_by = example.handed_at = None
    example.handed_words = ""


def untouched(example: Example) -> bool:
    """Whether it still says what came from the pool or from an import."""
    brought = example.candidate_id is not None or example.import_run_id is not None
    return brought and example.revision_number == 1
