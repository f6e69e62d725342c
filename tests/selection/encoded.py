"""A pool whose vectors are made up: texts about the same thing point the same way, others do not."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from app.config import Settings
from app.embeddings.encoder import Encoder
from app.embeddings.models import CandidateText
from app.embeddings.operations import keep_vectors, light_encoder_within
from app.embeddings.vectors import Vectors, text_hash
from app.projects.models import Project
from app.sources.models import Candidate, ImportRun
from app.text.dialogue import prompt_of
from tests.examples import rows

FERRIES, DOGS, BREAD, TIDES = range(4)
WORDS = ("night ferry cabin", "grieving dog", "rye bread", "spring tide")


def encoder(settings: Settings) -> Encoder:
    """The model that the project's settings name."""
    found = light_encoder_within(60, settings.embedding_model)
    assert found is not None
    return found


def unit(about: int, number: int, dimensions: int) -> Vectors:
    """A unit row about one thing; two about the same have a cosine of some 0.8, two about others of some 0."""
    row = 0.5 * np.random.default_rng([about, number]).standard_normal(dimensions) / dimensions**0.5
    row[about] += 1
    found: Vectors = (row / np.linalg.norm(row)).astype(np.float32)
    return found


def pool(
    session: Session, settings: Settings, project: Project, run: ImportRun, about: Sequence[int],
    source: str = "stackexchange_other", first: int = 1, **more: object,
) -> list[Candidate]:  # fmt: skip
    """A candidate for each thing that one is about, published and encoded."""
    made = []
    for number, thing in enumerate(about, first):
        title = f"What of {WORDS[thing % 4]} number {number}?"
        said = rows.pair(title, f"Of {WORDS[thing % 4]} all is known, says answer {number}.")
        made.append(
            rows.candidate(
                session, project, run, number, title=title, messages=said, source=source, published=True, **more
            )
        )
    encode(session, settings, project, made, about)
    return made


def encode(
    session: Session, settings: Settings, project: Project, candidates: Sequence[Candidate], about: Sequence[int]
) -> None:
    """Give candidates the vectors of what they are about."""
    model = encoder(settings)
    vectors = np.array([unit(thing, one.id, model.dimensions) for thing, one in zip(about, candidates, strict=True)])
    hashes = [text_hash(prompt_of(one.messages)) for one in candidates]
    keep_vectors(session, model.key, hashes, vectors)
    session.add_all(
        CandidateText(candidate_id=one.id, project_id=project.id, model=model.key, prompt_hash=said)
        for one, said in zip(candidates, hashes, strict=True)
    )
    session.flush()
