"""What people make of candidates: kept, rejected, restored, turned into examples; nothing is deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.accounts.queries import user_by_email
from app.db import now
from app.errors import Conflict
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.examples import skips
from app.examples.models import Example
from app.projects.limits import require_open
from app.projects.models import Project
from app.selection.models import PoolStep
from app.sources.models import Candidate, CandidateStatus
from app.text.wellformed import require_wellformed
from app.web.words import plural


class AlreadyUsed(Conflict):
    """This candidate has become an example already; nothing was changed. Reject the example instead."""


def keep_candidate(session: Session, actor: User, candidate: Candidate, act: str | None = None) -> None:
    """Mark a candidate as one that belongs in the set, open to plans as before; kept again it stays as it is.

    A rejected one loses its reason. Raises AlreadyUsed.
    """
    require_open(session.get_one(Project, candidate.project_id))
    before = _state_of(candidate)
    if candidate.status is CandidateStatus.KEPT:
        return
    if not _moved(session, candidate, CandidateStatus.USED, CandidateStatus.KEPT, None, actor.id):
        raise AlreadyUsed
    _step(session, actor, candidate, before, act)
    _trail(session, actor, "keep candidate", candidate)


def reject_candidate(
    session: Session, actor: User, candidate: Candidate, reason: str = "", act: str | None = None
) -> None:
    """Set a candidate aside with a reason; repeated, only the reason changes."""
    require_open(session.get_one(Project, candidate.project_id))
    reason = " ".join(require_wellformed(reason, "The reason").split())[:300]
    before = _state_of(candidate)
    if not _moved(session, candidate, CandidateStatus.USED, CandidateStatus.REJECTED, reason, candidate.kept_by):
        raise AlreadyUsed
    _step(session, actor, candidate, before, act)
    _trail(session, actor, "reject candidate", candidate, reason=reason)


def restore_candidate(session: Session, actor: User, candidate: Candidate) -> None:
    """Undo what was done last: a rejected one is kept or open as before, a kept one open.

    A used one is as before too, while nobody worked on its example; else raises WorkedOn. `undo_last` of a caller who
    catches that goes on to what came before.
    """
    require_open(session.get_one(Project, candidate.project_id))
    _forget_step(session, actor, candidate)
    _restore(session, actor, candidate)


def _restore(session: Session, actor: User, candidate: Candidate) -> None:
    if candidate.status is CandidateStatus.USED:
        example = example_queries.example_of_candidate(session, candidate.id)
        if example is not None:
            examples.put_back(session, actor, example)
            return
        session.execute(update(Candidate).where(Candidate.id == candidate.id).values(status=_before(candidate)))
    elif not _moved(session, candidate, CandidateStatus.USED, *_as_before(candidate)):
        raise AlreadyUsed
    session.refresh(candidate)
    _trail(session, actor, "restore candidate", candidate)


def _before(candidate: Candidate) -> CandidateStatus:
    return CandidateStatus.OPEN if candidate.kept_by is None else CandidateStatus.KEPT


def _as_before(candidate: Candidate) -> tuple[CandidateStatus, None, int | None]:
    if candidate.status is CandidateStatus.KEPT:
        return CandidateStatus.OPEN, None, None
    return _before(candidate), None, candidate.kept_by


def use_candidate(session: Session, actor: User, candidate: Candidate, act: str | None = None) -> Example:
    """Turn a candidate into a draft; repeated or by two at once it gives the same example.

    Where somebody found that its title stands alone, the title is the prompt.
    """
    before = _state_of(candidate)
    words = titled(candidate) if candidate.title_alone else None
    example = examples.example_from_candidate(session, actor, candidate, messages=words)
    if before["status"] != CandidateStatus.USED:
        _step(session, actor, candidate, before, act)
    return example


def judge_title(
    session: Session, actor: User, candidate: Candidate, alone: bool | None, act: str | None = None
) -> None:
    """Note whether the title stands alone as a question, or with None that nobody has said."""
    require_open(session.get_one(Project, candidate.project_id))
    if candidate.title_alone is alone:
        return
    _step(session, actor, candidate, _state_of(candidate), act)
    candidate.title_alone = alone
    candidate.title_judged_by, candidate.title_judged_at = (None, None) if alone is None else (actor.id, now())
    session.flush()
    _trail(session, actor, "judge title", candidate, alone=alone)


def keep_candidates(session: Session, actor: User, candidates: Sequence[Candidate]) -> int:
    """Keep many as one act; how many. Those that are kept or used by now stay as they are."""
    done = {CandidateStatus.KEPT, CandidateStatus.USED}
    act, chosen = new_act(), [one for one in candidates if one.status not in done]
    for candidate in chosen:
        keep_candidate(session, actor, candidate, act)
    return len(chosen)


def reject_candidates(session: Session, actor: User, candidates: Sequence[Candidate], reason: str) -> int:
    """Set many aside as one act; how many. Those that are used by now stay as they are."""
    act, chosen = new_act(), [one for one in candidates if one.status is not CandidateStatus.USED]
    for candidate in chosen:
        reject_candidate(session, actor, candidate, reason, act)
    return len(chosen)


@dataclass(frozen=True)
class Done:
    """How many an act has changed, and what was done in a word or two."""

    count: int
    in_words: str


@dataclass(frozen=True)
class Act:
    """What to do with many: keep, reject with a reason, use, or assign to a member with a word.

    The member is named by address or number.
    """

    name: str
    reason: str = ""
    to: str | int | None = None
    words: str = ""


def do_with_many(session: Session, actor: User, candidates: Sequence[Candidate], act: Act) -> Done:
    """Keep, reject, use or assign many as one act, which one undo takes back."""
    if act.name == "keep":
        return Done(keep_candidates(session, actor, candidates), "Kept")
    if act.name == "reject":
        return Done(reject_candidates(session, actor, candidates, act.reason), "Rejected")
    if act.name == "use":
        return Done(len(use_candidates(session, actor, candidates, submit=False)), "Turned into drafts")
    to = user_by_email(session, act.to) if isinstance(act.to, str) else session.get(User, act.to or 0)
    if to is None:
        raise skips.NotAMember
    return Done(assign_candidates(session, actor, candidates, to, act.words), f"Handed to {to.name}")


def assign_candidates(session: Session, actor: User, candidates: Sequence[Candidate], to: User, words: str = "") -> int:
    """Make drafts of many and hand them to a member, as one act; how many. Those that are used by now stay as they are.

    Undone, they are candidates again, while nobody has worked on them. Raises what handing over does, and then none is.
    """
    act, chosen = new_act(), [one for one in candidates if one.status is not CandidateStatus.USED]
    for candidate in chosen:
        skips.hand_over(session, actor, use_candidate(session, actor, candidate, act), to, words)
    return len(chosen)


@dataclass(frozen=True)
class Undone:
    """Candidates that are as before, and those that stay since their example is worked on; false: nothing was left."""

    candidates: tuple[int, ...] = ()
    stayed: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        """Whether there was an act to undo."""
        return bool(self.candidates or self.stayed)

    @property
    def in_words(self) -> str:
        """The same for people."""
        if not self:
            return "There is nothing left to undo."
        done = f"Undone for {plural(len(self.candidates), 'candidate')}. " if self.candidates else ""
        if not self.stayed:
            return done.strip()
        one = len(self.stayed) == 1
        stay = (
            "This candidate stays used"
            if one and not done
            else f"Used as before: {plural(len(self.stayed), 'candidate')}"
        )
        why = "its example has been worked on" if one else "their examples have been worked on"
        return f"{done}{stay}, for {why}. The next undo goes on to what you did before."


def undo_last(session: Session, actor: User, project: Project) -> Undone:
    """Undo what this person did last in the pool, as far as nobody has worked on what came of it.

    Called again it reaches further back, also over an act that cannot be undone any more.
    """
    require_open(project)
    mine = select(PoolStep).where(PoolStep.project_id == project.id, PoolStep.user_id == actor.id)
    last = session.scalar(mine.order_by(PoolStep.id.desc()).limit(1))
    if last is None:
        return Undone()
    undone: list[int] = []
    stayed: list[int] = []
    steps = session.scalars(mine.where(PoolStep.act == last.act).order_by(PoolStep.id.desc())).all()
    for step in steps:
        candidate, before = session.get_one(Candidate, step.candidate_id), step.before
        session.delete(step)
        session.flush()
        try:
            _undo(session, actor, candidate, before)
            undone.append(candidate.id)
        except (examples.WorkedOn, AlreadyUsed):
            stayed.append(candidate.id)
    return Undone(tuple(undone), tuple(stayed))


def _undo(session: Session, actor: User, candidate: Candidate, before: Mapping[str, Any]) -> None:
    # First what may be refused, so that nothing is half undone.
    if candidate.status.value != before["status"]:
        _restore(session, actor, candidate)
        candidate.status, candidate.status_reason = CandidateStatus(before["status"]), before["reason"]
        candidate.kept_by = before.get("kept_by")
    if candidate.title_alone is not before["title_alone"]:
        candidate.title_alone, candidate.title_judged_by = before["title_alone"], None
        candidate.title_judged_at = None
    session.flush()
    _trail(session, actor, "undo", candidate)


def _state_of(candidate: Candidate) -> dict[str, Any]:
    return {
        "status": candidate.status.value,
        "reason": candidate.status_reason,
        "title_alone": candidate.title_alone,
        "kept_by": candidate.kept_by,
    }


def new_act() -> str:
    """A name for what is done as one and undone as one."""
    return uuid4().hex


def _step(session: Session, actor: User, candidate: Candidate, before: dict[str, Any], act: str | None) -> None:
    step = PoolStep(user_id=actor.id, project_id=candidate.project_id, candidate_id=candidate.id, before=before)
    step.act = act or new_act()
    session.add(step)
    session.flush()


def _forget_step(session: Session, actor: User, candidate: Candidate) -> None:
    """What is undone here is not undone once more by `undo_last`."""
    steps = select(PoolStep).where(PoolStep.user_id == actor.id, PoolStep.candidate_id == candidate.id)
    last = session.scalar(steps.order_by(PoolStep.id.desc()).limit(1))
    if last is not None and last.before["status"] != candidate.status.value:
        session.delete(last)
        session.flush()


def titled(candidate: Candidate) -> list[dict[str, str]]:
    """The candidate's messages with its title as the first question; as they are where it has no title."""
    words = [dict(message) for message in candidate.messages]
    asked = next((message for message in words if message["role"] == "user"), None)
    if asked is not None and candidate.title.strip():
        asked["content"] = candidate.title.strip()
    return words


def use_candidates(session: Session, actor: User, candidates: Sequence[Candidate], *, submit: bool) -> list[Example]:
    """Turn many candidates into drafts, and submit them if so wished."""
    act = new_act()
    made = [use_candidate(session, actor, candidate, act) for candidate in candidates]
    for example in made if submit else ():
        examples.submit_example(session, actor, example)
    return made


def _moved(
    session: Session,
    candidate: Candidate,
    unless: CandidateStatus,
    status: CandidateStatus,
    reason: str | None,
    kept_by: int | None,
) -> bool:
    """Set the status in one statement that also checks it; False if the candidate is `unless` by now."""
    moved = session.execute(
        update(Candidate)
        .where(Candidate.id == candidate.id, Candidate.status != unless)
        .values(status=status, status_reason=reason or None, kept_by=kept_by)
        .execution_options(synchronize_session=False)
    )
    session.refresh(candidate)
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def _trail(session: Session, actor: User, action: str, candidate: Candidate, **detail: Any) -> None:
    record(session, actor, action, f"candidate:{candidate.id}", project_id=candidate.project_id, **detail)
