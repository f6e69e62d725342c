"""Which texts have a vector already, and which of the pool have none."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from app.embeddings.models import CandidateText, Embedding
from app.sources.models import Candidate

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


def pool_standing(session: Session, model: str, project_id: int) -> tuple[int, int]:
    """How many of a project's published candidates are encoded under this model, and of how many."""
    mine = (CandidateText.project_id == project_id, CandidateText.model == model)
    encoded = select(func.count(CandidateText.id)).where(*mine).scalar_subquery()
    there = (Candidate.project_id == project_id, Candidate.published)
    total = select(func.count(Candidate.id)).where(*there).scalar_subquery()
    done, of = session.execute(select(encoded, total)).one()
    return done, of
