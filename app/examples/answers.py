"""Second answers: a new example beside another, with the same prompt, by somebody else."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.accounts.models import User
from app.errors import Refusal
from app.examples import claims, queries, working_copies
from app.examples.credit import credit_of_prompt
from app.examples.describing import purpose_of
from app.examples.forms import UNKNOWN, Followed
from app.examples.messages import Message, same_messages, without_places
from app.examples.models import Example, ExampleState, Revision, WorkingCopy
from app.examples.operations import create_example
from app.examples.working_copies import Desk, Written
from app.projects.models import Project, Split
from app.text.canonical import content_hash

SUBMITTED = (ExampleState.REVIEW, ExampleState.RETURNED, ExampleState.APPROVED)
NOTE = "another answer to example {number}"


class NoPrompt(Refusal):
    """This example has no prompt yet, so there is nothing to answer; nothing was made."""


def wants_answer(actor: User, project: Project) -> tuple[ColumnElement[bool], ...]:
    """Whether an example has fewer answers than its project wants, none of them this person's."""
    beside = aliased(Example)
    answered = select(beside.id).where(beside.beside_id == Example.id, beside.created_by == actor.id).exists()
    own = and_(Revision.author_id == actor.id, or_(Revision.number > 1, Example.candidate_id.is_(None)))
    wrote = select(Revision.id).where(Revision.example_id == Example.id, own).exists()
    # The prompt of a draft that somebody writes from nothing may still change.
    stands = or_(Example.candidate_id.is_not(None), Example.state.in_(SUBMITTED))
    first = (Example.beside_id.is_(None), Example.split == Split.TRAIN, Example.state != ExampleState.REJECTED)
    mine = Example.claimed_by.is_not_distinct_from(actor.id)
    return (*first, Example.answers < project.overlap, stands, ~mine, ~answered, ~wrote)


def make_answer(
    session: Session, actor: User, project: Project, first: Example, messages: Sequence[Message] = ()
) -> Example:
    """The example beside `first`, claimed: its prompt with an empty response, or these words; twice, it is the same."""
    words = list(messages) or prompt_of(queries.head_revision(session, first).messages)
    if not words:
        raise NoPrompt
    made = create_example(
        session,
        actor,
        project,
        split=first.split,
        source=first.source,
        language=first.language,
        messages=words,
        flags=first.flags,
        licence=first.licence,
        attribution=credit_of_prompt(first.attribution, answered=_came_answered(session, first)),
        note=NOTE.format(number=first.id),
        creation_key=f"beside-{first.id}-{actor.id}-{content_hash(words)[:16]}",
        beside=first,
    )
    claims.renew(session, actor, made)
    session.flush()
    return made


def _came_answered(session: Session, first: Example) -> bool:
    query = select(Revision.messages).where(Revision.example_id == first.id, Revision.number == 1)
    messages = session.scalar(query) or []
    return bool(messages) and messages[-1]["role"] == "assistant"


def prompt_of(messages: Sequence[Message]) -> list[Message]:
    """Everything before the last response."""
    last = max((at for at, message in enumerate(messages) if message["role"] == "user"), default=-1)
    return list(messages[: last + 1])


def keep_words(
    session: Session,
    actor: User,
    project: Project,
    example: Example,
    messages: Sequence[Message],
    based_on: int,
    followed: Followed = UNKNOWN,
) -> WorkingCopy:
    """Keep as this person's working copy what they could not save, because somebody else writes on the example."""
    purpose = purpose_of(example)
    written = Written(messages, purpose.texts | {"was": purpose.canonical}, based_on)
    return working_copies.keep_unsaved(session, Desk(actor, project, example), written, followed)


def answer_with_words(
    session: Session,
    actor: User,
    project: Project,
    example: Example,
    messages: Sequence[Message] = (),
    followed: Followed = UNKNOWN,
) -> Example:
    """A second answer with these words, else with one's working copy; without either it begins from the prompt."""
    desk = Desk(actor, project, example)
    copy = working_copies.copy_on(session, desk)
    words = without_places(messages) or (copy.messages if copy is not None else ())
    if same_messages(words, queries.head_revision(session, example).messages):
        words = ()
    made = make_answer(session, actor, project, example, words)
    first = session.get(Example, made.beside_id, with_for_update=True) if made.beside_id else None
    if first is not None:
        first.answers = queries.answers_to(session, first)
    if copy is not None and not messages:
        followed = Followed(copy.counter, copy.key, copy.based_on)
    working_copies.let_go(session, desk, queries.head_revision(session, made), followed)
    return made
