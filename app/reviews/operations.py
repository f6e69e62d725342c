"""The second person's word: approve, return, reject; never on one's own words."""

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
from app.projects.access import require_open
from app.projects.models import Project
from app.reviews import queries
from app.reviews.models import Review, ReviewVerdict
from app.text.wellformed import require_wellformed
from app.web.words import ago

STATES = {
    ReviewVerdict.APPROVED: ExampleState.APPROVED,
    ReviewVerdict.RETURNED: ExampleState.RETURNED,
    ReviewVerdict.REJECTED: ExampleState.REJECTED,
}
LONGEST_WORDS = 4000


class OwnWords(Denied):
    """These are partly your own words, and a second person has to judge them; nothing was changed."""


class NoSecondPerson(Denied):
    """The local operator is nobody's second person; act as a reviewer with --as EMAIL. Nothing was changed."""


class WordsNeeded(Refusal):
    """Say what should change, so that the writer knows; nothing was changed yet."""


class AlreadyDecided(Conflict):
    """Somebody was faster: {what}; nothing was changed."""


def approve(session: Session, actor: User, example: Example, revision_number: int) -> Review:
    """Approve one revision; whoever comes second to the same approval gets the first one's review."""
    head = example_queries.revision(session, example, revision_number)
    if head is not None:
        examples.validate_messages(head.messages, example.split)
    return _decide(session, actor, example, revision_number, ReviewVerdict.APPROVED, "")


def return_example(session: Session, actor: User, example: Example, revision_number: int, words: str) -> Review:
    """Send an example back to its writer with words on what should change."""
    if not words.strip():
        raise WordsNeeded
    return _decide(session, actor, example, revision_number, ReviewVerdict.RETURNED, words)


def reject(session: Session, actor: User, example: Example, revision_number: int, words: str = "") -> Review:
    """Keep an example out of the set; it can be edited and submitted again."""
    return _decide(session, actor, example, revision_number, ReviewVerdict.REJECTED, words)


def _decide(
    session: Session, actor: User, example: Example, revision_number: int, verdict: ReviewVerdict, words: str
) -> Review:
    require_open(session.get_one(Project, example.project_id))
    require_second_person(session, actor, example)
    words = require_wellformed(words, "The remark").strip()
    if len(words) > LONGEST_WORDS:
        raise Refusal(f"The remark has {len(words):,} characters and may have {LONGEST_WORDS:,}; nothing was changed.")
    if not examples.record_verdict(session, example, STATES[verdict], revision_number, judge=actor, words=words):
        return _decided_before(session, example, revision_number, verdict)
    review = Review(
        example_id=example.id, revision_number=revision_number, reviewer_id=actor.id, verdict=verdict, words=words
    )
    session.add(review)
    session.flush()
    set_committed_value(review, "reviewer", actor)
    _trail(session, actor, example, review)
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


def _decided_before(session: Session, example: Example, revision_number: int, verdict: ReviewVerdict) -> Review:
    last = queries.last_review(session, example)
    if example.revision_number != revision_number or last is None:
        raise AlreadyDecided(what=f"it has been edited and stands at revision {example.revision_number} now")
    who = last.reviewer.name if last.reviewer else "somebody"
    if last.verdict is verdict and last.revision_number == revision_number and example.state is STATES[verdict]:
        return last
    raise AlreadyDecided(what=f"{last.verdict.value} by {who} {ago(last.created_at)}")


def _trail(session: Session, actor: User, example: Example, review: Review) -> None:
    verb = {ReviewVerdict.APPROVED: "approve example", ReviewVerdict.RETURNED: "return example"}
    action = verb.get(review.verdict, "reject example")
    detail = {"revision": review.revision_number, "words": review.words[:200]}
    record(session, actor, action, f"example:{example.id}", project_id=example.project_id, **detail)


def withdraw_verdict(session: Session, actor: User, example: Example, revision_number: int) -> Review:
    """Take one's own last verdict back while nothing else has happened; the example waits in review again."""
    require_open(session.get_one(Project, example.project_id))
    said = list(session.scalars(queries.reviews_of(example)))
    last = said[0] if said else None
    if last is None or last.verdict not in STATES or last.revision_number != revision_number:
        raise AlreadyDecided(what="there is no verdict on this revision to take back")
    if last.reviewer_id != actor.id:
        raise Denied("Only who gave a verdict can take it back; nothing was changed.")
    before = _approved_before(said[1:])
    if not examples.withdraw_verdict(session, example, STATES[last.verdict], revision_number, before):
        raise AlreadyDecided(what="the example has moved on since, so the verdict stays")
    review = Review(
        example_id=example.id, revision_number=revision_number, reviewer_id=actor.id, verdict=ReviewVerdict.WITHDRAWN
    )
    session.add(review)
    session.flush()
    set_committed_value(review, "reviewer", actor)
    record(session, actor, "withdraw verdict", f"example:{example.id}", project_id=example.project_id)
    return review


def _approved_before(newest_first: list[Review]) -> int | None:
    """The revision that stood approved after these reviews."""
    withdrawn = False
    for review in newest_first:
        if review.verdict is ReviewVerdict.WITHDRAWN:
            withdrawn = True
        elif withdrawn:
            withdrawn = False
        elif review.verdict in queries.APPROVING:
            return review.revision_number
    return None


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
    return Review(
        example_id=example_id, revision_number=1, reviewer_id=actor.id, verdict=ReviewVerdict.IMPORTED, words=reason
    )
