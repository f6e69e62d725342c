"""Examples, their revisions, and how many stand where."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import AuditEntry, User
from app.errors import Gone, NotFound
from app.examples.models import Example, ExampleState, Revision, WorkingCopy
from app.projects.models import Split
from app.sources.models import ImportRun, ImportState

MOST_WORDS = 12
# What waits for its writer.
UNFINISHED = (ExampleState.DRAFT, ExampleState.RETURNED)


class Deleted(Gone):
    """Somebody put this example back into the pool; nothing was saved. Your text is on your page still: copy it."""

    title = "Not here any more"


@dataclass(frozen=True)
class ExampleFilter:
    """Which examples to list; what is None or empty does not narrow. Words are looked for in the first prompt line."""

    state: ExampleState | None = None
    split: Split | None = None
    source: str | None = None
    words: str = ""
    mine: User | None = None


@dataclass(frozen=True)
class StandingCount:
    """How many examples of one source and split are in a state."""

    source: str
    split: Split
    state: ExampleState
    count: int


def arrived() -> ColumnElement[bool]:
    """Examples that may be seen: those of an import appear all at once, when it is published."""
    published = select(ImportRun.id).where(ImportRun.state == ImportState.PUBLISHED)
    return or_(Example.import_run_id.is_(None), Example.import_run_id.in_(published))


def examples_of(project_id: int, wanted: ExampleFilter = ExampleFilter()) -> Select[Example]:
    """A project's examples, the latest change first."""
    query = select(Example).join(Revision, _is_head()).where(*_conditions(project_id, wanted))
    return query.order_by(Example.changed_at.desc(), Example.id.desc())


def heads_of(project_id: int, wanted: ExampleFilter = ExampleFilter()) -> Select[Revision]:
    """The newest revision of each example with the example and its maker, the latest change first."""
    query = select(Revision).join(Example, _is_head()).where(*_conditions(project_id, wanted))
    loads = (joinedload(Revision.example), joinedload(Revision.author))
    people = (joinedload(Revision.example).joinedload(person) for person in (Example.creator, Example.judge))
    return query.options(*loads, *people).order_by(Example.changed_at.desc(), Example.id.desc())


def _is_head() -> ColumnElement[bool]:
    return and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)


def _conditions(project_id: int, wanted: ExampleFilter) -> list[ColumnElement[bool]]:
    found = [Example.project_id == project_id, arrived()]
    for column, value in ((Example.state, wanted.state), (Example.split, wanted.split)):
        if value is not None:
            found.append(column == value)
    if wanted.source:
        found.append(Example.source == wanted.source)
    if wanted.mine is not None:
        found.append(or_(Example.created_by == wanted.mine.id, Revision.author_id == wanted.mine.id))
    found += [Revision.title.icontains(word, autoescape=True) for word in wanted.words.split()[:MOST_WORDS]]
    return found


def example_in(session: Session, project_id: int, example_id: int) -> Example:
    """The project's example of that number with its maker; NotFound, or Deleted if there was one."""
    query = select(Example).where(Example.id == example_id, Example.project_id == project_id, arrived())
    example = session.scalar(query.options(joinedload(Example.creator)))
    if example is None:
        raise Deleted if _was_made(session, project_id, example_id) else NotFound("There is no such example here.")
    return example


def _was_made(session: Session, project_id: int, example_id: int) -> bool:
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
    columns = (Example.source, Example.split, Example.state)
    query = select(*columns, func.count()).where(Example.project_id == project_id, arrived())
    rows = session.execute(query.group_by(*columns).order_by(*columns))
    return [StandingCount(source, split, state, count) for source, split, state, count in rows]


def total_of(standing: Sequence[StandingCount], wanted: ExampleFilter) -> int | None:
    """How many examples fit, from the counts that are known; None where words or a person narrow them as well."""
    if wanted.words or wanted.mine is not None:
        return None
    asked = ((wanted.state, "state"), (wanted.split, "split"), (wanted.source, "source"))
    return sum(row.count for row in standing if all(not value or getattr(row, name) == value for value, name in asked))


def sources_in(session: Session, project_id: int) -> list[str]:
    """The sources that examples of the project name."""
    query = select(Example.source).where(Example.project_id == project_id, arrived()).distinct()
    return list(session.scalars(query.order_by(Example.source)))
