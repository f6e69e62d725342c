"""The queue: what each person writes next, never the same example for two.

The order: what came back to them, what a colleague handed to them, what they began, then what nobody has begun, from
the source that is most short of its target, the oldest first. Where the project asks for several answers to a prompt,
those come last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.examples import claims, queries, skips
from app.examples.answers import make_answer, wants_answer
from app.examples.models import Example, ExampleState, Revision, Skip, WorkingCopy
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.projects.queries import composition_of

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# A colleague's unsaved words keep an untouched example out of the queue for so long after the last of them; then it is
# handed out again, and theirs stay offered to them beside what was written.
COPY_COUNTS = timedelta(days=7)
ON_THEIR_WAY = (ExampleState.APPROVED, ExampleState.REVIEW, ExampleState.RETURNED)


class Why(StrEnum):
    """Why this example is the next one."""

    RETURNED = "came back to you"
    HANDED = "handed to you"
    DRAFT = "your draft"
    NEW = "nobody has begun it"
    ANSWER = "a second answer is wanted"


@dataclass(frozen=True)
class Next:
    """What to write next, claimed already, and why."""

    example: Example
    why: Why


def claim_next(session: Session, actor: User, project: Project, *, after: Example | None = None) -> Next | None:
    """The example that this person writes next, claimed for them in one statement; None if nothing is left.

    Never one that somebody else has begun or holds, unless it was handed over. `after` is the one they go on from.
    """
    require_open(project)
    if after is not None:
        skips.pass_over(session, actor, after)
    found = _first(session, actor, project, after)
    if found is None and skips.forget_passed(session, actor, project):
        found = _first(session, actor, project, after)
    return found


def _first(session: Session, actor: User, project: Project, after: Example | None) -> Next | None:
    open_to_me = _open_to(actor, project, after)
    for why, wanted in (*_own(actor, after), *_unbegun(session, actor, project)):
        example = _take(session, actor, wanted.where(*open_to_me))
        if example is not None:
            return Next(example, why)
    return _answer(session, actor, project, open_to_me)


def _open_to(actor: User, project: Project, after: Example | None) -> tuple[ColumnElement[bool], ...]:
    skipped = select(Skip.example_id).where(Skip.example_id == Example.id, Skip.user_id == actor.id).exists()
    mine = or_(Example.handed_to.is_(None), Example.handed_to == actor.id)
    usual = (Example.project_id == project.id, queries.arrived(), mine, ~skipped)
    return usual if after is None else (*usual, Example.id != after.id)


def _own(actor: User, after: Example | None) -> Iterator[tuple[Why, Select[int]]]:
    """What lies with this person, each kind in turn."""
    # Whoever comes back goes on where they were; whoever goes on comes to what they have not seen for longest.
    seen = func.coalesce(Example.claimed_until, LONG_AGO)
    order = (seen.desc() if after is None else seen, Example.id)
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    wrote = or_(Revision.author_id == actor.id, and_(Revision.author_id.is_(None), Example.created_by == actor.id))
    returned = select(Example.id).join(Revision, head).where(Example.state == ExampleState.RETURNED, wrote)
    yield Why.RETURNED, returned.order_by(*order)
    handed = select(Example.id).where(Example.handed_to == actor.id, Example.state.in_(queries.UNFINISHED))
    yield Why.HANDED, handed.order_by(*order)
    draft = select(Example.id).where(Example.state == ExampleState.DRAFT)
    yield Why.DRAFT, draft.where(Example.claimed_by == actor.id).order_by(*order)
    new = (Example.created_by == actor.id, Example.claimed_by.is_(None), Example.candidate_id.is_(None))
    yield Why.DRAFT, draft.where(*new, Example.import_run_id.is_(None)).order_by(*order)


def _unbegun(session: Session, actor: User, project: Project) -> Iterator[tuple[Why, Select[int]]]:
    """Untouched drafts, one query a source and split; the sources are counted only if the first part was in vain."""
    theirs = (WorkingCopy.example_id == Example.id, WorkingCopy.user_id != actor.id)
    others = (*theirs, WorkingCopy.changed_at > now() - COPY_COUNTS)
    brought = or_(Example.candidate_id.is_not(None), Example.import_run_id.is_not(None))
    untouched = (Example.state == ExampleState.DRAFT, Example.revision_number == 1, brought)
    alone = ~select(WorkingCopy.id).where(*others).exists()
    for source, split in places_by_shortage(session, project):
        there = (Example.source == source, Example.split == split)
        yield Why.NEW, select(Example.id).where(*untouched, *there, alone).order_by(Example.id)


def places_by_shortage(session: Session, project: Project) -> Sequence[tuple[str, Split]]:
    """Sources and splits that have drafts, the most short of its target first; then as the target names them."""
    rows = list(session.scalars(composition_of(project)))
    places = {(row.source, row.split): place for place, row in enumerate(rows)}
    short = {(row.source, row.split): row.target for row in rows}
    drafts = set()
    for count in queries.standing_counts(session, project.id):
        key = (count.source, count.split)
        if count.state is ExampleState.DRAFT:
            drafts.add(key)
        elif count.state in ON_THEIR_WAY:
            short[key] = short.get(key, 0) - count.count
    return sorted(drafts, key=lambda key: (-short.get(key, 0), places.get(key, len(places)), key))


def _take(session: Session, actor: User, wanted: Select[int]) -> Example | None:
    """Claim the first of these that nobody else holds, in one statement."""
    free = wanted.where(claims.free_for(actor.id, now())).limit(1).correlate(None)
    # On PostgreSQL what another statement is just taking is passed by; SQLite lets one in at a time.
    one = free.with_for_update(of=Example, skip_locked=True, key_share=True).scalar_subquery()
    taken = update(Example).where(Example.id == one).values(claims.claimed(actor)).returning(Example)
    return session.scalar(taken.execution_options(synchronize_session=False, populate_existing=True))


def _answer(
    session: Session, actor: User, project: Project, open_to_me: tuple[ColumnElement[bool], ...]
) -> Next | None:
    """Another answer to a prompt that has fewer than the project wants, none of them by this person."""
    if project.overlap < 2:
        return None
    wanted = select(Example.id).where(*open_to_me, *wants_answer(actor, project)).order_by(Example.id)
    one = wanted.limit(1).correlate(None).with_for_update(of=Example, skip_locked=True, key_share=True)
    counted = (
        update(Example)
        .where(Example.id == one.scalar_subquery())
        .values(answers=Example.answers + 1)
        .returning(Example)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    first = session.scalar(counted)
    return None if first is None else Next(make_answer(session, actor, project, first), Why.ANSWER)


def set_overlap(session: Session, actor: User, project: Project, overlap: int) -> None:
    """Say how many people may answer the same prompt; answers that are there stay."""
    require_open(project)
    project.overlap = overlap
    session.flush()
    record(session, actor, "set overlap", f"project:{project.id}", project_id=project.id, overlap=overlap)
