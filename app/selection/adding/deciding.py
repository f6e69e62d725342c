"""What people say to a suggestion: accepted, not now, never; each is undone, and what was put off comes back.

Accepting and rejecting are the pool's own acts. What was put off is suggested again once the set has grown by
AGAIN_AFTER examples, so that the same state of a project always suggests the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, or_, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, NotFound
from app.examples.models import Example
from app.projects.limits import require_open
from app.projects.models import Project
from app.selection.adding.models import NextDecision, NextVerdict
from app.selection.adding.needs import needs_of
from app.selection.operations import reject_candidate, restore_candidate, use_candidate
from app.sources.models import Candidate, CandidateStatus

AGAIN_AFTER = 20
# So long what somebody decided stays on their page, with its undo.
LATELY = timedelta(hours=12)
OPEN = (CandidateStatus.OPEN, CandidateStatus.KEPT)
NOT_WANTED = "not for this set"
# What a candidate is while what was said to it stands.
STANDS = {
    NextVerdict.ACCEPTED: (CandidateStatus.USED,), NextVerdict.NEVER: (CandidateStatus.REJECTED,),
    NextVerdict.LATER: OPEN,
}  # fmt: skip


class JudgedMeanwhile(Conflict):
    """This candidate was taken or rejected meanwhile, so there is nothing to put off; nothing was changed."""


class NothingToUndo(NotFound):
    """Nothing that was said to this candidate is left to undo; nothing was changed."""


@dataclass(frozen=True)
class Decided:
    """What somebody said to a suggestion, and the example that an accepted one became."""

    candidate: Candidate
    verdict: NextVerdict
    example_id: int | None


def decide(
    session: Session, actor: User, project: Project, candidate: Candidate, verdict: NextVerdict, reason: str = ""
) -> str:
    """Do what was said to a suggestion; what was done, in words."""
    if verdict is NextVerdict.ACCEPTED:
        return f"Accepted as draft {accept(session, actor, project, candidate).id}."
    if verdict is NextVerdict.NEVER:
        never(session, actor, project, candidate, reason)
        return f"Rejected, {candidate.status_reason}."
    put_off(session, actor, project, candidate)
    return f"Put off until the set has grown by {AGAIN_AFTER} examples."


def accept(session: Session, actor: User, project: Project, candidate: Candidate) -> Example:
    """Turn the candidate into a draft as the pool does; repeated it gives the same example."""
    example = use_candidate(session, actor, candidate)
    _note(session, actor, project, candidate, NextVerdict.ACCEPTED)
    return example


def never(session: Session, actor: User, project: Project, candidate: Candidate, reason: str = "") -> None:
    """Reject the candidate in the pool, with a reason. Raises AlreadyUsed."""
    reject_candidate(session, actor, candidate, reason.strip() or NOT_WANTED)
    _note(session, actor, project, candidate, NextVerdict.NEVER)


def put_off(session: Session, actor: User, project: Project, candidate: Candidate) -> None:
    """Suggest others, for everybody, until the set has grown by AGAIN_AFTER. Raises JudgedMeanwhile."""
    require_open(project)
    if candidate.status not in OPEN:
        raise JudgedMeanwhile
    _note(session, actor, project, candidate, NextVerdict.LATER)
    record(session, actor, "put off candidate", f"candidate:{candidate.id}", project_id=project.id)


def take_back(session: Session, actor: User, project: Project, candidate: Candidate) -> NextVerdict:
    """Undo what was said to the candidate. Raises NothingToUndo, or WorkedOn where its example was worked on."""
    require_open(project)
    standing = select(NextDecision).join(Candidate).where(NextDecision.candidate_id == candidate.id, _stands())
    decision = session.scalar(standing)
    if decision is None:
        raise NothingToUndo
    verdict = decision.verdict
    if verdict is NextVerdict.LATER:
        record(session, actor, "bring back candidate", f"candidate:{candidate.id}", project_id=project.id)
    else:
        restore_candidate(session, actor, candidate)
    session.delete(decision)
    session.flush()
    return verdict


def _note(session: Session, actor: User, project: Project, candidate: Candidate, verdict: NextVerdict) -> None:
    session.execute(delete(NextDecision).where(NextDecision.candidate_id == candidate.id))
    begun = needs_of(session, project).begun
    session.add(
        NextDecision(
            project_id=project.id, candidate_id=candidate.id, user_id=actor.id, verdict=verdict, begun=begun
        )
    )  # fmt: skip
    session.flush()


def _stands() -> ColumnElement[bool]:
    """Whether the candidate is still what the decision made of it."""
    return or_(*(and_(NextDecision.verdict == said, Candidate.status.in_(states)) for said, states in STANDS.items()))


def waiting(project_id: int, begun: int) -> Select[int]:
    """The numbers of the candidates that are put off while the set has so many examples."""
    later = (NextDecision.project_id == project_id, NextDecision.verdict == NextVerdict.LATER)
    query = select(NextDecision.candidate_id).join(Candidate).where(*later, _stands())
    return query.where(NextDecision.begun > begun - AGAIN_AFTER).order_by(NextDecision.id.desc())


def decided_by(session: Session, project_id: int, person: User, most: int) -> Sequence[Decided]:
    """What this person said lately, the newest first."""
    own = (NextDecision.project_id == project_id, NextDecision.user_id == person.id)
    lately = NextDecision.created_at > now() - LATELY
    query = select(Candidate, NextDecision.verdict, Example.id).join(
        NextDecision, NextDecision.candidate_id == Candidate.id
    )
    query = query.outerjoin(Example, Example.candidate_id == Candidate.id).where(*own, lately, _stands())
    rows = session.execute(query.order_by(NextDecision.id.desc()).limit(most))
    return [Decided(candidate, verdict, example_id) for candidate, verdict, example_id in rows]
