"""What a project's house style needs to know: its rules, the habits of its sources, what was left, what is a model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.examples import queries
from app.examples.models import Example, ExampleState, HouseStyle, LeftRemark, ModelExample, Revision
from app.examples.style.base import Habit
from app.examples.style.counting import Linted
from app.examples.style.sheet import About, Sheet, sheet_from

# Approved answers that a habit is taken from, the latest; more of them hardly move a quartile.
HABIT_OF = 200
# Examples an author that the page of styles reads, the latest; and those that a live count reads.
OF_EACH = 20
COUNTED = 200
_HEAD = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)


@dataclass(frozen=True)
class Written:
    """The newest words of an example and who wrote them."""

    example_id: int
    source: str
    language: str
    author: str
    messages: Sequence[Mapping[str, Any]]


def sheet_of(session: Session, project_id: int) -> Sheet:
    """The project's house style."""
    row = session.get(HouseStyle, project_id)
    return Sheet() if row is None else sheet_from(row.rules)


def habit_of(session: Session, project_id: int, source: str, *, but: int | None = None) -> Habit | None:
    """How long the latest approved answers of a source are, `but` for one example; None where there are none."""
    approved = and_(Revision.example_id == Example.id, Revision.number == Example.approved_number)
    query = select(Revision.messages).join(Example, approved)
    query = query.where(Example.project_id == project_id, Example.state == ExampleState.APPROVED)
    query = query.where(Example.source == source, Example.id != (but or 0))
    lengths = [
        len(str(message["content"]).strip())
        for messages in session.scalars(query.order_by(Example.id.desc()).limit(HABIT_OF))
        for message in messages
        if message["role"] == "assistant"
    ]
    return habit_from(lengths)


def habit_from(lengths: Iterable[int]) -> Habit | None:
    """The quartiles of these lengths; None of none."""
    ordered = sorted(lengths)
    if not ordered:
        return None
    return Habit(ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4], len(ordered))


def left_of(session: Session, example_id: int | None) -> frozenset[str]:
    """The keys of the remarks that were left for an example."""
    if example_id is None:
        return frozenset()
    return frozenset(session.scalars(select(LeftRemark.key).where(LeftRemark.example_id == example_id)))


def about_of(session: Session, project_id: int, sheet: Sheet, source: str, language: str, but: int | None) -> About:
    """What the rules may know of an example; a habit is counted only where a rule asks for it."""
    asks = any(rule.name == "length" for rule in sheet.rules)
    return About(language, habit_of(session, project_id, source, but=but) if asks else None)


def linted(session: Session, project_id: int, sheet: Sheet, most: int | None = None) -> Iterator[Linted]:
    """The newest words of the project's examples for a lint, the latest first; what was rejected is left out."""
    query = select(Example.id, Example.source, Example.language, Revision.messages).join(Revision, _HEAD)
    query = query.where(Example.project_id == project_id, queries.arrived(), Example.state != ExampleState.REJECTED)
    known: dict[str, Habit | None] = {}
    for example_id, source, language, messages in session.execute(query.order_by(Example.id.desc()).limit(most)):
        if source not in known:
            known[source] = about_of(session, project_id, sheet, source, language, None).habit
        yield Linted({"example": example_id}, messages, About(language, known[source]))


def written(session: Session, project_id: int) -> list[Written]:
    """The latest words of each author, approved or in review, so many of each."""
    place = func.row_number().over(partition_by=Revision.author_id, order_by=Example.id.desc())
    mine = select(Revision.id, place.label("place")).join(Example, _HEAD)
    mine = mine.where(Example.project_id == project_id, queries.arrived(), Revision.author_id.is_not(None))
    ranked = mine.where(Example.state.in_((ExampleState.APPROVED, ExampleState.REVIEW))).subquery()
    query = select(Example.id, Example.source, Example.language, User.name, Revision.messages)
    query = query.join(Revision, _HEAD).join(User, User.id == Revision.author_id)
    query = query.join(ranked, and_(ranked.c.id == Revision.id, ranked.c.place <= OF_EACH))
    return [Written(*row) for row in session.execute(query.order_by(User.name, User.id, Example.id.desc()))]


def is_model(session: Session, example: Example) -> bool:
    """Whether a lead shows this example as a model."""
    return session.get(ModelExample, example.id) is not None


def models_of(project_id: int) -> Select[Example, Revision]:
    """(Example, Revision) of the models that are approved still, at their approved words, the latest first."""
    query = queries.approved_revisions(project_id).order_by(None)
    return query.join(ModelExample, ModelExample.example_id == Example.id).order_by(ModelExample.created_at.desc())
