"""The second person's word: approve, return, reject; never on one's own words.

A project may ask for two second persons: the first verdict then waits, unseen, and the stricter of the two counts.
"""

from textwrap import shorten
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.errors import Conflict, Denied, Refusal
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.examples.models import Example, ExampleState
from app.projects import queries as projects
from app.projects.limits import require_open
from app.projects.models import Project
from app.reviews import queries
from app.reviews.models import Review, ReviewVerdict
from app.reviews.verdicts import standing, stricter, waiting
from app.text.wellformed import require_wellformed
from app.web.words import ago, plural

STATES = {
    ReviewVerdict.APPROVED: ExampleState.APPROVED,
    ReviewVerdict.RETURNED: ExampleState.RETURNED,
    ReviewVerdict.REJECTED: ExampleState.REJECTED,
}
TRAIL = {
    ReviewVerdict.APPROVED: "approve example",
    ReviewVerdict.RETURNED: "return example",
    ReviewVerdict.REJECTED: "reject example",
}
LONGEST_WORDS = 4000
MOST_QUOTED = 300
REVIEWS_NEEDED = (1, 2)


class OwnWords(Denied):
    """These are partly your own words, and a second person has to judge them; nothing was changed."""


class NoSecondPerson(Denied):
    """The local operator is nobody's second person; act as a reviewer with --as EMAIL. Nothing was changed."""


class WordsNeeded(Refusal):
    """Say what should change, so that the writer knows; nothing was changed yet."""


class AlreadyDecided(Conflict):
    """Somebody was faster: {what}; nothing was changed."""


class NothingToDecide(Conflict):
    """{why}; nothing was changed."""

    title = "Nothing to decide"


def approve(session: Session, actor: User, example: Example, revision_number: int, words: str = "") -> Review:
    """Approve one revision; whoever comes second to the same approval gets the first one's review."""
    head = example_queries.revision(session, example, revision_number)
    if head is not None:
        examples.validate_messages(head.messages, example.split)
    return _decide(session, actor, example, revision_number, ReviewVerdict.APPROVED, words)


def return_example(session: Session, actor: User, example: Example, revision_number: int, words: str) -> Review:
    """Send an example back to its writer with words on what should change, or with comments beside its passages."""
    if not words.strip():
        words = _comments_said(session, example)
    return _decide(session, actor, example, revision_number, ReviewVerdict.RETURNED, words)


def reject(session: Session, actor: User, example: Example, revision_number: int, words: str = "") -> Review:
    """Keep an example out of the set; it can be edited and submitted again."""
    return _decide(session, actor, example, revision_number, ReviewVerdict.REJECTED, words)


def _comments_said(session: Session, example: Example) -> str:
    """What the first open comment says, in its own words, and how many more there are."""
    opened = session.scalars(queries.open_comments(example)).all()
    if not opened:
        raise WordsNeeded
    first = shorten(opened[0], MOST_QUOTED, placeholder=" …")
    more = f"and {plural(len(opened) - 1, 'more comment')} " if len(opened) > 1 else ""
    return f"{first} ({more}beside the text)"


def _decide(
    session: Session, actor: User, example: Example, revision_number: int, verdict: ReviewVerdict, words: str
) -> Review:
    project = session.get_one(Project, example.project_id)
    require_open(project)
    require_second_person(session, actor, example)
    review = Review(
        example_id=example.id, revision_number=revision_number, reviewer_id=actor.id, verdict=verdict,
        words=_checked(words),
    )  # fmt: skip
    other = None
    if project.reviews_needed > 1:
        others = _verdicts_waiting(session, example, revision_number)
        if own := next((one for one in others if one.reviewer_id == actor.id), None):
            return _said_before(own, verdict)
        if not others:
            return _wait_for_another(session, actor, example, review)
        other = others[0]
    return _settle(session, actor, example, review, other)


def _checked(words: str) -> str:
    words = require_wellformed(words, "The remark").strip()
    if len(words) > LONGEST_WORDS:
        raise Refusal(f"The remark has {len(words):,} characters and may have {LONGEST_WORDS:,}; nothing was changed.")
    return words


def _verdicts_waiting(session: Session, example: Example, revision_number: int) -> list[Review]:
    """The verdicts on this revision that wait for another one; two people at once come here one after the other."""
    queries.locked(session, example)
    return waiting(session.scalars(queries.reviews_of(example)).all(), revision_number)


def _said_before(own: Review, verdict: ReviewVerdict) -> Review:
    if own.verdict is not verdict:
        raise NothingToDecide(why=f"You {own.verdict.value} this {ago(own.created_at)}. Take that back first")
    return own


def _wait_for_another(session: Session, actor: User, example: Example, review: Review) -> Review:
    """Keep the first of two verdicts; the example stays in review."""
    if example.state is not ExampleState.REVIEW or example.revision_number != review.revision_number:
        return _decided_before(session, actor, example, review.revision_number, review.verdict)
    # Its words are for who gives the other verdict only once that is given, and leads read the trail.
    return _kept(session, actor, example, review, "review example")


def _settle(session: Session, actor: User, example: Example, review: Review, other: Review | None) -> Review:
    """Let a verdict count, together with the one that waited for it."""
    outcome = stricter(review.verdict, other.verdict) if other else review.verdict
    words = "\n\n".join(one.words for one in (other, review) if one and one.words)
    state = STATES[outcome]
    if not examples.record_verdict(
        session, example, state, review.revision_number, judge=actor, words=words[:LONGEST_WORDS]
    ):
        return _decided_before(session, actor, example, review.revision_number, review.verdict)
    review.outcome, review.second_to = outcome, other.id if other else None
    return _kept(session, actor, example, review, TRAIL[outcome])


def _kept(session: Session, actor: User, example: Example, review: Review, action: str) -> Review:
    session.add(review)
    session.flush()
    set_committed_value(review, "reviewer", actor)
    detail: dict[str, Any] = {"revision": review.revision_number}
    detail |= {"words": review.words[:200]} if review.outcome else {}
    record(session, actor, action, f"example:{example.id}", project_id=example.project_id, **detail)
    return review


def require_second_person(session: Session, actor: User, example: Example) -> None:
    """Refuse the verdict of somebody who wrote any of the words in question, or made the example."""
    if actor.is_operator:
        raise NoSecondPerson
    if actor.id in own_people(session, example):
        raise OwnWords


def own_people(session: Session, example: Example) -> set[int]:
    """Whose words an approval would newly approve; before a first approval that includes the example's maker.

    Who imported a ready-made set wrote none of it, and may judge it like anybody else.
    """
    people = example_queries.authors_since_approval(session, example)
    arrived = example.import_run_id is not None and example.candidate_id is None
    if example.approved_number is None and example.created_by is not None and not arrived:
        people.add(example.created_by)
    return people


def _decided_before(
    session: Session, actor: User, example: Example, revision_number: int, verdict: ReviewVerdict
) -> Review:
    if example.revision_number != revision_number:
        raise AlreadyDecided(what=f"it has been edited and stands at revision {example.revision_number} now")
    last = queries.last_review(session, example)
    if last is None or last.outcome not in STATES or example.state is not STATES[last.outcome]:
        raise NothingToDecide(why=f"This does not wait for a verdict: its state is {example.state.value}")
    if last.verdict is verdict and last.revision_number == revision_number:
        return last
    if last.reviewer_id == actor.id:
        raise NothingToDecide(why=f"You {last.verdict.value} this {ago(last.created_at)}. Take that back first")
    who = last.reviewer.name if last.reviewer else "somebody"
    raise AlreadyDecided(what=f"{last.outcome.value} by {who} {ago(last.created_at)}")


def withdraw_verdict(session: Session, actor: User, example: Example, revision_number: int) -> Review:
    """Take one's own last verdict back while nothing else has happened; the example waits in review again."""
    require_open(session.get_one(Project, example.project_id))
    said = list(session.scalars(queries.reviews_of(example)))
    last = said[0] if said else None
    if last is None or last.verdict not in STATES or last.revision_number != revision_number:
        raise NothingToDecide(why="There is no verdict on this revision to take back")
    if last.reviewer_id != actor.id:
        raise Denied("Only who gave a verdict can take it back; nothing was changed.")
    if not _put_back(session, example, last, said[1:]):
        raise NothingToDecide(why="The example has moved on since, so the verdict stays")
    last.outcome = last.second_to = None
    review = Review(
        example_id=example.id, revision_number=revision_number, reviewer_id=actor.id, verdict=ReviewVerdict.WITHDRAWN
    )
    session.add(review)
    session.flush()
    set_committed_value(review, "reviewer", actor)
    record(session, actor, "withdraw verdict", f"example:{example.id}", project_id=example.project_id)
    return review


def _put_back(session: Session, example: Example, last: Review, before: list[Review]) -> bool:
    """Whether the example waits as it did before its last verdict."""
    if last.outcome not in STATES:
        return example.state is ExampleState.REVIEW and example.revision_number == last.revision_number
    state, approved = STATES[last.outcome], _approved_before(before)
    return examples.withdraw_verdict(session, example, state, last.revision_number, approved)


def _approved_before(newest_first: list[Review]) -> int | None:
    """The revision that stood approved after these reviews."""
    approvals = (review for review in standing(newest_first) if review.outcome in queries.APPROVING)
    return next((review.revision_number for review in approvals), None)


def approve_imported(session: Session, actor: User, project: Project, reason: str) -> int:
    """Approve what imports brought, nobody edited and was approved elsewhere; how many. Admins only, with a reason."""
    require_open(project)
    role = projects.role_in(session, project, actor)
    if role is None or not role.covers(Role.ADMIN):
        raise Denied("Only an admin may approve an imported set; nothing was changed.")
    reason = require_wellformed(reason, "The reason").strip()
    if not reason:
        raise WordsNeeded("Say where the set was approved; the reason goes into the trail and onto the dataset card.")
    waiting = queries.imported_unedited(project.id)
    moved = session.scalars(
        update(Example)
        .where(Example.id.in_(waiting.order_by(None)), Example.state == ExampleState.REVIEW)
        .values(state=ExampleState.APPROVED, approved_number=1, changed_at=now(), verdict_by=actor.id, verdict_at=now())
        .returning(Example.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.expire_all()
    for example_id in sorted(moved):
        session.add(_imported_review(example_id, actor, reason))
    session.flush()
    record(
        session, actor, "approve imported", f"project:{project.id}",
        project_id=project.id, count=len(moved), reason=reason[:300],
    )  # fmt: skip
    return len(moved)


def _imported_review(example_id: int, actor: User, reason: str) -> Review:
    imported = ReviewVerdict.IMPORTED
    return Review(
        example_id=example_id, revision_number=1, reviewer_id=actor.id, verdict=imported, words=reason,
        outcome=imported,
    )  # fmt: skip


def set_reviews_needed(session: Session, actor: User, project: Project, number: int) -> None:
    """Say how many second persons have to read a revision: 1 or 2. What was decided stays decided."""
    require_open(project)
    role = projects.role_in(session, project, actor)
    if role is None or not role.covers(Role.ADMIN):
        raise Denied("Only an admin says how many reviews an approval takes; nothing was changed.")
    if number not in REVIEWS_NEEDED:
        raise Refusal("An approval takes one review or two; nothing was changed.")
    if project.reviews_needed != number:
        project.reviews_needed = number
        record(session, actor, "set reviews", f"project:{project.id}", project_id=project.id, reviews=number)
