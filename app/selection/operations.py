"""What people make of candidates: rejected, restored, turned into examples; nothing is deleted."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.errors import Conflict
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.examples.models import Example
from app.projects.access import require_open
from app.projects.models import Project
from app.sources.models import Candidate, CandidateStatus
from app.text.wellformed import require_wellformed


class AlreadyUsed(Conflict):
    """This candidate has become an example already; nothing was changed. Reject the example instead."""


def reject_candidate(session: Session, actor: User, candidate: Candidate, reason: str = "") -> None:
    """Set a candidate aside with a reason; repeated, only the reason changes."""
    require_open(session.get_one(Project, candidate.project_id))
    reason = " ".join(require_wellformed(reason, "The reason").split())[:300]
    if not _moved(session, candidate, CandidateStatus.USED, CandidateStatus.REJECTED, reason):
        raise AlreadyUsed
    _trail(session, actor, "reject candidate", candidate, reason=reason)


def restore_candidate(session: Session, actor: User, candidate: Candidate) -> None:
    """Undo whatever was done: a rejected one is open again; a used one too, while nobody worked on its example."""
    require_open(session.get_one(Project, candidate.project_id))
    if candidate.status is CandidateStatus.USED:
        example = example_queries.example_of_candidate(session, candidate.id)
        if example is not None:
            examples.put_back(session, actor, example)
            return
        session.execute(update(Candidate).where(Candidate.id == candidate.id).values(status=CandidateStatus.OPEN))
    elif not _moved(session, candidate, CandidateStatus.USED, CandidateStatus.OPEN, None):
        raise AlreadyUsed
    session.refresh(candidate)
    _trail(session, actor, "restore candidate", candidate)


def use_candidate(session: Session, actor: User, candidate: Candidate) -> Example:
    """Turn a candidate into a draft; repeated or by two at once it gives the same example."""
    return examples.example_from_candidate(session, actor, candidate)


def use_candidates(session: Session, actor: User, candidates: Sequence[Candidate], *, submit: bool) -> list[Example]:
    """Turn many candidates into drafts, and submit them if so wished."""
    made = [use_candidate(session, actor, candidate) for candidate in candidates]
    for example in made if submit else ():
        examples.submit_example(session, actor, example)
    return made


def _moved(
    session: Session, candidate: Candidate, unless: CandidateStatus, status: CandidateStatus, reason: str | None
) -> bool:
    """Set the status in one statement that also checks it; False if the candidate is `unless` by now."""
    moved = session.execute(
        update(Candidate)
        .where(Candidate.id == candidate.id, Candidate.status != unless)
        .values(status=status, status_reason=reason or None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(candidate)
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def _trail(session: Session, actor: User, action: str, candidate: Candidate, **detail: str) -> None:
    record(session, actor, action, f"candidate:{candidate.id}", project_id=candidate.project_id, **detail)
