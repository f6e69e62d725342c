"""The store of vectors: each text is encoded once a model, however often it is asked for."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Protocol

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.embeddings import queries
from app.embeddings.encoder import Encoder, load_encoder
from app.embeddings.models import Embedding
from app.embeddings.queries import HASHES_AT_ONCE
from app.embeddings.ready import Making
from app.embeddings.vectors import Progress, Vectors, stack, text_hash, to_bytes
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.projects.limits import require_open
from app.projects.models import Project
from app.sources.bulk import insert_ignoring

# So many texts are encoded between two writes: what a killed worker loses, and a second or so of work.
TEXTS_A_CHUNK = 256
KIND = "encode_pool"
# So many stay loaded: that of most projects, one that another changes to, and one more.
MODELS = 3


class Store(Protocol):
    """What opens short transactions: a job's context, or the database itself."""

    def reading(self) -> AbstractContextManager[Session]:
        """A short read transaction."""

    def writing(self) -> AbstractContextManager[Session]:
        """A short write transaction."""


@lru_cache(maxsize=MODELS)
def encoder_for(name_or_path: str = "") -> Encoder:
    """The encoder of that name, loaded once a process."""
    return load_encoder(name_or_path)


@lru_cache(maxsize=MODELS)
def _light(name_or_path: str) -> Making[Encoder]:
    return Making(lambda: load_encoder(name_or_path, light=True))


def light_encoder_within(seconds: float, name_or_path: str = "") -> Encoder | None:
    """The encoder for a text or a few, loaded once a process and beside the request; None while that is under way.

    Raises EncoderMissing or EncoderAltered, for a minute without looking again.
    """
    return _light(name_or_path).within(seconds)


def vectors_for(store: Store, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
    """Give a row for each text, in order: float32 (n, dimensions) of unit length, zeros for a blank text.

    Only texts without a stored vector are encoded, in chunks that are each kept as soon as they are done;
    no transaction is open meanwhile. `progress(done, total)` counts different texts, those stored before
    among the done; what it raises comes through, and the chunks before it stay.
    """
    hashes = [text_hash(text) if text.strip() else "" for text in texts]
    wanted = {one: text for one, text in zip(hashes, texts, strict=True) if one}
    with store.reading() as session:
        known = queries.stored_hashes(session, encoder.key, list(wanted))
    missing = {one: text for one, text in wanted.items() if one not in known}
    _encode_missing(store, encoder, missing, len(wanted), progress)
    try:
        return _read(store, encoder, hashes)
    except KeyError:
        # Another project has just given this model up, and vectors with it that were known a moment ago.
        return vectors_for(store, encoder, texts, progress)


def _encode_missing(
    store: Store, encoder: Encoder, missing: dict[str, str], total: int, progress: Progress | None
) -> None:
    done = total - len(missing)
    # Of like length side by side they are encoded faster.
    hashes = sorted(missing, key=lambda one: (-len(missing[one]), one))
    for start in range(0, len(hashes), TEXTS_A_CHUNK):
        chunk = hashes[start : start + TEXTS_A_CHUNK]
        if progress:
            progress(done, total)
        vectors = encoder.encode([missing[one] for one in chunk])
        with store.writing() as session:
            keep_vectors(session, encoder.key, chunk, vectors)
        done += len(chunk)
    if progress:
        progress(done, total)


def keep_vectors(session: Session, model: str, hashes: Sequence[str], vectors: Vectors) -> None:
    """Store a vector for each hash; one that is there already stays as it is."""
    # In the order of the hashes, so that two workers that write the same ones never wait for each other in a ring.
    rows = [
        {"model": model, "text_hash": one, "vector": to_bytes(vector)}
        for one, vector in sorted(zip(hashes, vectors, strict=True), key=lambda pair: pair[0])
    ]
    if rows:
        session.execute(insert_ignoring(session, Embedding), rows)


def _read(store: Store, encoder: Encoder, hashes: Sequence[str]) -> Vectors:
    vectors: Vectors = np.zeros((len(hashes), encoder.dimensions), dtype=np.float32)
    worded = [position for position, one in enumerate(hashes) if one]
    with store.reading() as session:
        for start in range(0, len(worded), HASHES_AT_ONCE):
            part = worded[start : start + HASHES_AT_ONCE]
            stored = queries.stored_vectors(session, encoder.key, [hashes[position] for position in part])
            vectors[part] = stack((stored[hashes[position]] for position in part), encoder.dimensions)
    return vectors


def start_encoding(session: Session, actor: User | None, project: Project) -> Job:
    """Have the project's pool encoded; where that is under way already, what is under way. Nobody: by itself."""
    require_open(project)
    # Of two at once the second one sees what the first began.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))
    return live_encoding(session, project) or enqueue(
        session, actor, KIND, title=f"Encode the pool of {project.name}", project_id=project.id, project=project.id
    )


def live_encoding(session: Session, project: Project) -> Job | None:
    """The job that encodes the project's pool, if one waits or is under way."""
    here = (Job.kind == KIND, Job.project_id == project.id, Job.state.in_(LIVE))
    return session.scalars(select(Job).where(*here).order_by(Job.id).limit(1)).first()


def keep_encoded(store: Store, model: str, among: Sequence[int]) -> list[Job]:
    """Have those pools encoded again, `among` these projects, that were under this model and got something since.

    Nothing is begun where it is under way, nor where somebody stopped it, or it failed, and nothing came after that.
    """
    with store.reading() as session:
        found = session.scalars(queries.pools_behind(model, among))
        behind = [project.id for project in found if _is_due(session, project)]
    begun = []
    for number in behind:
        with store.writing() as session:
            project = session.get(Project, number, with_for_update={"key_share": True})
            if project is not None and _is_due(session, project):
                begun.append(start_encoding(session, None, project))
    return begun


def _is_due(session: Session, project: Project) -> bool:
    here = (Job.kind == KIND, Job.project_id == project.id)
    last = session.scalars(select(Job).where(*here).order_by(Job.id.desc()).limit(1)).first()
    if last is None or last.state is JobState.SUCCEEDED:
        return True
    came = queries.last_arrival(session, project.id)
    return last.state.over and came is not None and came > (last.finished_at or last.changed_at)
