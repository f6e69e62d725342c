"""The pool by meaning: a point among the vectors of prompts, and what fits, the nearest to it first.

The point is what was typed, moved towards what is wanted more of and away from what is wanted less of (Rocchio 1971).
All candidates are compared with it, exactly; whether one fits a filter is asked of the database.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.db import DATABASE, Database
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.matrix import cosines
from app.embeddings.models import CandidateText
from app.embeddings.operations import light_encoder_within
from app.embeddings.pool_rows import PoolRows, pool_rows
from app.embeddings.queries import pool_standing, stored_vectors
from app.embeddings.ready import Making
from app.embeddings.vectors import Vectors, from_bytes, text_hash
from app.errors import Refusal
from app.examples.sight import everything, is_kept
from app.selection.queries import among
from app.sources.models import Candidate
from app.text.dialogue import prompt_of

Ids: TypeAlias = npt.NDArray[np.int64]

# A page waits so long for a model that is not loaded yet, and then says that it is under way.
PATIENCE = 0.5
# Of questions drawn at random from real sites nineteen in twenty pairs lie below .24; a single word lies hardly nearer
# to what is about it than .3.
LEAST_COSINE = 0.25
# How much what is wanted more and less of counts beside what was typed (Salton and Buckley 1990).
TOWARDS, AWAY = 0.75, 0.25
# So many of the nearest are asked first whether they fit, then four times as many.
FIRST, WIDER = 1000, 4
# So long after the newest row one with a lower number may still be committed: until then the rows are counted again,
# from time to time.
SETTLED_AFTER = 30.0
AGAIN_AFTER = 2.0


@dataclass(frozen=True)
class Means:
    """An encoder with the vectors of a pool; without them `reason` says why, or they are under way."""

    encoder: Encoder | None = None
    rows: tuple[Ids, Vectors] | None = None
    reason: str = ""
    # The encoder's name, by which it is asked for.
    model: str = ""

    @property
    def under_way(self) -> bool:
        """Whether asking again in a moment will do."""
        return not self.reason and self.rows is None

    @property
    def encoded(self) -> int:
        """How many candidates can be found by meaning."""
        return 0 if self.rows is None else len(self.rows[0])


def means_of(session: Session, project_id: int, patience: float | None = None) -> Means:
    """What there is within the asker's patience, or within that of a page."""
    database: Database = session.info[DATABASE]
    patience = PATIENCE if patience is None else patience
    model = model_of(session, database.settings, project_id)
    try:
        encoder = light_encoder_within(patience, model)
    except Refusal as refusal:
        return Means(reason=refusal.message)
    if encoder is None:
        return Means()
    rows = _followed(database, project_id, encoder).within(patience)
    return Means(encoder, None if rows is None else rows.follow(session), model=model)


def point_of(
    session: Session, means: Means, said: str, more: Sequence[Candidate], less: Sequence[Candidate]
) -> Vectors | None:
    """The unit vector to look round: what is said, towards the one kind and away from the other; None for nothing."""
    encoder = means.encoder
    assert encoder is not None, "whoever asks has it"
    point: Vectors = np.zeros(encoder.dimensions, dtype=np.float32)
    if said:
        point += vector_of(means.model, encoder.key, said)
    for kind, weight in ((more, TOWARDS), (less, -AWAY)):
        if kind:
            point += np.float32(weight) * _vectors(session, encoder, kind).mean(axis=0)
    length = np.linalg.norm(point)
    return point / length if length > 0 else None


@lru_cache(maxsize=256)
def vector_of(name_or_path: str, model: str, said: str) -> Vectors:  # noqa: ARG001 - another model, another vector
    """What was typed is asked for again with each page, and with each decision on what was found."""
    encoder = light_encoder_within(PATIENCE, name_or_path)
    assert encoder is not None, "whoever asks has it"
    vector: Vectors = encoder.encode([said])[0]
    return vector


def _vectors(session: Session, encoder: Encoder, candidates: Sequence[Candidate]) -> Vectors:
    prompts = {text_hash(prompt): prompt for prompt in (prompt_of(one.messages) for one in candidates)}
    stored = stored_vectors(session, encoder.key, list(prompts))
    found = {one: from_bytes(kept, encoder.dimensions) for one, kept in stored.items()}
    late = [one for one in prompts if one not in found]
    found |= dict(zip(late, encoder.encode([prompts[one] for one in late]), strict=True))
    return np.stack([found[one] for one in prompts])


@dataclass(frozen=True)
class Scores:
    """How near each candidate that has a vector lies to a point."""

    ids: Ids
    cosines: Vectors

    def of(self, wanted: Sequence[int]) -> dict[int, float]:
        """The cosines of these candidates, as far as they have a vector."""
        places = np.flatnonzero(np.isin(self.ids, np.asarray(wanted, dtype=np.int64)))
        return {int(self.ids[place]): float(self.cosines[place]) for place in places}

    def nearest(self, session: Session, fitting: Select[int], most: int, least: float) -> list[int]:
        """The numbers of the nearest that fit, at most so many, none below `least`; equally near ones by number.

        Exact: the database is asked about ever more of them, in their order, until enough fit or none is left.
        """
        near = np.flatnonzero(self.cosines >= least)
        near = near[np.lexsort((self.ids[near], -self.cosines[near]))]
        found: list[int] = []
        start, size = 0, FIRST
        while start < len(near) and len(found) < most:
            part = self.ids[near[start : start + size]].tolist()
            fits = set(session.scalars(fitting.where(among(session, part))))
            found += [one for one in part if one in fits]
            start, size = start + size, WIDER * size
        return found[:most]


def scores(means: Means, point: Vectors) -> Scores:
    """All of the pool, compared with the point."""
    assert means.rows is not None, "whoever asks has them"
    ids, rows = means.rows
    return Scores(ids, cosines(rows, point))


def likeness(cosine: float) -> str:
    """A cosine in two digits: .71; cut rather than rounded up, so that only what means the same reads as 1.00."""
    # float32 knows seven digits: of equal texts it may say .9999999.
    cut = int(abs(cosine) * 100 + 1e-4) / 100
    said = f"{cut:.2f}".removeprefix("0") if cut < 1 else "1.00"
    return f"−{said}" if cosine < 0 and cut else said


def standing_of(session: Session, project_id: int, visible: int) -> tuple[int, int] | None:
    """How many of a pool's candidates are encoded, and of how many; None while the model is not loaded.

    `visible` is how many this session's person sees, all of them unless test prompts are kept from them.
    """
    database: Database = session.info[DATABASE]
    try:
        encoder = light_encoder_within(0, model_of(session, database.settings, project_id))
    except Refusal:
        return None
    if encoder is None:
        return None
    if is_kept(session):
        with everything(session):
            return pool_standing(session, encoder.key, project_id)
    mine = (CandidateText.project_id == project_id, CandidateText.model == encoder.key)
    return session.scalar(select(func.count(CandidateText.id)).where(*mine)) or 0, visible


@dataclass
class Followed:
    """The vectors of a pool as they stand, looked through again only while some may still come.

    To count 100,000 rows takes longer than to compare them. One that is gone does no harm: the database says so.
    """

    held: PoolRows
    _last: int = -1
    _since: float = 0.0
    _counted: float = 0.0
    _rows: tuple[Ids, Vectors] | None = None

    def follow(self, session: Session) -> tuple[Ids, Vectors]:
        """The numbers of all candidates that have a vector, and the vectors, side by side."""
        here = (CandidateText.project_id == self.held.project_id, CandidateText.model == self.held.model)
        last, now = session.scalar(select(func.max(CandidateText.id)).where(*here)) or 0, monotonic()
        if new := last != self._last:
            self._last, self._since = last, now
        again = now - self._since < SETTLED_AFTER and now - self._counted >= AGAIN_AFTER
        if self._rows is None or new or again:
            self._counted = now
            self._rows = self.held.follow(session)
        return self._rows


_pools: dict[tuple[str, Path, int, str], Making[Followed]] = {}
_lock = threading.Lock()


def _followed(database: Database, project_id: int, encoder: Encoder) -> Making[Followed]:
    """The vectors of a pool, one object a process, read for the first time beside the request that needs them."""
    key = (database.url, database.settings.data_dir, project_id, encoder.key)
    with _lock:
        return _pools.setdefault(key, Making(lambda: _read(database, project_id, encoder)))


def _read(database: Database, project_id: int, encoder: Encoder) -> Followed:
    followed = Followed(pool_rows(database, project_id, encoder.key, encoder.dimensions))
    with database.reading() as session:
        followed.follow(session)
    return followed
