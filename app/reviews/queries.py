"""What waits for a second person, and what was said before."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, func, literal, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.reviews.models import Review, ReviewVerdict

APPROVING = (ReviewVerdict.APPROVED, ReviewVerdict.IMPORTED)


def awaiting_review(project_id: int) -> Select[Revision]:
    """The heads of all examples in review with example, maker and author; the longest wait first."""
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = select(Revision).join(Example, head)
    query = query.where(Example.project_id == project_id, Example.state == ExampleState.REVIEW, arrived())
    loads = (joinedload(Revision.example).joinedload(Example.creator), joinedload(Revision.author))
    return query.options(*loads).order_by(Example.changed_at, Example.id)


def around(session: Session, project_id: int, example: Example, before: int, after: int) -> list[Revision]:
    """The part of the queue around an example's place: at most so many before it, itself if it waits, so many after."""
    queue = awaiting_review(project_id)
    place = tuple_(Example.changed_at, Example.id)
    here = tuple_(literal(example.changed_at, Example.changed_at.type), literal(example.id, Example.id.type))
    earlier = queue.where(place < here).order_by(None).order_by(Example.changed_at.desc(), Example.id.desc())
    later = queue.where(place >= here)
    found = list(session.scalars(earlier.limit(before)))
    return [*reversed(found), *session.scalars(later.limit(after + 1))]


def waiting_count(session: Session, project_id: int) -> int:
    """How many examples wait for a second person."""
    waiting = (Example.project_id == project_id, Example.state == ExampleState.REVIEW, arrived())
    return session.scalar(select(func.count(Example.id)).where(*waiting)) or 0


def imported_count(session: Session, project_id: int) -> int:
    """How many of them an import brought and nobody edited."""
    return session.scalar(select(func.count()).select_from(imported_unedited(project_id).subquery())) or 0


def reviews_of(example: Example) -> Select[Review]:
    """Everything that was said of an example with who said it, the newest first."""
    query = select(Review).where(Review.example_id == example.id).options(joinedload(Review.reviewer))
    return query.order_by(Review.id.desc())


def last_review(session: Session, example: Example) -> Review | None:
    """What was said last."""
    return session.scalar(reviews_of(example).limit(1))


def last_reviews(session: Session, example_ids: Sequence[int]) -> dict[int, Review]:
    """The last review of each of these examples, with its reviewer."""
    newest = select(func.max(Review.id)).where(Review.example_id.in_(example_ids)).group_by(Review.example_id)
    query = select(Review).where(Review.id.in_(newest)).options(joinedload(Review.reviewer))
    return {review.example_id: review for review in session.scalars(query)}


def approval_of(session: Session, example: Example, revision_number: int) -> Review | None:
    """The approval of that revision that counts, with its reviewer."""
    query = reviews_of(example).where(Review.revision_number == revision_number, Review.verdict.in_(APPROVING))
    return session.scalar(query.limit(1))


def imported_unedited(project_id: int) -> Select[int]:
    """Numbers of examples in review that a published import brought and that nobody has edited since."""
    untouched = (Example.import_run_id.is_not(None), Example.revision_number == 1, arrived())
    query = select(Example.id).where(Example.project_id == project_id, Example.state == ExampleState.REVIEW)
    return query.where(*untouched).order_by(Example.id)
