"""Examples that one person leaves to others: skipped with a reason, passed over, or handed to a named colleague."""

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.errors import Conflict, NotFound, Refusal
from app.examples import claims, working_copies
from app.examples.models import Example, ExampleState, Skip, SkipReason, WorkingCopy
from app.examples.queries import UNFINISHED
from app.examples.sight import reads
from app.examples.working_copies import Desk
from app.projects.limits import require_open
from app.projects.models import Project
from app.projects.queries import role_in
from app.text.wellformed import require_wellformed

LONGEST = 1000


class WordsNeeded(Refusal):
    """Say in a few words why; the reason “other” says nothing by itself. Nothing was changed."""


class NotUnfinished(Conflict):
    """This example is {state}: only drafts and what came back wait for a writer. Nothing was changed."""


class NotAMember(NotFound):
    """There is no such member of this project to hand it to; nothing was changed."""


class ReadsNoTests(Refusal):
    """{name} does not read the test prompts here, so it cannot be handed to them; nothing was changed."""


class AlreadyYours(Refusal):
    """It cannot be handed to yourself; “claim” takes it. Nothing was changed."""


class UnsavedWords(Conflict):
    """Words of yours here are not saved, and {name} would not see them. Nothing was handed over: save them first."""


class NotHandedByYou(Conflict):
    """You have not handed this to anybody, or they have taken it up by now; nothing was changed."""


def skip(session: Session, actor: User, example: Example, reason: SkipReason, words: str = "") -> Skip:
    """Leave an example to the others, and say why; again, the new reason stands. What was handed to them goes back."""
    _require_unfinished(session, example)
    words = _checked(words)
    if reason is SkipReason.OTHER and not words:
        raise WordsNeeded
    made = _put(session, actor, example, reason, words)
    claims.release(session, actor, example)
    if example.handed_to == actor.id:
        example.claimed_by = example.handed_by
        _forget_hand(example)
    session.flush()
    record(session, actor, "skip example", _subject(example), project_id=example.project_id, reason=reason.value)
    return made


def _put(session: Session, actor: User, example: Example, reason: SkipReason, words: str) -> Skip:
    standing = session.get(Skip, (example.id, actor.id))
    if standing is None:
        standing = Skip(example_id=example.id, user_id=actor.id, reason=reason, words=words)
        session.add(standing)
    standing.reason, standing.words, standing.created_at = reason, words, now()
    session.flush()
    return standing


def unskip(session: Session, actor: User, example: Example) -> None:
    """Take a skip back: the example comes up again, and is claimed if nobody has it; twice, nothing changes."""
    require_open(session.get_one(Project, example.project_id))
    gone = delete(Skip).where(Skip.example_id == example.id, Skip.user_id == actor.id)
    if session.execute(gone.execution_options(synchronize_session="fetch")).rowcount:  # type: ignore[attr-defined]
        claims.renew(session, actor, example)
        record(session, actor, "take back skip", _subject(example), project_id=example.project_id)


def pass_over(session: Session, actor: User, example: Example) -> None:
    """Go on from an example without a word of one's own in it: it is free for others and comes to one again last."""
    mine = example.claimed_by in {None, actor.id} and example.handed_to is None
    begun = select(WorkingCopy.id).where(WorkingCopy.example_id == example.id, WorkingCopy.user_id == actor.id)
    untouched = claims.untouched(example) and session.scalar(begun) is None
    if mine and example.state is ExampleState.DRAFT and untouched:
        if session.get(Skip, (example.id, actor.id)) is None:
            _put(session, actor, example, SkipReason.PASSED, "")
        claims.release(session, actor, example)


def forget_passed(session: Session, actor: User, project: Project) -> bool:
    """Let what was passed over come up again; whether there was any."""
    here = select(Example.id).where(Example.project_id == project.id)
    passed = (Skip.user_id == actor.id, Skip.reason == SkipReason.PASSED, Skip.example_id.in_(here))
    gone = delete(Skip).where(*passed).execution_options(synchronize_session=False)
    return bool(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def skipped_in(project_id: int) -> Select[Skip]:
    """What people skipped with a reason and is still unfinished, with its example and the person, the newest first."""
    query = select(Skip).join(Example, Example.id == Skip.example_id)
    wanted = (Example.project_id == project_id, Example.state.in_(UNFINISHED), Skip.reason != SkipReason.PASSED)
    loads = (joinedload(Skip.user), joinedload(Skip.example))
    return query.where(*wanted).options(*loads).order_by(Skip.created_at.desc(), Skip.example_id)


def hand_over(session: Session, actor: User, example: Example, to: User, words: str = "") -> None:
    """Give an example to a named member, with a word; it lands in their inbox and comes up next for nobody else."""
    _require_unfinished(session, example)
    claims.require_free(session, actor, example)
    if to.id == actor.id:
        raise AlreadyYours
    if not to.active or role_in(session, session.get_one(Project, example.project_id), to) is None:
        raise NotAMember
    if not reads(session, to, example):
        raise ReadsNoTests(name=to.name)
    if working_copies.has_unsaved(session, Desk(actor, session.get_one(Project, example.project_id), example)):
        raise UnsavedWords(name=to.name)
    example.handed_to, example.handed_by, example.handed_at = to.id, actor.id, now()
    example.handed_words = _checked(words)
    example.claimed_until = None
    skipped = delete(Skip).where(Skip.example_id == example.id, Skip.user_id == to.id)
    session.execute(skipped.execution_options(synchronize_session=False))
    session.flush()
    record(session, actor, "hand over", _subject(example), project_id=example.project_id, to=to.email)


def take_back(session: Session, actor: User, example: Example, role: Role = Role.ANNOTATOR) -> None:
    """Undo one's own hand-over, or as a lead anybody's, while the other has not begun; twice, nothing changes."""
    require_open(session.get_one(Project, example.project_id))
    if example.handed_to is None:
        return
    may = example.handed_by == actor.id or role is Role.ADMIN
    if not may or example.claimed_by == example.handed_to:
        raise NotHandedByYou
    claims.require_free(session, actor, example)
    _forget_hand(example)
    session.flush()
    record(session, actor, "take back hand-over", _subject(example), project_id=example.project_id)


def _forget_hand(example: Example) -> None:
    example.handed_to = example.handed_by = example.handed_at = None
    example.handed_words = ""


def _require_unfinished(session: Session, example: Example) -> None:
    require_open(session.get_one(Project, example.project_id))
    if example.state not in UNFINISHED:
        raise NotUnfinished(state=example.state.value)


def _checked(words: str) -> str:
    words = require_wellformed(words, "The words").strip()
    if len(words) > LONGEST:
        raise Refusal(f"A word to a colleague has at most {LONGEST:,} characters; nothing was changed. Cut it down.")
    return words


def _subject(example: Example) -> str:
    return f"example:{example.id}"
