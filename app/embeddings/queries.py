"""Which texts have a vector already, and which of the pool have none."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import Session

from app.embeddings.models import CandidateText, Embedding
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.projects.models import Project
from app.sources.models import Candidate, ImportRun, ImportState, Into

HASHES_AT_ONCE = 500


def stored_hashes(session: Session, model: str, hashes: Sequence[str]) -> set[str]:
    """Which of these texts have a vector under this model."""
    found: set[str] = set()
    for part in _parts(hashes):
        query = select(Embedding.text_hash).where(Embedding.model == model, Embedding.text_hash.in_(part))
        found.update(session.scalars(query))
    return found


def stored_vectors(session: Session, model: str, hashes: Sequence[str]) -> dict[str, bytes]:
    """The stored bytes by the text's hash; texts without a vector are left out."""
    query = select(Embedding.text_hash, Embedding.vector)
    query = query.where(Embedding.model == model, Embedding.text_hash.in_(list(hashes)))
    return {row.text_hash: row.vector for row in session.execute(query)}


def _parts(hashes: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(hashes), HASHES_AT_ONCE):
        yield list(hashes[start : start + HASHES_AT_ONCE])


def unencoded(model: str, project_id: int, after: int = 0) -> Select[Any]:
    """(id, messages) of published candidates whose prompt has no vector under this model, by number, beyond `after`."""
    done = and_(CandidateText.candidate_id == Candidate.id, CandidateText.model == model)
    query = select(Candidate.id, Candidate.messages).outerjoin(CandidateText, done)
    there = (Candidate.project_id == project_id, Candidate.published, Candidate.id > after)
    return query.where(*there, CandidateText.id.is_(None)).order_by(Candidate.id)


def set_texts(project_id: int, after: int = 0) -> Select[Any]:
    """(id, messages) of the set's examples at their newest revision, by number, beyond `after`."""
    newest = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = select(Example.id, Revision.messages).join(Revision, newest)
    here = (Example.project_id == project_id, Example.state != ExampleState.REJECTED, Example.id > after)
    return query.where(*here, arrived()).order_by(Example.id)


def pool_standing(session: Session, model: str, project_id: int) -> tuple[int, int]:
    """How many of a project's published candidates are encoded under this model, and of how many."""
    mine = (CandidateText.project_id == project_id, CandidateText.model == model)
    encoded = select(func.count(CandidateText.id)).where(*mine).scalar_subquery()
    there = (Candidate.project_id == project_id, Candidate.published)
    total = select(func.count(Candidate.id)).where(*there).scalar_subquery()
    done, of = session.execute(select(encoded, total)).one()
    return done, of


def imports_shown(session: Session) -> int:
    """How many imports are published, of all projects: cheap to ask, and it changes with each."""
    return session.scalar(select(func.count(ImportRun.id)).where(ImportRun.state == ImportState.PUBLISHED)) or 0


def any_encoded(session: Session) -> bool:
    """Whether the pool of any project has a vector, by whichever model."""
    return session.scalar(select(CandidateText.id).limit(1)) is not None


def pools_behind(model: str, among: Sequence[int]) -> Select[Project]:
    """Those open ones of these projects of whose pool something is encoded under this model, and something is not."""
    begun = exists().where(CandidateText.project_id == Project.id, CandidateText.model == model)
    done = exists().where(CandidateText.candidate_id == Candidate.id, CandidateText.model == model)
    left = exists().where(Candidate.project_id == Project.id, Candidate.published, ~done)
    return select(Project).where(Project.id.in_(among), Project.archived_at.is_(None), begun, left).order_by(Project.id)


def last_arrival(session: Session, project_id: int) -> datetime | None:
    """When something came into a project's pool last: an import that was published, or a record that was restored."""
    shown = select(func.max(ImportRun.finished_at)).where(
        ImportRun.project_id == project_id, ImportRun.into == Into.POOL, ImportRun.state == ImportState.PUBLISHED
    )
    newest = select(Candidate.created_at).where(Candidate.project_id == project_id, Candidate.published)
    moments = (session.scalar(shown), session.scalar(newest.order_by(Candidate.id.desc()).limit(1)))
    return max((one for one in moments if one is not None), default=None)
