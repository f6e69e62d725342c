"""A pool whose prompts are encoded, by the light encoder, which gives the vectors of the full one at once."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.embeddings.encoder import Encoder
from app.embeddings.operations import keep_vectors, light_encoder_within, vectors_for
from app.embeddings.pool import keep
from app.embeddings.queries import unencoded
from app.embeddings.vectors import Vectors, text_hash
from app.selection import searching
from app.sources.models import Candidate
from app.text.dialogue import prompt_of
from tests.examples import rows
from tests.factories import People

KETTLE = "How do I get rid of limescale in my electric kettle?"
SCALE = "My kettle is full of white crust; what takes it off?"
GIT = "How do I undo the last commit but keep my changes?"
BREAD = "Why does my sourdough bread not rise overnight?"
VIOLIN = "Which strings suit an old violin?"


def encoder(settings: Settings) -> Encoder:
    """The light encoder, loaded."""
    loaded = light_encoder_within(60.0, settings.embedding_model)
    assert loaded is not None
    return loaded


def fill(session: Session, people: People, *prompts: str, **more: object) -> list[int]:
    """Published candidates with these prompts, the later the better their score; their numbers."""
    run = rows.import_run(session, people.project)
    made = [
        rows.candidate(session, people.project, run, number, title=prompt, published=True, **more)
        for number, prompt in enumerate(prompts, 1)
    ]
    searching.index_all(session)
    return [one.id for one in made]


def encode(database: Database, settings: Settings, people: People, most: int = 1000) -> None:
    """What a worker makes of the next so many candidates."""
    light = encoder(settings)
    with database.reading() as session:
        part = session.execute(unencoded(light.key, people.project.id).limit(most)).all()
    prompts = [prompt_of(row.messages) for row in part]
    vectors_for(database, light, prompts)
    with database.writing() as session:
        keep(session, [_noted(people, light.key, row.id, said) for row, said in zip(part, prompts, strict=True)])


def draw(session: Session, settings: Settings, people: People, vectors: Vectors, ids: Sequence[int]) -> None:
    """Give candidates these vectors, as if their prompts had them."""
    key = encoder(settings).key
    said = {one: prompt_of(messages) for one, messages in session.execute(select(Candidate.id, Candidate.messages))}
    keep_vectors(session, key, [text_hash(said[one]) for one in ids], vectors)
    keep(session, [_noted(people, key, one, said[one]) for one in ids])


def units(count: int, dimensions: int, seed: int = 3) -> Vectors:
    """So many unit vectors, drawn."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimensions))
    unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _noted(people: People, model: str, candidate_id: int, prompt: str) -> dict[str, object]:
    kept = text_hash(prompt) if prompt.strip() else ""
    return {"candidate_id": candidate_id, "project_id": people.project.id, "model": model, "prompt_hash": kept}
