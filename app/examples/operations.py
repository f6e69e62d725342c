"""What changes examples: made, written, submitted; describing.py has what they are for, verdicts.py the verdicts.

An edit of an approved or rejected example reopens it as a draft: half a thought never stands in the set, and the
reviewer sees it again once it is submitted. The approved revision stays known, so that the next review shows the
difference from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Refusal
from app.examples import claims, marking, queries, saving
from app.examples.credit import attribution_of
from app.examples.messages import Message, checked_source, draft_messages, same_messages, title_of, validate_messages
from app.examples.models import Example, ExampleState, Revision
from app.examples.verdicts import record_verdict, withdraw_verdict
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.projects.roles import group_of
from app.sources.models import Candidate, CandidateStatus
from app.text.canonical import content_hash
from app.text.wellformed import require_wellformed
from app.web.found import found

UNSORTED = "unsorted"
SUBMITTABLE = (ExampleState.DRAFT, ExampleState.RETURNED)
REOPENED_BY_AN_EDIT = (ExampleState.APPROVED, ExampleState.REJECTED)


class StaleSave(Conflict):
    """Somebody saved revision {theirs} since you began from revision {based_on}. Nothing was overwritten or lost."""

    def __init__(self, based_on: int, current: Revision) -> None:
        """Carry the words that stand there now, so that both can be shown."""
        super().__init__(based_on=based_on, theirs=current.number)
        self.based_on = based_on
        self.current = current
        self.messages: list[dict[str, str]] = current.messages


class NothingWritten(Refusal):
    """There is no text to save; write a prompt first."""


class NotSubmittable(Conflict):
    """This example is {state}, so there is nothing to submit; nothing was changed."""


class WorkedOn(Conflict):
    """Somebody has worked on this example since it came from the pool, so it stays; nothing was changed."""


def create_example(  # noqa: PLR0913 - an example has that many sides
    session: Session,
    actor: User,
    project: Project,
    *,
    split: Split | str,
    source: str,
    language: str | None = None,
    messages: Sequence[Message] = (),
    flags: Sequence[str] = (),
    candidate_id: int | None = None,
    import_run_id: int | None = None,
    site: str | None = None,
    external_id: str | None = None,
    licence: str | None = None,
    attribution: Mapping[str, Any] | None = None,
    note: str = "",
    creation_key: str | None = None,
    beside: Example | None = None,
    not_duplicates: saving.Dismissals | None = None,
) -> Example:
    """A draft with its first revision, which may be empty; the same creation key twice gives the same example.

    With other words it is no repeat: they are the next revision of that example.
    Without a language it has the project's. `beside` another example it is a second answer, whose prompt is the first
    writer's.
    What an import brings (`import_run_id` without `candidate_id`) has no author here: nobody of the team wrote it.
    """
    require_open(project)
    made = session.scalar(queries.example_by_creation_key(project.id, creation_key)) if creation_key else None
    if made is not None:
        return _made_again(session, actor, made, messages)
    words = draft_messages(messages)
    author = None if import_run_id is not None and candidate_id is None else actor
    ours = candidate_id is None and import_run_id is None  # what came from elsewhere was written by nobody of the team
    group = beside.author_group if beside else group_of(session, project, actor)
    example = Example(
        project_id=project.id, split=Split(split), source=checked_source(source),
        language=language or project.language or "en", flags=list(flags),
        candidate_id=candidate_id, import_run_id=import_run_id, site=site, external_id=external_id,
        licence=licence, attribution=dict(attribution or {}), author_group=group if ours else None,
        beside_id=(beside.beside_id or beside.id) if beside else None,
        created_by=actor.id, creation_key=creation_key, revision_number=1,
    )  # fmt: skip
    if not _added(session, example):
        made = found(session, queries.example_by_creation_key(project.id, creation_key or ""))
        return _made_again(session, actor, made, messages)
    _begin(session, example, author, words, note)
    if beside is None:
        saving.look_at(session, actor, example, words, not_duplicates)
    record(session, actor, "create example", f"example:{example.id}", project_id=project.id, source=source)
    return example


def _begin(session: Session, example: Example, author: User | None, words: list[dict[str, str]], note: str) -> None:
    """The first revision; what a model said on the desk before belongs to the example from now on."""
    first = _revision(example, author, words, note, None)
    if example.creation_key:
        marking.adopt(session, example)
        first.help = marking.help_in(session, example, words)
    session.add(first)
    session.flush()
    set_committed_value(first, "author", author)


def _made_again(session: Session, actor: User, made: Example, messages: Sequence[Message]) -> Example:
    """What the same form has made: if its answer was lost, somebody may have written on since."""
    first, words = queries.revision(session, made, 1), draft_messages(messages)
    if first is None or not words or same_messages(first.messages, words):
        return made
    if made.created_by != actor.id:
        raise StaleSave(0, queries.head_revision(session, made))
    save_revision(session, actor, made, based_on=1, messages=words)
    return made


def _added(session: Session, example: Example) -> bool:
    """Whether the row could be added; False if the same form is being sent twice at this moment."""
    if example.creation_key is None:
        session.add(example)
        session.flush()
        return True
    try:
        with session.begin_nested():
            session.add(example)
    except IntegrityError:
        return False
    return True


def _revision(
    example: Example, author: User | None, words: list[dict[str, str]], note: str, key: str | None
) -> Revision:
    return Revision(
        example_id=example.id,
        number=example.revision_number,
        messages=words,
        title=title_of(words),
        content_hash=content_hash(words),
        author_id=author.id if author else None,
        note=require_wellformed(note, "The note")[:300],
        idempotency_key=key,
    )


def example_from_candidate(
    session: Session, actor: User, candidate: Candidate, *, messages: Sequence[Message] | None = None, note: str = ""
) -> Example:
    """Turn a candidate, or these messages of it, into a draft and mark it used; again, it is the same example."""
    project = session.get_one(Project, candidate.project_id)
    require_open(project)
    # Two people press the key at once: the second waits here and finds what the first has made.
    locked = select(Candidate).where(Candidate.id == candidate.id).with_for_update()
    candidate = session.execute(locked.execution_options(populate_existing=True)).scalar_one()
    example = queries.example_of_candidate(session, candidate.id)
    if example is None:
        example = create_example(
            session,
            actor,
            project,
            split=candidate.split,
            source=candidate.source or UNSORTED,
            language=candidate.language,
            messages=candidate.messages if messages is None else messages,
            flags=candidate.flags,
            candidate_id=candidate.id,
            import_run_id=candidate.import_run_id,
            licence=candidate.licence,
            attribution=attribution_of(candidate),
            note=note,
        )
    candidate.status, candidate.status_reason = CandidateStatus.USED, None
    session.flush()
    return example


def put_back(session: Session, actor: User, example: Example, *, revision: int = 1) -> None:
    """Undo `example_from_candidate` while nobody has worked on the draft: it goes, the candidate is as before.

    `revision` is the newest that it may have, where whatever made it has written on it.
    """
    require_open(session.get_one(Project, example.project_id))
    untouched = (
        example.revision_number == revision and example.state is ExampleState.DRAFT and not example.approved_number
    )
    if example.candidate_id is None or not untouched or queries.is_worked_on(session, example):
        raise WorkedOn
    candidate = session.get_one(Candidate, example.candidate_id)
    candidate.status = CandidateStatus.OPEN if candidate.kept_by is None else CandidateStatus.KEPT
    record(session, actor, "put back", f"candidate:{candidate.id}", project_id=example.project_id, example=example.id)
    session.delete(example)
    session.flush()


def save_revision(
    session: Session,
    actor: User,
    example: Example,
    *,
    based_on: int,
    messages: Sequence[Message],
    note: str = "",
    idempotency_key: str | None = None,
) -> Revision:
    """The new head with these words, if it was based on the head; raises StaleSave with the current words otherwise.

    Raises HeldByAnother while somebody else writes on it; a save makes it one's own for a while. Words that stand
    there already make no revision. The same key twice gives the same revision; with other words it is no repeat, and
    they follow what it has made.
    """
    require_open(session.get_one(Project, example.project_id))
    in_review = example.state is ExampleState.REVIEW
    words = validate_messages(messages, example.split) if in_review else draft_messages(messages)
    if not words:
        raise NothingWritten
    done = queries.revision_by_key(session, example, idempotency_key) if idempotency_key else None
    if done is not None and same_messages(done.messages, words):
        return done
    if done is not None:
        idempotency_key = None
        based_on = max(based_on, done.number) if done.author_id == actor.id else based_on
    head = queries.head_revision(session, example)
    if same_messages(head.messages, words):
        return head
    if not _moved_on(session, actor, example, based_on):
        session.refresh(example)
        again = queries.revision_by_key(session, example, idempotency_key) if idempotency_key else None
        if again is not None:  # the same form, sent twice at this moment
            return save_revision(
                session, actor, example,
                based_on=based_on, messages=messages, note=note, idempotency_key=idempotency_key,
            )  # fmt: skip
        claims.require_free(session, actor, example)
        raise StaleSave(based_on, queries.head_revision(session, example))
    saved = _revision(example, actor, words, note, idempotency_key)
    saved.help = marking.help_in(session, example, words)
    session.add(saved)
    session.flush()
    set_committed_value(saved, "author", actor)
    if saving.prompts_of(head.messages) != saving.prompts_of(words):
        saving.look_at(session, actor, example, words)
    record(
        session, actor, "save example", f"example:{example.id}", project_id=example.project_id, revision=saved.number
    )
    return saved


def _moved_on(session: Session, actor: User, example: Example, based_on: int) -> bool:
    """Take the next revision number by compare-and-set; False if somebody else was faster or writes on it."""
    still = (Example.revision_number == based_on, claims.free_for(actor.id, now()))
    taken = session.execute(
        update(Example)
        .where(Example.id == example.id, *still)
        .values(revision_number=based_on + 1, changed_at=now(), **claims.claimed(actor))
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return False
    session.refresh(example)
    if example.state in REOPENED_BY_AN_EDIT:
        example.state = ExampleState.DRAFT
    return True


def submit_example(session: Session, actor: User, example: Example) -> None:
    """Send a draft or a returned example to review; submitting twice changes nothing."""
    require_open(session.get_one(Project, example.project_id))
    if example.state is ExampleState.REVIEW:
        return
    if example.state not in SUBMITTABLE:
        raise NotSubmittable(state=example.state.value)
    claims.require_free(session, actor, example)
    validate_messages(queries.head_revision(session, example).messages, example.split)
    _set_state(session, example, ExampleState.REVIEW, SUBMITTABLE)
    claims.end(example)
    record(
        session, actor, "submit example", f"example:{example.id}",
        project_id=example.project_id, revision=example.revision_number,
    )  # fmt: skip


def withdraw_example(session: Session, actor: User, example: Example) -> None:
    """Take a submitted example back to write on; doing it twice changes nothing."""
    require_open(session.get_one(Project, example.project_id))
    if example.state is ExampleState.DRAFT:
        return
    _set_state(session, example, ExampleState.DRAFT, (ExampleState.REVIEW,))
    claims.renew(session, actor, example)
    record(session, actor, "withdraw example", f"example:{example.id}", project_id=example.project_id)


def _set_state(session: Session, example: Example, state: ExampleState, expected: Sequence[ExampleState]) -> None:
    number = example.revision_number
    moved = session.execute(
        update(Example)
        .where(Example.id == example.id, Example.state.in_(expected), Example.revision_number == number)
        .values(state=state, changed_at=now())
        .execution_options(synchronize_session=False)
    )
    session.refresh(example)
    if moved.rowcount != 1 and (example.state is not state or example.revision_number != number):  # type: ignore[attr-defined]
        raise Conflict("Somebody changed this example at the same moment; nothing else was changed. Look again.")


__all__ = [
    "NotSubmittable", "StaleSave", "WorkedOn", "attribution_of", "create_example", "example_from_candidate",
    "put_back", "record_verdict", "save_revision", "submit_example", "validate_messages", "withdraw_example",
    "withdraw_verdict",
]  # fmt: skip
