"""What the home pages count and list; each function is one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import User
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived, standing_counts
from app.examples.sight import everything
from app.projects.models import Membership, Project, Split
from app.reviews.models import Review
from app.sources.models import Candidate, CandidateStatus

# From the foot of a block of cells upwards; rejected examples are no part of the set.
RANKS = {
    ExampleState.APPROVED: 0,
    ExampleState.REVIEW: 1,
    ExampleState.RETURNED: 2,
    ExampleState.DRAFT: 3,
}
# What an import brought and nobody has edited: until then it is nobody's work here.
UNTOUCHED = and_(Example.import_run_id.is_not(None), Example.candidate_id.is_(None), Example.revision_number == 1)
# Of a person's share; what came back is with whoever brought it, since somebody must answer.
THEIRS = or_(not_(UNTOUCHED), Example.state.in_((ExampleState.DRAFT, ExampleState.RETURNED)))
OPEN_STATES = (ExampleState.DRAFT, ExampleState.RETURNED, ExampleState.REVIEW)


@dataclass(frozen=True)
class Count:
    """How many examples of a source and split are in a state."""

    source: str
    split: Split
    state: ExampleState
    count: int


@dataclass(frozen=True)
class CellRow:
    """One example, for the picture of cells."""

    id: int
    source: str
    state: ExampleState


@dataclass(frozen=True)
class PersonLoad:
    """What one person has open."""

    user_id: int
    name: str
    drafts: int
    returned: int
    review: int
    approved: int
    oldest: datetime | None


def counts(session: Session, project: Project) -> list[Count]:
    """Examples by source, split and state; test prompts count, whoever may read them."""
    with everything(session):
        found = standing_counts(session, project.id)
    return [
        Count(row.source, row.split, row.state, row.count) for row in found if row.state is not ExampleState.REJECTED
    ]


def oldest(session: Session, project: Project, state: ExampleState) -> datetime | None:
    """Since when the example waits that has waited longest in this state."""
    waiting = (Example.project_id == project.id, Example.state == state, arrived())
    query = select(Example.changed_at).where(*waiting).order_by(Example.changed_at, Example.id).limit(1)
    with everything(session):
        return session.scalar(query)


def cell_rows(session: Session, project: Project, most: int) -> list[CellRow]:
    """At most so many train examples of each source, those that have come furthest first."""
    rank = case(RANKS, value=Example.state)
    place = func.row_number().over(partition_by=Example.source, order_by=(rank, Example.id))
    train = (Example.project_id == project.id, Example.split == Split.TRAIN, Example.state.in_(RANKS), arrived())
    ranked = select(Example.id, Example.source, Example.state, place.label("place")).where(*train).subquery()
    query = select(ranked.c.id, ranked.c.source, ranked.c.state).where(ranked.c.place <= most)
    return [CellRow(*row) for row in session.execute(query.order_by(ranked.c.source, ranked.c.place))]


def open_pairs(session: Session, project: Project) -> tuple[int, int, int]:
    """Duplicate pairs that wait: leaks between train and test, exact ones, all."""
    leak = func.count(case((DuplicatePair.leak.is_(True), 1)))
    exact = func.count(case((DuplicatePair.method == "exact", 1)))
    query = select(leak, exact, func.count()).where(
        DuplicatePair.project_id == project.id, DuplicatePair.verdict == Verdict.OPEN
    )
    leaks, exacts, total = session.execute(query).one()
    return leaks, exacts, total


def loads(session: Session, project: Project) -> list[PersonLoad]:
    """What each member has open and what of theirs was approved, by name."""
    same = Example.project_id == Membership.project_id
    mine = and_(Example.created_by == Membership.user_id, same, arrived(), THEIRS)
    tallies = [
        func.count(case((Example.state == state, 1)))
        for state in (ExampleState.DRAFT, ExampleState.RETURNED, ExampleState.REVIEW, ExampleState.APPROVED)
    ]
    oldest = func.min(case((Example.state.in_((ExampleState.DRAFT, ExampleState.RETURNED)), Example.changed_at)))
    query = (
        select(User.id, User.name, *tallies, oldest)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(Example, mine)
        .where(Membership.project_id == project.id)
        .group_by(User.id, User.name)
        .order_by(func.lower(User.name), User.id)
    )
    return [PersonLoad(*tuple(row)) for row in session.execute(query)]


def open_work(session: Session) -> dict[int, tuple[int, int, int]]:
    """Drafts, returned and in review of each person, over all projects."""
    tallies = [func.count(case((Example.state == state, 1))) for state in OPEN_STATES]
    query = select(Example.created_by, *tallies).where(Example.state.in_(OPEN_STATES), arrived(), THEIRS)
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(query.group_by(Example.created_by)) if row[0]}


def mine(project: Project, user: User, state: ExampleState, most: int) -> Select[Revision]:
    """One's own examples in a state, the newest revision of each with its example, latest change first."""
    order = (Example.changed_at.desc(), Example.id.desc())
    own = (Example.project_id == project.id, Example.created_by == user.id, Example.state == state)
    # Their numbers first, so that sorting carries no texts about.
    newest = select(Example.id).where(*own).order_by(*order).limit(most)
    return (
        select(Revision)
        .join(Example, and_(Example.id == Revision.example_id, Example.revision_number == Revision.number))
        .where(Example.id.in_(newest))
        .options(joinedload(Revision.example))
        .order_by(*order)
    )


def last_reviews(session: Session, example_ids: Sequence[int]) -> dict[int, Review]:
    """The last review of each example, with its reviewer."""
    newest = select(func.max(Review.id)).where(Review.example_id.in_(example_ids)).group_by(Review.example_id)
    query = select(Review).where(Review.id.in_(newest)).options(joinedload(Review.reviewer))
    return {review.example_id: review for review in session.scalars(query)}


def my_tally(session: Session, project: Project, user: User) -> dict[ExampleState, int]:
    """How many of one's own examples are in each state."""
    own = (Example.project_id == project.id, Example.created_by == user.id, THEIRS)
    query = select(Example.state, func.count()).where(*own)
    return {row[0]: row[1] for row in session.execute(query.group_by(Example.state))}


def candidate_to_write(session: Session, project: Project, sources: Sequence[str], skip: int) -> Candidate | None:
    """The best candidate of the first of these sources that has one, kept ones first, skipping so many; else any."""
    rank = case({source: place for place, source in enumerate(sources)}, value=Candidate.source, else_=len(sources))
    query = (
        select(Candidate)
        .where(Candidate.project_id == project.id, Candidate.status.in_([CandidateStatus.KEPT, CandidateStatus.OPEN]))
        .order_by(
            rank, Candidate.status == CandidateStatus.OPEN, func.coalesce(Candidate.score, 0).desc(), Candidate.id
        )
    )
    return session.scalar(query.offset(skip).limit(1))


def good_example(session: Session, project: Project) -> Revision | None:
    """The approved train example that was approved last: what good looks like."""
    query = (
        select(Revision)
        .join(Example, and_(Example.id == Revision.example_id, Example.approved_number == Revision.number))
        .where(Example.project_id == project.id, Example.state == ExampleState.APPROVED, Example.split == Split.TRAIN)
        .options(joinedload(Revision.example))
        .order_by(Example.changed_at.desc(), Example.id.desc())
    )
    return session.scalar(query.limit(1))


def has_material(session: Session, project: Project) -> bool:
    """Whether anything was imported or written yet."""
    candidate = select(Candidate.id).where(Candidate.project_id == project.id).exists()
    example = select(Example.id).where(Example.project_id == project.id).exists()
    return bool(session.scalar(select(or_(candidate, example))))
