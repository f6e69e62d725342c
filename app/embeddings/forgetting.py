"""What a project has of models that it does not use any more goes, in steps; what other projects use stays.

Guarantee: it can be done again, by two at once and after any stop. Whoever notes that a candidate is encoded holds its
vector meanwhile (app.embeddings.pool.keep), and here a vector is held before it is asked who uses it: so none goes that
somebody has just begun to use.
"""

import shutil
from collections.abc import Iterator, Sequence

from sqlalchemy import column, delete, select, table
from sqlalchemy.orm import Session

from app.embeddings.models import CandidateText, Embedding
from app.embeddings.pool_rows import folder_of
from app.jobs.running import JobContext, Step

# What `app.duplicates` keeps of each example's newest words: a room above, so it is named and not imported.
EXAMPLE_TEXT = table("example_text", *map(column, ("project_id", "model", "prompt_hash", "response_hash")))
ROWS_AT_ONCE = 500


def forget_others(context: JobContext, project_id: int, model: str) -> None:
    """Take away what a project has of other models than the one with this key."""
    with context.reading() as session:
        others = select(CandidateText.model).where(CandidateText.project_id == project_id, CandidateText.model != model)
        gone = session.scalars(others.distinct()).all()
    for one in gone:
        context.in_turns(_steps(project_id, one), most=1)
        shutil.rmtree(folder_of(context.settings, project_id, one), ignore_errors=True)


def _steps(project_id: int, model: str) -> Iterator[Step]:
    for forget in (_forget_candidates, _forget_rest):
        more = True

        def step(session: Session) -> None:
            nonlocal more
            more = forget(session, project_id, model)  # noqa: B023 - done before the next one is made

        while more:
            yield step


def _forget_candidates(session: Session, project_id: int, model: str) -> bool:
    """Some of the project's candidates count as encoded by that model no more; whether others are left."""
    mine = (CandidateText.project_id == project_id, CandidateText.model == model)
    rows = session.execute(select(CandidateText.id, CandidateText.prompt_hash).where(*mine).limit(ROWS_AT_ONCE)).all()
    session.execute(delete(CandidateText).where(CandidateText.id.in_([row.id for row in rows])))
    _forget_vectors(session, model, _held(session, model, {row.prompt_hash for row in rows}))
    return len(rows) == ROWS_AT_ONCE


def _forget_rest(session: Session, project_id: int, model: str) -> bool:
    """Some vectors of a model that no project uses any more; whether others are left."""
    elsewhere = select(EXAMPLE_TEXT.c.model).where(
        EXAMPLE_TEXT.c.model == model, EXAMPLE_TEXT.c.project_id != project_id
    )
    for used in (select(CandidateText.id).where(CandidateText.model == model), elsewhere):
        if session.execute(used.limit(1)).first() is not None:
            return False
    few = select(Embedding.text_hash).where(Embedding.model == model).limit(ROWS_AT_ONCE)
    hashes = _held(session, model, set(session.scalars(few)))
    _forget_vectors(session, model, hashes)
    return len(hashes) == ROWS_AT_ONCE


def _held(session: Session, model: str, hashes: set[str]) -> list[str]:
    """Those of these texts that have a vector, which nobody else may begin to use or take away until this is over."""
    held = select(Embedding.text_hash).where(Embedding.model == model, Embedding.text_hash.in_(hashes))
    return list(session.scalars(held.order_by(Embedding.text_hash).with_for_update()))


def _forget_vectors(session: Session, model: str, hashes: Sequence[str]) -> None:
    used = set(
        session.scalars(
            select(CandidateText.prompt_hash).where(CandidateText.model == model, CandidateText.prompt_hash.in_(hashes))
        )
    )
    for name in ("prompt_hash", "response_hash"):
        of_examples = EXAMPLE_TEXT.c[name]
        used |= set(session.scalars(select(of_examples).where(EXAMPLE_TEXT.c.model == model, of_examples.in_(hashes))))
    gone = [one for one in hashes if one not in used]
    session.execute(delete(Embedding).where(Embedding.model == model, Embedding.text_hash.in_(gone)))
