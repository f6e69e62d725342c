"""The pool of each project measured once and held: which of its candidates are like which.

It is made beside the request that needs it first, and anew where the pool's vectors have changed; until that is there,
what was measured before goes on to serve. Candidates for the test split have no part in it.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import Database
from app.embeddings.encoder import Encoder
from app.embeddings.models import CandidateText
from app.embeddings.pool_rows import pool_rows
from app.embeddings.ready import Making
from app.embeddings.vectors import Vectors
from app.projects.models import Split
from app.selection.coverage.facility import Greed, Ground, ground_of
from app.selection.coverage.whole import Places, Whole, whole
from app.sources.models import Candidate

# A pool of 100,000 takes 154 MB and some more for what is like what.
HELD = 2
# Half a second of a page for 100,000 candidates, of which then 1,000 speak for all.
PAIRS = 100_000_000


@dataclass(frozen=True)
class Measured:
    """A project's encoded train candidates by number, rising, with their ground: row i is that of `ids[i]`."""

    ids: Places
    ground: Ground

    @property
    def pool(self) -> Whole:
        """Their rows."""
        return self.ground.pool

    def greed(self, taken: Vectors) -> Greed:
        """What each candidate would add to these whole rows; one that has something near enough wants no more."""
        return Greed(self.ground, taken, enough=self.ground.enough)


def rows_of(held: Places, ids: Places) -> Places:
    """Where these numbers stand among those held, which rise; what is not there is left out."""
    if not len(held):
        return np.empty(0, dtype=np.int64)
    places = np.minimum(np.searchsorted(held, ids), len(held) - 1)
    found: Places = places[held[places] == ids]
    return found


Key = tuple[str, int, str]
Stand = tuple[int, int]
_held: OrderedDict[Key, tuple[Stand, Making[Measured]]] = OrderedDict()
_before: dict[Key, Measured] = {}
_lock = threading.Lock()


def ground_within(
    seconds: float, session: Session, database: Database, encoder: Encoder, project_id: int
) -> Measured | None:
    """The pool as it is encoded now, or as it was measured last; None while it is measured for the first time."""
    key, stand = (database.url, project_id, encoder.key), _stand(session, encoder, project_id)
    with _lock:
        if key not in _held or _held[key][0] != stand:
            _held[key] = stand, Making(lambda: measure(database, encoder, project_id))
        making = _held[key][1]
        _held.move_to_end(key)
        while len(_held) > HELD:
            _before.pop(_held.popitem(last=False)[0], None)
    measured = making.within(seconds)
    if measured is None:
        return _before.get(key)
    _before[key] = measured
    return measured


def _stand(session: Session, encoder: Encoder, project_id: int) -> Stand:
    """What changes whenever the pool's vectors do."""
    here = (CandidateText.project_id == project_id, CandidateText.model == encoder.key)
    count, last = session.execute(select(func.count(CandidateText.id), func.max(CandidateText.id)).where(*here)).one()
    return count, last or 0


def measure(database: Database, encoder: Encoder, project_id: int) -> Measured:
    """The pool as it is encoded now."""
    with database.reading() as session:
        ids, rows = train_rows(session, database, encoder, project_id)
    return Measured(ids, ground_of(whole(rows), PAIRS))


def train_rows(session: Session, database: Database, encoder: Encoder, project_id: int) -> tuple[Places, Vectors]:
    """The numbers of the encoded train candidates, rising, and their unit rows."""
    ids, rows = pool_rows(database, project_id, encoder.key, encoder.dimensions).follow(session)
    train = select(Candidate.id).where(
        Candidate.project_id == project_id, Candidate.published, Candidate.split == Split.TRAIN
    )
    wanted = np.isin(ids, np.fromiter(session.scalars(train), dtype=np.int64))
    order = np.flatnonzero(wanted)[np.argsort(ids[wanted], kind="stable")]
    return ids[order], np.asarray(rows[order], dtype=np.float32)
