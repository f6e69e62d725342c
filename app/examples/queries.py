"""Examples, their revisions, and how many stand where."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, bindparam, func, or_, select, union_all
from sqlalchemy.orm import Session, joinedload, load_only

from app.accounts.models import AuditEntry, User
from app.errors import Gone, NotFound, Refusal
from app.examples import indexing
from app.examples.models import Example, ExampleState, Revision, WorkingCopy
from app.examples.narrowing import Also, also
from app.examples.tallies import KIND, FacetCount, facet_counts, has_arrived
from app.projects.models import Project, Split
from app.projects.queries import composition_of
from app.text.search import parse

FEW = 1000
# What waits for its writer.
UNFINISHED = (ExampleState.DRAFT, ExampleState.RETURNED)


class Deleted(Gone):
    """Somebody put this example back into the pool; nothing was saved. Your text is on your page still: copy it."""

    title = "Not here any more"


class NoSuchSource(Refusal):
    """There is no source {source} in the project; there are {rows}. Nothing was saved."""


@dataclass(frozen=True)
class ExampleFilter:
    """Which examples to list; what is None or empty does not narrow.

    Words are looked for in every text of the newest revision; see app.text.search for what they may say. The author is
    the number of a person who made the example or wrote its newest revision.
    """

    state: ExampleState | None = None
    split: Split | None = None
    source: str | None = None
    words: str = ""
    mine: User | None = None
    author: int | None = None
    language: str | None = None
    licence: str | None = None
    also: Also | None = None
    # Only these, where they are known already.
    among: Sequence[int] | None = None


@dataclass(frozen=True)
class StandingCount:
    """How many examples of one source and split are in a state."""

    source: str
    split: Split
    state: ExampleState
    count: int


def arrived() -> ColumnElement[bool]:
    """Examples that may be seen: those of an import appear all at once, when it is published."""
    return has_arrived()


def examples_of(project_id: int, wanted: ExampleFilter = ExampleFilter()) -> Select[Example]:
    """A project's examples, the latest change first."""
    return _listed(select(Example), project_id, wanted)


def ids_of(project_id: int, wanted: ExampleFilter = ExampleFilter()) -> Select[int]:
    """Their numbers alone, which carries no texts about while they are sorted and counted."""
    return _listed(select(Example.id), project_id, wanted)


def latest_of_each(
    project_id: int, wanted: ExampleFilter, states: Iterable[ExampleState], most: int
) -> Select[int] | CompoundSelect[int]:
    """The numbers of the latest changed examples of each state that fit, at most so many of each, in one question."""
    parts = (ids_of(project_id, replace(wanted, state=state)).limit(most).subquery() for state in states)
    return union_all(*(select(part.c.id) for part in parts))


def heads_by_id(ids: Sequence[int]) -> Select[Revision]:
    """The newest revisions of these examples with the example and its maker, the latest change first."""
    query = select(Revision).join(Example, _is_head()).where(Example.id.in_(ids))
    return query.options(*_AS_LISTED).order_by(Example.changed_at.desc(), Example.id.desc())


def _named(person: Any) -> Any:
    return joinedload(person).load_only(User.name)


# What no list shows is not read: a page of fifty would decode and hold several times what it shows.
_AS_LISTED = (
    load_only(Revision.example_id, Revision.number, Revision.messages, Revision.title),
    _named(Revision.author),
    joinedload(Revision.example).options(
        load_only(
            *(Example.project_id, Example.split, Example.source, Example.language, Example.state, Example.licence),
            *(Example.revision_number, Example.verdict_words, Example.changed_at),
        ),
        _named(Example.creator),
        _named(Example.judge),
    ),
)


def _listed(query: Select[Any], project_id: int, wanted: ExampleFilter) -> Select[Any]:
    query = query.where(Example.project_id == project_id, arrived(), *_conditions(wanted))
    return query.order_by(Example.changed_at.desc(), Example.id.desc())


def _is_head() -> ColumnElement[bool]:
    return and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)


def _conditions(wanted: ExampleFilter) -> list[ColumnElement[bool]]:
    texts = ((Example.source, wanted.source), (Example.language, wanted.language), (Example.licence, wanted.licence))
    choices = ((Example.state, wanted.state), (Example.split, wanted.split))
    found = [column == value for column, value in texts if value]
    found += [column == value for column, value in choices if value is not None]
    found += [_written_by(person) for person in _people(wanted)]
    found += [Example.id.in_(wanted.among)] if wanted.among is not None else []
    return [*found, *also(wanted.also), *indexing.holding(parse(wanted.words))]


def _people(wanted: ExampleFilter) -> set[int]:
    return {person for person in (wanted.author, wanted.mine.id if wanted.mine else None) if person is not None}


def with_own_ids(session: Session, project_id: int, wanted: ExampleFilter) -> ExampleFilter:
    """The same filter; where it asks for a person who has made or written little, with the numbers of all of that.

    A list of somebody's examples is walked through until a page is full, which is soon where they wrote many, and late
    where they wrote few.
    """
    for person in _people(wanted):
        made = select(Example.id).where(Example.created_by == person, Example.project_id == project_id)
        wrote = select(Revision.example_id).where(Revision.author_id == person)
        few = union_all(*(select(part.limit(FEW + 1).subquery()) for part in (made, wrote)))
        ids = session.scalars(few).all()
        if len(ids) <= FEW:
            return replace(wanted, among=sorted(set(ids)))
    return wanted


def _written_by(person: int) -> ColumnElement[bool]:
    # Not EXISTS: PostgreSQL would gather all that this person ever wrote, where one row of each example is enough.
    writer = select(Revision.author_id).where(_is_head()).correlate(Example).scalar_subquery()
    return or_(Example.created_by == person, writer == person)


# Made once: whoever types asks it each second.
_ONE = (
    select(Example)
    .where(Example.id == bindparam("number"), Example.project_id == bindparam("project"), arrived())
    .options(joinedload(Example.creator))
)


def example_in(session: Session, project_id: int, example_id: int) -> Example:
    """The project's example of that number with its maker; NotFound, or Deleted if there was one."""
    example = session.scalar(_ONE, {"number": example_id, "project": project_id})
    if example is None:
        raise Deleted if _was_made(session, project_id, example_id) else NotFound("There is no such example here.")
    return example


def _was_made(session: Session, project_id: int, example_id: int) -> bool:
    # By the table: an example that is kept out of this person's sight is there and was not deleted.
    if session.scalar(select(Example.__table__.c.id).where(Example.__table__.c.id == example_id)) is not None:
        return False
    made = (AuditEntry.project_id == project_id, AuditEntry.subject == f"example:{example_id}")
    return session.scalar(select(AuditEntry.id).where(*made, AuditEntry.action == "create example")) is not None


def judge_of(session: Session, example: Example) -> User | None:
    """Who gave the last verdict."""
    return session.get(User, example.verdict_by) if example.verdict_by is not None else None


def revision(session: Session, example: Example, number: int) -> Revision | None:
    """One revision with its author."""
    query = select(Revision).where(Revision.example_id == example.id, Revision.number == number)
    return session.scalar(query.options(joinedload(Revision.author)))


def head_revision(session: Session, example: Example) -> Revision:
    """The newest revision with its author."""
    head = revision(session, example, example.revision_number)
    assert head is not None, "an example is made with its first revision"
    return head


def approved_revision(session: Session, example: Example) -> Revision | None:
    """The revision that was approved last, even if the example has been reopened since."""
    return revision(session, example, example.approved_number) if example.approved_number else None


def revisions_of(example: Example) -> Select[Revision]:
    """All revisions with their authors, the newest first."""
    query = select(Revision).where(Revision.example_id == example.id).options(joinedload(Revision.author))
    return query.order_by(Revision.number.desc())


def authors_since_approval(session: Session, example: Example) -> set[int]:
    """Who wrote any of the words that an approval now would newly approve."""
    newer = or_(Revision.number > (example.approved_number or 0), Revision.number == example.revision_number)
    query = select(Revision.author_id).where(Revision.example_id == example.id, newer)
    return {author_id for author_id in session.scalars(query.distinct()) if author_id is not None}


def revision_by_key(session: Session, example: Example, key: str) -> Revision | None:
    """The revision that a form with this key has made already."""
    query = select(Revision).where(Revision.example_id == example.id, Revision.idempotency_key == key)
    return session.scalar(query.options(joinedload(Revision.author)))


def is_worked_on(session: Session, example: Example) -> bool:
    """Whether anybody has typed words into the example that are kept and not saved."""
    return session.scalar(select(WorkingCopy.id).where(WorkingCopy.example_id == example.id).limit(1)) is not None


def example_by_creation_key(project_id: int, key: str) -> Select[Example]:
    """The example that a form with this key has made already."""
    return select(Example).where(Example.project_id == project_id, Example.creation_key == key)


def example_of_candidate(session: Session, candidate_id: int) -> Example | None:
    """The example that a candidate was turned into."""
    return session.scalar(select(Example).where(Example.candidate_id == candidate_id))


def answers_to(session: Session, first: Example) -> int:
    """How many answers a prompt has: the first example's, and those beside it."""
    return 1 + (session.scalar(select(func.count(Example.id)).where(Example.beside_id == first.id)) or 0)


def approved_revisions(project_id: int) -> Select[Example, Revision]:
    """(Example, Revision) of everything approved, at the approved revision, by example."""
    pair = and_(Revision.example_id == Example.id, Revision.number == Example.approved_number)
    query = select(Example, Revision).join(Revision, pair)
    return query.where(Example.project_id == project_id, Example.state == ExampleState.APPROVED).order_by(Example.id)


def standing_counts(session: Session, project_id: int) -> list[StandingCount]:
    """Examples by source, split and state."""
    found: Counter[tuple[str, Split, ExampleState]] = Counter()
    for row in facet_counts(session, project_id):
        found[row.source, row.split, row.state] += row.count
    return [StandingCount(*kind, found[kind]) for kind in sorted(found)]


def total_of(facets: Sequence[FacetCount], wanted: ExampleFilter) -> int | None:
    """How many examples fit, from the counts that are known; None where more narrows them than is counted."""
    if wanted.words or _people(wanted) or wanted.also is not None or wanted.among is not None:
        return None
    asked = [(name, getattr(wanted, name)) for name in KIND if getattr(wanted, name)]
    return sum(row.count for row in facets if all(getattr(row, name) == value for name, value in asked))


def sources_in(session: Session, project_id: int) -> list[str]:
    """The sources that examples of the project name."""
    return sorted({row.source for row in facet_counts(session, project_id)})


def require_source(session: Session, project: Project, source: str) -> None:
    """Refuse a source that neither the composition nor an example of the project names; without a target, none."""
    rows = list(dict.fromkeys(row.source for row in session.scalars(composition_of(project))))
    if rows and source not in rows and source not in sources_in(session, project.id):
        raise NoSuchSource(source=source, rows=", ".join(rows))
