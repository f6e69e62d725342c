"""What people asked for more of, held against the pool by meaning: which clients it concerns, and what serves them.

A request says that what the set had then was not enough. So the clients near it count more, and of the set only what
was begun since the request serves them: it wears off by being answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.embeddings.vectors import Vectors
from app.selection.adding.grounds import Measured
from app.selection.adding.requesting import open_requests
from app.selection.coverage.facility import Greed
from app.selection.coverage.whole import Places, nearest, whole
from app.selection.search.meaning import vector_of

# From the first cosine on a candidate is about what was asked for, from the second on it is wholly so.
NEAR, WHOLLY = 0.3, 0.6
# What is wholly about it counts so many times as much as what nobody asked for.
TIMES = 10
SHOWN = 60


@dataclass(frozen=True)
class Request:
    """One request: what is asked for, by whom, when, and how many of the pool's train candidates are about it."""

    id: int
    words: str
    by: str
    at: datetime
    candidates: int

    @property
    def in_words(self) -> str:
        """Who asked for what."""
        words = self.words if len(self.words) <= SHOWN else self.words[:SHOWN].rsplit(" ", 1)[0] + " …"
        return f"{self.by or 'somebody'} asked for more about “{words}”"


@dataclass(frozen=True)
class Asked:
    """The open requests of a project, the first one first, and the cosine of each candidate with each: (n, k)."""

    requests: Sequence[Request]
    cosines: Vectors

    def nearest(self, row: int) -> Request | None:
        """The request that a candidate is most about, None where it is about none."""
        if not self.requests:
            return None
        at = int(self.cosines[row].argmax())
        return self.requests[at] if self.cosines[row, at] >= NEAR else None

    def greed(self, measured: Measured, rows: Vectors, begun: Sequence[datetime]) -> Greed:
        """What each candidate would add to these whole rows, of which row i was begun at `begun[i]`."""
        ground = measured.ground
        if not self.requests:
            return measured.greed(rows)
        cosines = self.cosines[ground.places]
        highest, which = cosines.max(axis=1), cosines.argmax(axis=1)
        share = np.clip((highest - NEAR) / (WHOLLY - NEAR), 0, 1)
        importance = 1 + np.rint((TIMES - 1) * share).astype(np.int64)
        greed = Greed(ground, rows, importance.tolist(), ground.enough)
        for number, request in enumerate(self.requests):
            clients: Places = np.flatnonzero((which == number) & (highest >= NEAR))
            since = rows[[at for at, then in enumerate(begun) if then > request.at]]
            served = nearest(ground.pool.rows[ground.places[clients]], since) - np.float32(ground.floor)
            greed.served[clients] = np.clip(served, 0, ground.enough)
        return greed


def asked_of(session: Session, measured: Measured, model: tuple[str, str], project_id: int) -> Asked:
    """The open requests of a project against its pool; `model` is the name of the encoder in force and its key."""
    rows: Sequence[Row[int, str, str, datetime]] = session.execute(open_requests(project_id)).all()
    if not rows:
        return Asked((), np.empty((len(measured.pool), 0), dtype=np.float32))
    # Rounded as the pool is, so that the same request weighs the same on every machine.
    told = whole(np.stack([vector_of(*model, row.words) for row in rows]))
    cosines = (measured.pool.rows @ told.rows.T) / np.float32(told.one)
    near = (cosines >= NEAR).sum(axis=0).tolist()
    found = [Request(row.id, row.words, row.name or "", row.at, count) for row, count in zip(rows, near, strict=True)]
    return Asked(found, cosines)
