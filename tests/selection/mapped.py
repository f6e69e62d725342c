"""A pool with vectors of the test's own, and its map, drawn by the product's own job."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from app import handlers
from app.config import Settings
from app.db import Database
from app.embeddings.models import CandidateText
from app.embeddings.operations import encoder_for, keep_vectors
from app.embeddings.vectors import Vectors, text_hash
from app.jobs.models import JobState
from app.jobs.running import run_now
from app.projects.models import Project, Split
from app.selection.atlas import operations, queries
from app.selection.map_models import PoolMap
from app.sources.models import Candidate, ImportRun
from app.text.dialogue import prompt_of
from tests.examples import rows
from tests.factories import People

assert handlers.ROOMS
KITCHEN = ("How do I knead bread dough?", "Why is my bread dough flat?", "How long does bread dough rest?")
CODE = ("How do I sort a Python list?", "Why does my Python list change?", "How do I copy a Python list?")


def directions(count: int, kind: int, seed: int = 3) -> Vectors:
    """Unit vectors of the model's length around one of a few middles."""
    middle = np.random.default_rng(kind).normal(size=encoder_for().dimensions)
    off = np.random.default_rng([seed, kind]).normal(size=(count, len(middle)))
    made = middle + 0.4 * off
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def candidates(
    session: Session, project: Project, run: ImportRun, titles: Sequence[str], kind: int, first: int = 1, **more: object
) -> list[Candidate]:
    """Published candidates that are encoded: their vectors lie around the middle of that kind."""
    key = encoder_for().key
    made = []
    for number, (title, vector) in enumerate(zip(titles, directions(len(titles), kind, first), strict=True), first):
        one = rows.candidate(session, project, run, number, title=title, published=True, **more)
        prompt = prompt_of(one.messages)
        keep_vectors(session, key, [text_hash(prompt)], vector[None])
        text = CandidateText(candidate_id=one.id, project_id=project.id, model=key, prompt_hash=text_hash(prompt))
        session.add(text)
        made.append(one)
    session.flush()
    return made


def small_pool(session: Session, people: People, **more: object) -> list[Candidate]:
    """Three candidates about bread and three about code."""
    run = rows.import_run(session, people.project)
    bread = candidates(session, people.project, run, KITCHEN, 1, 1, **more)
    return bread + candidates(session, people.project, run, CODE, 2, 11, source="stackexchange_stem")


def draw(database: Database, settings: Settings, people: People, *, anew: bool = False) -> PoolMap:
    """Have the map drawn by the job, here and now."""
    with database.writing() as session:
        job = operations.start_mapping(session, people.lead, people.project, anew=anew)
    assert run_now(database, settings, job.id, "here/1") is JobState.SUCCEEDED
    with database.reading() as session:
        drawn = queries.map_of(session, people.project.id, whole=True)
        assert drawn is not None
        session.expunge(drawn)
        return drawn


__all__ = ["CODE", "KITCHEN", "Split", "candidates", "draw", "small_pool"]
