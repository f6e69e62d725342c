"""Which texts have a vector already."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.embeddings.models import Embedding

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
