"""Comments: words beside a passage, answers to them, and settling. None of it changes where an example stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import NotFound, Refusal
from app.examples import queries as examples
from app.examples.messages import Message
from app.examples.models import Example
from app.projects import queries as projects
from app.projects.limits import require_open
from app.projects.models import Project
from app.reviews import queries
from app.reviews.mentions import mentioned
from app.reviews.models import Comment, CommentMention
from app.reviews.pins import Pin
from app.reviews.rendered import found
from app.text.wellformed import require_wellformed

LONGEST = 4000


@dataclass(frozen=True)
class Passage:
    """What a comment speaks of: words of one message (counted from 0) as they are read, the nth time they stand there.

    With `start` the characters are counted in the text itself instead, and the quote has to stand there letter by
    letter. An empty quote is the whole example.
    """

    message: int = 0
    quote: str = ""
    nth: int = 0
    start: int | None = None


class NothingSaid(Refusal):
    """Write what you have to say about it; nothing was saved yet."""


class NotInTheText(Refusal):
    """These words do not stand in that text, so there is no passage to pin the comment to; nothing was saved yet."""


def comment(
    session: Session,
    actor: User,
    example: Example,
    words: str,
    passage: Passage = Passage(),
    *,
    revision_number: int | None = None,
    key: str | None = None,
) -> Comment:
    """Say something of a passage of a revision (the newest if none is named); the same key twice is one comment."""
    require_open(session.get_one(Project, example.project_id))
    if made := queries.comment_by_key(session, example, key):
        return made
    revision = examples.revision(session, example, revision_number or example.revision_number)
    if revision is None:
        raise NotFound("There is no such revision.")
    pin, quote = _pinned(revision.messages, passage)
    said = Comment(
        example_id=example.id, revision_number=revision.number, message=passage.message if quote else 0,
        start=pin.start, end=pin.end, quote=quote, words=_checked(words), author_id=actor.id, key=key,
    )  # fmt: skip
    return _kept(session, actor, example, said)


def _pinned(messages: Sequence[Message], passage: Passage) -> tuple[Pin, str]:
    quote = require_wellformed(passage.quote, "The passage")
    if not quote.strip():
        return Pin(0, 0), ""
    if not 0 <= passage.message < len(messages):
        raise NotInTheText
    text = str(messages[passage.message]["content"])
    if passage.start is None:
        pin = found(text, quote, passage.nth)
    else:
        pin = Pin(passage.start, passage.start + len(quote))
        pin = pin if pin.of(text) == quote else None
    if pin is None:
        raise NotInTheText
    return pin, pin.of(text)


def _checked(words: str) -> str:
    words = require_wellformed(words, "The comment").strip()
    if not words:
        raise NothingSaid
    if len(words) > LONGEST:
        raise Refusal(f"The comment has {len(words):,} characters and may have {LONGEST:,}; nothing was saved.")
    return words


def answer(
    session: Session, actor: User, example: Example, comment_id: int, words: str, *, key: str | None = None
) -> Comment:
    """Answer a comment; an answer to an answer joins the same thread. The same key twice is one answer."""
    require_open(session.get_one(Project, example.project_id))
    if made := queries.comment_by_key(session, example, key):
        return made
    first = thread_of(session, example, comment_id)
    said = Comment(
        example_id=example.id, revision_number=example.revision_number, message=first.message, start=0, end=0,
        quote="", words=_checked(words), author_id=actor.id, answer_to=first.id, key=key,
    )  # fmt: skip
    return _kept(session, actor, example, said)


def thread_of(session: Session, example: Example, comment_id: int) -> Comment:
    """The comment that begins the thread which this one belongs to."""
    said = queries.comment_in(session, example, comment_id)
    return said if said.answer_to is None else queries.comment_in(session, example, said.answer_to)


def _kept(session: Session, actor: User, example: Example, said: Comment) -> Comment:
    try:
        with session.begin_nested():
            session.add(said)
    except IntegrityError:
        # The same form is being sent twice at this moment: the other one made the comment.
        if made := queries.comment_by_key(session, example, said.key):
            return made
        raise
    set_committed_value(said, "author", actor)
    set_committed_value(said, "settler", None)
    names = {row.user_id: row.user.name for row in session.scalars(projects.members_of(_project(session, example)))}
    session.add_all(CommentMention(comment_id=said.id, user_id=user) for user in sorted(mentioned(said.words, names)))
    session.flush()
    verb = "comment example" if said.answer_to is None else "answer comment"
    record(session, actor, verb, f"example:{example.id}", project_id=example.project_id, comment=said.id)
    return said


def _project(session: Session, example: Example) -> Project:
    return session.get_one(Project, example.project_id)


def settle(session: Session, actor: User, example: Example, comment_id: int) -> Comment:
    """Say that a comment's thread is done with; it is set and never toggled, so again it stays as it is."""
    return _set(session, actor, example, comment_id, settled=True)


def open_again(session: Session, actor: User, example: Example, comment_id: int) -> Comment:
    """Take the settling of a thread back; an open one stays open."""
    return _set(session, actor, example, comment_id, settled=False)


def _set(session: Session, actor: User, example: Example, comment_id: int, *, settled: bool) -> Comment:
    require_open(_project(session, example))
    first = thread_of(session, example, comment_id)
    expected = Comment.settled_at.is_(None) if settled else Comment.settled_at.is_not(None)
    moved = session.execute(
        update(Comment)
        .where(Comment.id == first.id, expected)
        .values(settled_at=now() if settled else None, settled_by=actor.id if settled else None)
        .execution_options(synchronize_session=False)
    )
    session.expire(first)
    if moved.rowcount == 1:  # type: ignore[attr-defined]
        verb = "settle comment" if settled else "open comment again"
        record(session, actor, verb, f"example:{example.id}", project_id=example.project_id, comment=first.id)
    return queries.comment_in(session, example, first.id)
