"""What waits for a second person, what was said before, and the comments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased, joinedload

from app.accounts.models import User
from app.errors import NotFound
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.examples.tallies import facet_counts
from app.reviews.models import Comment, CommentMention, Review, ReviewVerdict

APPROVING = (ReviewVerdict.APPROVED, ReviewVerdict.IMPORTED)
Number = int | BindParameter[int]
"""The number of a row, or the place of one in a statement that is made once and asked often."""
# The first comment of a thread; named once, since to name a table anew costs more than to ask it.
_Thread = aliased(Comment)


@dataclass(frozen=True)
class QueueFilter:
    """Which part of the queue: of one source, by the author of the newest revision; empty does not narrow."""

    source: str = ""
    author: int = 0


EVERYTHING = QueueFilter()


def awaiting_review(project_id: int, wanted: QueueFilter = EVERYTHING) -> Select[Revision]:
    """The heads of all examples in review with example, maker and author; the longest wait first."""
    query: Select[Revision] = _waiting(select(Revision), project_id, wanted)
    loads = (joinedload(Revision.example).joinedload(Example.creator), joinedload(Revision.author))
    return query.options(*loads).order_by(Example.changed_at, Example.id)


def _waiting(query: Any, project_id: int, wanted: QueueFilter = EVERYTHING) -> Any:
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = query.join(Example, head)
    query = query.where(Example.project_id == project_id, Example.state == ExampleState.REVIEW, arrived())
    if wanted.source:
        query = query.where(Example.source == wanted.source)
    return query.where(Revision.author_id == wanted.author) if wanted.author else query


def around(
    session: Session, project_id: int, example: Example, before: int, after: int, wanted: QueueFilter = EVERYTHING
) -> list[Revision]:
    """The part of the queue around an example's place: at most so many before it, itself if it waits, so many after."""
    queue = awaiting_review(project_id, wanted)
    place = tuple_(Example.changed_at, Example.id)
    here = tuple_(literal(example.changed_at, Example.changed_at.type), literal(example.id, Example.id.type))
    earlier = queue.where(place < here).order_by(None).order_by(Example.changed_at.desc(), Example.id.desc())
    later = queue.where(place >= here)
    found = list(session.scalars(earlier.limit(before)))
    return [*reversed(found), *session.scalars(later.limit(after + 1))]


def waiting_count(session: Session, project_id: int, wanted: QueueFilter = EVERYTHING) -> int:
    """How many examples wait for a second person."""
    if wanted.author:
        return session.scalar(_waiting(select(func.count(Revision.id)), project_id, wanted)) or 0
    waiting = [row for row in facet_counts(session, project_id) if row.state is ExampleState.REVIEW]
    return sum(row.count for row in waiting if wanted.source in {"", row.source})


def waiting_sources(session: Session, project_id: int) -> list[str]:
    """The sources of what waits."""
    return sorted({row.source for row in facet_counts(session, project_id) if row.state is ExampleState.REVIEW})


def waiting_authors(session: Session, project_id: int) -> list[tuple[int, str]]:
    """(number, name) of those who wrote what waits; of each it looks for one text, not for all."""
    one = _waiting(select(Revision.id), project_id).where(Revision.author_id == User.id).correlate(User)
    query = select(User.id, User.name).where(one.exists()).order_by(User.name, User.id)
    return [(number, name) for number, name in session.execute(query)]


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
    query = reviews_of(example).where(Review.revision_number == revision_number, Review.outcome.in_(APPROVING))
    return session.scalar(query.limit(1))


def imported_unedited(project_id: int) -> Select[int]:
    """Numbers of examples in review that a published import brought and that nobody has edited since."""
    untouched = (Example.import_run_id.is_not(None), Example.revision_number == 1, arrived())
    query = select(Example.id).where(Example.project_id == project_id, Example.state == ExampleState.REVIEW)
    return query.where(*untouched).order_by(Example.id)


def locked(session: Session, example: Example) -> None:
    """Hold the example until the transaction ends, so that verdicts on it come one after another; read it anew."""
    session.execute(select(Example.id).where(Example.id == example.id).with_for_update())
    session.refresh(example)


def judged_twice(project_id: int) -> Select[Review, Review]:
    """(second, first) verdicts where two people judged the same revision, with the people, the newest first."""
    first = aliased(Review)
    query = select(Review, first).join(first, first.id == Review.second_to)
    query = query.join(Example, Example.id == Review.example_id).where(Example.project_id == project_id)
    loads = (joinedload(Review.reviewer), joinedload(first.reviewer))
    return query.options(*loads).order_by(Review.id.desc())


def judged_by(session: Session, user: User, example_ids: Sequence[int]) -> set[int]:
    """Which of these examples this person has judged already while another second person is awaited."""
    query = select(Review.example_id).join(Example, Example.id == Review.example_id)
    mine = (Review.reviewer_id == user.id, Review.outcome.is_(None), Review.verdict != ReviewVerdict.WITHDRAWN)
    later = aliased(Review)
    back = select(later.id).where(
        later.example_id == Review.example_id, later.reviewer_id == user.id, later.id > Review.id,
        later.verdict == ReviewVerdict.WITHDRAWN,
    )  # fmt: skip
    here = (Review.example_id.in_(example_ids), Review.revision_number == Example.revision_number)
    decided = select(Review.second_to).where(Review.second_to.is_not(None))
    return set(session.scalars(query.where(*mine, *here, ~back.exists(), Review.id.not_in(decided))))


def comments_of(example: Example) -> Select[Comment]:
    """All comments on an example with their people, the oldest first."""
    query = select(Comment).where(Comment.example_id == example.id)
    return query.options(joinedload(Comment.author), joinedload(Comment.settler)).order_by(Comment.id)


def comment_in(session: Session, example: Example, comment_id: int) -> Comment:
    """The comment of that number on the example, or NotFound."""
    comment = session.scalar(comments_of(example).where(Comment.id == comment_id))
    if comment is None:
        raise NotFound("There is no such comment on this example.")
    return comment


def comment_by_key(session: Session, example: Example, key: str | None) -> Comment | None:
    """The comment that a form with this key has made already."""
    return session.scalar(comments_of(example).where(Comment.key == key)) if key else None


def open_comments(example: Example) -> Select[str]:
    """The words of each thread on an example that is not settled, the oldest first."""
    threads = (Comment.example_id == example.id, Comment.answer_to.is_(None), Comment.settled_at.is_(None))
    return select(Comment.words).where(*threads).order_by(Comment.id)


def mentions_of(user_id: Number, project_id: Number | None = None) -> Select[Comment]:
    """Comments by others that name this person in threads that are not settled, with author and example."""
    query = select(Comment).join(CommentMention, CommentMention.comment_id == Comment.id)
    query = query.join(_Thread, _Thread.id == func.coalesce(Comment.answer_to, Comment.id))
    query = query.join(Example, Example.id == Comment.example_id)
    others = or_(Comment.author_id.is_(None), Comment.author_id != user_id)
    query = query.where(CommentMention.user_id == user_id, _Thread.settled_at.is_(None), others)
    if project_id is not None:
        query = query.where(Example.project_id == project_id)
    return query.options(joinedload(Comment.author), joinedload(Comment.example)).order_by(Comment.id.desc())


def revisions_numbered(session: Session, example: Example, numbers: set[int]) -> dict[int, Revision]:
    """These revisions of an example by their numbers."""
    if not numbers:
        return {}
    query = select(Revision).where(Revision.example_id == example.id, Revision.number.in_(numbers))
    return {revision.number: revision for revision in session.scalars(query)}
