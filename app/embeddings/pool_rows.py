"""The vectors of a project's pool in memory, in the order in which they came, so that all are compared at once."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.embeddings.matrix import GrowingRows
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.vectors import STORED, Vectors

Ids: TypeAlias = npt.NDArray[np.int64]

ROWS_AT_ONCE = 2000


class PoolRows:
    """The vectors of the candidates of one project under one model; it follows the table `candidate_text`."""

    def __init__(self, settings: Settings, project_id: int, model: str, dimensions: int) -> None:
        """Begin without rows."""
        self.project_id, self.model = project_id, model
        self._lock = threading.Lock()
        self._settings, self._dimensions = settings, dimensions
        self._begin()

    def _begin(self) -> None:
        self._rows = GrowingRows(self._settings.data_dir / "vectors", self._dimensions, np.float32)
        self._ids: Ids = np.empty(0, dtype=np.int64)
        self._last = 0

    def follow(self, session: Session) -> tuple[Ids, Vectors]:
        """Read what is new; the numbers of all candidates (n,) and their unit rows (n, dimensions), side by side.

        Both stay as they are while others follow. Candidates without words in their prompt have no row.
        """
        with self._lock:
            self._read(session)
            if len(self._ids) != self._count(session):
                # One is gone, or was committed after others with higher numbers.
                self._begin()
                self._read(session)
            return self._ids, self._rows.rows

    def _here(self) -> tuple[Any, ...]:
        of_project = (CandidateText.project_id == self.project_id, CandidateText.model == self.model)
        return (*of_project, CandidateText.prompt_hash != "")

    def _count(self, session: Session) -> int:
        return session.scalar(select(func.count(CandidateText.id)).where(*self._here())) or 0

    def _read(self, session: Session) -> None:
        found = [self._ids]
        for rows in self._new(session):
            joined = np.frombuffer(b"".join(row.vector for row in rows), dtype=STORED)
            self._rows.append(joined.reshape(len(rows), self._dimensions).astype(np.float32, copy=False))
            found.append(np.array([row.candidate_id for row in rows], dtype=np.int64))
            self._last = rows[-1].id
        self._ids = np.concatenate(found)

    def _new(self, session: Session) -> Iterator[Sequence[Any]]:
        same = and_(Embedding.model == CandidateText.model, Embedding.text_hash == CandidateText.prompt_hash)
        query = select(CandidateText.id, CandidateText.candidate_id, Embedding.vector).join(Embedding, same)
        query = query.where(*self._here(), CandidateText.id > self._last).order_by(CandidateText.id)
        yield from session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions()


_held: dict[tuple[str, int, str], PoolRows] = {}
_lock = threading.Lock()


def pool_rows(database: Database, project_id: int, model: str, dimensions: int) -> PoolRows:
    """The rows of a project's pool, one object a process."""
    key = (database.url, project_id, model)
    with _lock:
        return _held.setdefault(key, PoolRows(database.settings, project_id, model, dimensions))
