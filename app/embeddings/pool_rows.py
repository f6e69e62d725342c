"""The vectors of a project's pool in memory, in the order in which they came, so that all are compared at once."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.sidecar import Batch, Head, Ids, Sidecar, said_of
from app.embeddings.vectors import Vectors, stack

ROWS_AT_ONCE = 2000


class PoolRows:
    """The vectors of the candidates of one project under one model; it follows the table `candidate_text`.

    They are mapped from files that all processes share (see app.embeddings.sidecar). Before a process takes what is in
    them, it asks the database for every row's numbers and hash, which is a fortieth of what the vectors are.
    """

    def __init__(self, settings: Settings, project_id: int, model: str, dimensions: int) -> None:
        """Begin without rows."""
        self.project_id, self.model = project_id, model
        self._lock = threading.Lock()
        self._dimensions = dimensions
        self._sidecar = Sidecar(folder_of(settings, project_id, model), project_id, model, dimensions)
        self._head = Head()
        self._ids: Ids = np.empty(0, dtype=np.int64)
        self._rows: Vectors = np.empty((0, dimensions), dtype=np.float32)

    def follow(self, session: Session) -> tuple[Ids, Vectors]:
        """Read what is new; the numbers of all candidates (n,) and their unit rows (n, dimensions), side by side.

        Both stay as they are while others follow. Candidates without words in their prompt have no row.
        """
        with self._lock:
            if not self._is_there(session, self._head):
                with self._sidecar.locked():
                    self._head = self._caught_up(session)
                    self._ids, self._rows = self._sidecar.ids(self._head), self._sidecar.rows(self._head)
            return self._ids, self._rows

    def _caught_up(self, session: Session) -> Head:
        head = self._grown(session, self._taken(session))
        if not self._is_there(session, head):
            # One is gone, or was committed after others with higher numbers.
            head = self._grown(session, self._sidecar.begin())
        self._sidecar.keep(head)
        return head

    def _taken(self, session: Session) -> Head:
        """As far as the files are right: what was looked at before is not looked at again."""
        stored = self._sidecar.head()
        if stored is None:
            return self._sidecar.begin()
        known = self._head.generation == stored.generation and self._head.count <= stored.count
        since = self._head if known else Head(stored.generation)
        right = self._sidecar.whole(since, stored) and self._said(session, since, stored) == stored.said
        return stored if right else self._sidecar.begin()

    def _here(self) -> tuple[ColumnElement[bool], ...]:
        of_project = (CandidateText.project_id == self.project_id, CandidateText.model == self.model)
        return (*of_project, CandidateText.prompt_hash != "")

    def _is_there(self, session: Session, head: Head) -> bool:
        """Whether the database has these rows and no others: numbers are never given twice."""
        query = select(func.count(CandidateText.id), func.sum(CandidateText.id)).where(*self._here())
        count, total = session.execute(query).one()
        return (head.count, head.total) == (count, int(total or 0))

    def _said(self, session: Session, since: Head, until: Head) -> int:
        """The check of what the database says of the rows between two heads."""
        between = (*self._here(), CandidateText.id > since.last, CandidateText.id <= until.last)
        query = select(CandidateText.id, CandidateText.candidate_id, CandidateText.prompt_hash).where(*between)
        said = since.said
        for rows in _partitions(session, query.order_by(CandidateText.id)):
            numbers, candidates, hashes = zip(*rows, strict=True)
            said = said_of(numbers, candidates, hashes, said)
        return said

    def _grown(self, session: Session, head: Head) -> Head:
        same = and_(Embedding.model == CandidateText.model, Embedding.text_hash == CandidateText.prompt_hash)
        query = select(CandidateText.id, CandidateText.candidate_id, CandidateText.prompt_hash, Embedding.vector).join(
            Embedding, same
        )
        query = query.where(*self._here(), CandidateText.id > head.last).order_by(CandidateText.id)
        for rows in _partitions(session, query):
            numbers, candidates, hashes, vectors = zip(*rows, strict=True)
            head = self._sidecar.add(head, Batch(numbers, candidates, hashes, stack(vectors, self._dimensions)))
        return head


def _partitions(session: Session, query: Any) -> Iterator[Sequence[Any]]:
    yield from session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions()


def folder_of(settings: Settings, project_id: int, model: str) -> Path:
    """Where a pool's files lie; another database has others."""
    digest = hashlib.sha256(f"{settings.url}\n{model}".encode()).hexdigest()[:16]
    return settings.data_dir / "vectors" / f"pool-{project_id}-{digest}"


_held: dict[tuple[str, int, str], PoolRows] = {}
_lock = threading.Lock()


def pool_rows(database: Database, project_id: int, model: str, dimensions: int) -> PoolRows:
    """The rows of a project's pool, one object a process."""
    key = (database.url, project_id, model)
    with _lock:
        return _held.setdefault(key, PoolRows(database.settings, project_id, model, dimensions))
