"""The vectors and signatures of a project's examples in memory, so that a text is compared with all of them at once.

A shelf is filled beside the request that needs it first and then follows the table `example_text`: rows with higher
numbers take the place of older ones. An example with both texts takes 3.3 KB, mapped (see app.embeddings.matrix); of
at most SHELVES projects at a time.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from app.config import Settings
from app.db import Database
from app.duplicates.lexical import PARTS, Signature, guessed
from app.duplicates.models import ExampleText
from app.embeddings.encoder import Encoder
from app.embeddings.matrix import GrowingRows, cosines, highest
from app.embeddings.models import Embedding
from app.embeddings.ready import Making
from app.embeddings.vectors import STORED, Vectors
from app.examples.sight import everything

SHELVES = 8
ROWS_AT_ONCE = 1000
# A shelf with more rows that count no more than rows that do is filled anew.
MOST_SPENT = 5000

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """An example and how near one of its texts is: a cosine, or a guess of how much of the wording is the same."""

    example_id: int
    score: float


class Column:
    """One kind of text: a row an example, and whose it is."""

    def __init__(self, rows: GrowingRows[Any]) -> None:
        """Begin without rows."""
        self.rows = rows
        self.owners: Ids = np.empty(0, dtype=np.int64)
        self.place: dict[int, int] = {}

    def put(self, ids: Sequence[int], rows: npt.NDArray[Any]) -> None:
        """Add rows, in the place of older ones of the same examples."""
        if not ids:
            return
        self.take_out(ids)
        first = self.rows.append(rows)
        self.owners = np.concatenate([self.owners, np.asarray(ids, dtype=np.int64)])
        self.place.update({example_id: first + number for number, example_id in enumerate(ids)})

    def take_out(self, ids: Sequence[int]) -> None:
        """Rows of these examples count no more."""
        spent = [self.place.pop(example_id) for example_id in ids if example_id in self.place]
        if spent:
            # Whoever is comparing goes on with the owners as they were.
            self.owners = self.owners.copy()
            self.owners[spent] = 0

    def nearest(self, scores: npt.NDArray[np.float32], owners: Ids, count: int) -> list[Match]:
        """The examples with the highest scores, as many rows as there were owners when they were taken."""
        scores = np.where(owners > 0, scores[: len(owners)], np.float32(np.nan))
        return [Match(int(owners[row]), float(scores[row])) for row in highest(scores, count)]


@dataclass
class Shelf:
    """All examples of one project under one model."""

    project_id: int
    model: str
    prompts: Column
    responses: Column
    wording: Column
    last: int = 0
    known: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def spent(self) -> int:
        """How many rows count no more."""
        return len(self.wording.rows) - len(self.wording.place)

    def near_prompts(self, unit: Vectors, count: int) -> list[Match]:
        """The examples whose prompts are nearest to a unit vector, the nearest first."""
        return self._near(self.prompts, unit, count)

    def near_responses(self, unit: Vectors, count: int) -> list[Match]:
        """The examples whose responses are nearest to a unit vector, the nearest first."""
        return self._near(self.responses, unit, count)

    def _near(self, column: Column, unit: Vectors, count: int) -> list[Match]:
        owners = column.owners
        return column.nearest(cosines(column.rows.rows[: len(owners)], unit), owners, count)

    def cosine(self, example_id: int, unit: Vectors) -> float | None:
        """How near one example's prompt is to a unit vector; None where it has no vector."""
        row = self.prompts.place.get(example_id)
        return None if row is None else float(cosines(self.prompts.rows.rows[row : row + 1], unit)[0])

    def alike(self, signature: Signature, count: int) -> list[Match]:
        """The examples whose prompts are probably most alike in wording, the likest first."""
        owners = self.wording.owners
        return self.wording.nearest(guessed(self.wording.rows.rows[: len(owners)], signature), owners, count)

    def follow(self, session: Session) -> bool:
        """Read what is new; False where the shelf had better be filled anew."""
        here = (ExampleText.project_id == self.project_id, ExampleText.model == self.model)
        with self.lock, everything(session):
            last = session.scalar(select(func.max(ExampleText.id)).where(*here)) or 0
            # Of an example that is gone a row stays, which nobody finds any more; it goes when something else comes.
            if last == self.last:
                return True
            for rows in _rows(session, *here, ExampleText.id > self.last):
                self._put(rows)
            count = session.scalar(select(func.count(ExampleText.id)).where(*here)) or 0
            if len(self.known) != count:
                self._forget(set(session.scalars(select(ExampleText.example_id).where(*here))))
            return len(self.known) == count and self.spent <= MOST_SPENT + len(self.known)

    def _put(self, rows: Sequence[Any]) -> None:
        ids = [row.example_id for row in rows]
        for column, name, kind in (
            (self.prompts, "prompt", STORED), (self.responses, "response", STORED), (self.wording, "signature", "<u4"),
        ):  # fmt: skip
            held = [(row.example_id, stored) for row in rows if (stored := getattr(row, name)) is not None]
            column.take_out(ids)
            if held:
                joined = np.frombuffer(b"".join(stored for _, stored in held), dtype=kind)
                column.put([example_id for example_id, _ in held], joined.reshape(len(held), -1))
        self.known.update(ids)
        self.last = rows[-1].id

    def _forget(self, there: set[int]) -> None:
        gone = sorted(self.known - there)
        for column in (self.prompts, self.responses, self.wording):
            column.take_out(gone)
        self.known -= set(gone)


def _rows(session: Session, *conditions: Any) -> Iterator[Sequence[Any]]:
    prompt, response = aliased(Embedding), aliased(Embedding)
    query = (
        select(
            ExampleText.id, ExampleText.example_id, ExampleText.prompt_signature.label("signature"),
            prompt.vector.label("prompt"), response.vector.label("response"),
        )
        .outerjoin(prompt, and_(prompt.model == ExampleText.model, prompt.text_hash == ExampleText.prompt_hash))
        .outerjoin(response, and_(response.model == ExampleText.model, response.text_hash == ExampleText.response_hash))
        .where(*conditions)
        .order_by(ExampleText.id)
    )  # fmt: skip
    yield from session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).partitions()


_shelves: OrderedDict[tuple[str, int, str], Making[Shelf]] = OrderedDict()
_lock = threading.Lock()


def shelf_within(
    seconds: float, session: Session, database: Database, settings: Settings, encoder: Encoder, project_id: int
) -> Shelf | None:
    """The shelf of a project as the database stands now; None while it is being filled for the first time."""
    key = (database.url, project_id, encoder.key)
    with _lock:
        making = _shelves.setdefault(key, Making(lambda: _filled(database, settings, encoder, project_id)))
        _shelves.move_to_end(key)
        while len(_shelves) > SHELVES:
            _shelves.popitem(last=False)
    shelf = making.within(seconds)
    if shelf is None or shelf.follow(session):
        return shelf
    with _lock:
        _shelves.pop(key, None)
    return shelf


def _filled(database: Database, settings: Settings, encoder: Encoder, project_id: int) -> Shelf:
    folder = settings.data_dir / "vectors"
    prompts, responses = (Column(GrowingRows(folder, encoder.dimensions, np.float32)) for _ in range(2))
    shelf = Shelf(project_id, encoder.key, prompts, responses, Column(GrowingRows(folder, PARTS, np.uint32)))
    with database.reading() as session:
        shelf.follow(session)
    return shelf
