"""A project's listed prompts in memory, ready to be compared, for as long as its lists stay as they are."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import DATABASE
from app.duplicates.benchmarks.crossing import Listed
from app.duplicates.benchmarks.models import BenchmarkList, BenchmarkPrompt
from app.duplicates.benchmarks.queries import lists_of
from app.embeddings.queries import HASHES_AT_ONCE, stored_vectors
from app.embeddings.vectors import STORED, Vectors, stack, text_hash
from app.examples.sight import everything

SHELVES = 4


@dataclass(frozen=True)
class Head:
    """What is told of a list."""

    id: int
    name: str
    sha256: str
    prompts: int
    licence: str
    url: str


@dataclass
class Shelf:
    """The prompts of all lists of a project in one row: their numbers, whose they are, their lines and hashes."""

    lists: Sequence[Head]
    ids: Sequence[int]
    list_ids: Sequence[int]
    lines: Sequence[int]
    listed: Listed
    hashes: Sequence[str]
    # By model, once every prompt has a vector under it.
    vectors: dict[str, Vectors] = field(default_factory=dict)

    def vectors_of(self, session: Session, model: str) -> Vectors | None:
        """A row for each prompt, zeros where none is stored yet; None where none is stored at all."""
        if model not in self.vectors:
            rows, missing = rows_of(session, model, self.hashes)
            if missing:
                return rows
            assert rows is not None
            # Another model's are of no use any more.
            self.vectors = {model: rows}
        return self.vectors[model]

    @property
    def list_numbers(self) -> set[int]:
        """By which whoever writes later knows whether the lists are still these."""
        return {one.id for one in self.lists}

    def list_at(self, place: int) -> Head:
        """The list that a prompt is of."""
        return next(one for one in self.lists if one.id == self.list_ids[place])


_shelves: OrderedDict[tuple[object, ...], Shelf] = OrderedDict()
_lock = threading.Lock()


def shelf_of(session: Session, project_id: int) -> Shelf | None:
    """The lists as the database stands now; None where the project names none. Nothing of it is for eyes."""
    with everything(session):
        lists = session.scalars(lists_of(project_id)).all()
        if not lists:
            return None
        key = (session.info[DATABASE].url, project_id, *((one.id, one.sha256, one.created_at) for one in lists))
        with _lock:
            if key in _shelves:
                _shelves.move_to_end(key)
                return _shelves[key]
        made = _filled(session, lists)
    with _lock:
        _shelves[key] = made
        while len(_shelves) > SHELVES:
            _shelves.popitem(last=False)
    return made


def _filled(session: Session, lists: Sequence[BenchmarkList]) -> Shelf:
    query = select(BenchmarkPrompt.id, BenchmarkPrompt.list_id, BenchmarkPrompt.line, BenchmarkPrompt.text)
    wanted = query.where(BenchmarkPrompt.list_id.in_([one.id for one in lists])).order_by(BenchmarkPrompt.id)
    rows = session.execute(wanted).all()
    texts = [row.text for row in rows]
    heads = [Head(one.id, one.name, one.sha256, one.prompts, one.licence, one.url) for one in lists]
    return Shelf(
        heads, [row.id for row in rows], [row.list_id for row in rows], [row.line for row in rows], Listed(texts),
        [text_hash(text) for text in texts],
    )  # fmt: skip


def rows_of(session: Session, model: str, hashes: Sequence[str]) -> tuple[Vectors | None, int]:
    """The stored vectors of these texts as rows, zeros where there is none; and how many have none."""
    found: dict[str, bytes] = {}
    different = sorted(set(hashes) - {""})
    for start in range(0, len(different), HASHES_AT_ONCE):
        found |= stored_vectors(session, model, different[start : start + HASHES_AT_ONCE])
    if not found:
        return None, len(hashes)
    dimensions = len(next(iter(found.values()))) // STORED.itemsize
    rows: Vectors = np.zeros((len(hashes), dimensions), dtype=np.float32)
    there = [place for place, one in enumerate(hashes) if one in found]
    rows[there] = stack((found[hashes[place]] for place in there), dimensions)
    return rows, len(hashes) - len(there)
