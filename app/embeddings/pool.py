"""The pool is encoded: every published candidate's prompt gets its vector, once a model.

Guarantee: it can be done again, by two at once and after any stop; whoever comes second finds it done. Nothing that was
kept is encoded again.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.embeddings.encoder import Encoder
from app.embeddings.models import CandidateText
from app.embeddings.operations import encoder_for, vectors_for
from app.embeddings.queries import pool_standing, unencoded
from app.embeddings.vectors import text_hash
from app.jobs.running import JobContext
from app.sources.bulk import insert_ignoring
from app.text.dialogue import prompt_of

# Of like length side by side they are encoded faster, so each part is large enough to be sorted.
CANDIDATES_A_PART = 2000


def encode_pool(context: JobContext, project_id: int) -> None:
    """Encode what has no vector yet, part by part; each part is kept as soon as it is done."""
    encoder = encoder_for(context.settings.embedding_model)
    after = 0
    while part := _part(context, encoder, project_id, after):
        _encode(context, encoder, project_id, part)
        after = part[-1].id


def _part(context: JobContext, encoder: Encoder, project_id: int, after: int) -> Sequence[Row[Any]]:
    with context.reading() as session:
        done, total = pool_standing(session, encoder.key, project_id)
        part = session.execute(unencoded(encoder.key, project_id, after).limit(CANDIDATES_A_PART)).all()
    context.go_on()
    context.progress(done, total, "candidates", "encoding")
    return part


def _encode(context: JobContext, encoder: Encoder, project_id: int, part: Sequence[Row[Any]]) -> None:
    prompts = [prompt_of(row.messages) for row in part]
    vectors_for(context, encoder, prompts, lambda _done, _total: context.go_on())
    rows = [
        {
            "candidate_id": row.id,
            "project_id": project_id,
            "model": encoder.key,
            "prompt_hash": text_hash(prompt) if prompt.strip() else "",
        }
        for row, prompt in zip(part, prompts, strict=True)
    ]
    with context.writing() as session:
        keep(session, rows)


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note that these have their vectors; one that is noted already stays as it is."""
    session.execute(insert_ignoring(session, CandidateText), list(rows))
