"""Vectors of a pool in files beside the database, so that a process maps them instead of reading each from a table.

A folder holds the candidates' numbers, their rows, and a head that says how many of both count; the head is written
last and in one step, so what a process that died has left behind counts for nothing. Files only ever grow, and what
is made anew gets new files: whoever has mapped the old ones keeps them. The database is the truth; these may go.
"""

import fcntl
import json
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import STORED, Vectors

Ids: TypeAlias = npt.NDArray[np.int64]

FORM = 1
NUMBERS = np.dtype("<i8")
BYTES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Head:
    """What of the files counts, with the check sums that it has to have."""

    generation: str = ""
    count: int = 0
    # The highest number of a row of the table, the sum of all, and a check of all that was read beside the vectors.
    last: int = 0
    total: int = 0
    said: int = 0
    # Of the bytes of both files, as far as they count.
    ids: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Batch:
    """Rows of the table, side by side: their own numbers, their candidates', their texts' hashes, their vectors."""

    numbers: tuple[int, ...]
    candidates: tuple[int, ...]
    hashes: tuple[str, ...]
    vectors: Vectors


def said_of(numbers: Iterable[int], candidates: Iterable[int], hashes: Iterable[str], before: int) -> int:
    """Go on with the check of what the database says: any other row, candidate or text gives another one."""
    lines = (
        f"{number} {candidate} {one}\n" for number, candidate, one in zip(numbers, candidates, hashes, strict=True)
    )
    return zlib.crc32("".join(lines).encode(), before)


class Sidecar:
    """The files of one project's pool under one model."""

    def __init__(self, folder: Path, project_id: int, model: str, dimensions: int) -> None:
        """Name the folder, which is made when something is kept."""
        self._folder, self._dimensions = folder, dimensions
        self._of = {"form": FORM, "project": project_id, "model": model, "dimensions": dimensions}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def head(self) -> Head | None:
        """The head as it stands; None where there is none, or it is not whole, or of another model or form."""
        try:
            said: dict[str, Any] = json.loads((self._folder / "head.json").read_bytes())
            check = said.pop("check")
            head = Head(**{name: said[name] for name in Head.__annotations__})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return head if said == self._document(head) and check == _check(said) else None

    def begin(self) -> Head:
        """The head of new files without rows."""
        return Head(secrets.token_hex(8))

    def add(self, head: Head, batch: Batch) -> Head:
        """Write rows behind those that count; they count once the head that comes back is kept."""
        ids = np.asarray(batch.candidates, dtype=NUMBERS).tobytes()
        rows = batch.vectors.astype(STORED, copy=False).tobytes()
        for name, data, width in (("ids", ids, NUMBERS.itemsize), ("rows", rows, self._width)):
            # Opened without cutting it: it may be mapped. What a process that died has left is written over.
            file = self._file(head, name)
            file.touch()
            with file.open("r+b") as out:
                out.seek(head.count * width)
                out.write(data)
        return replace(
            head,
            count=head.count + len(batch.candidates),
            last=batch.numbers[-1],
            total=head.total + sum(batch.numbers),
            said=said_of(batch.numbers, batch.candidates, batch.hashes, head.said),
            ids=zlib.crc32(ids, head.ids),
            rows=zlib.crc32(rows, head.rows),
        )

    def keep(self, head: Head) -> None:
        """Have this head count, and files of other generations go."""
        document = self._document(head)
        fresh = self._folder / "head.new"
        fresh.write_text(json.dumps(document | {"check": _check(document)}), "utf-8")
        fresh.replace(self._folder / "head.json")
        for file in self._folder.glob("*.[ir]*s"):
            if file.stem != head.generation:
                file.unlink(missing_ok=True)

    def whole(self, since: Head, until: Head) -> bool:
        """Whether the bytes between two heads of a generation are those that the later one was made for."""
        for name, width in (("ids", NUMBERS.itemsize), ("rows", self._width)):
            found = _crc(self._file(until, name), since.count * width, until.count * width, getattr(since, name))
            if found != getattr(until, name):
                return False
        return True

    def ids(self, head: Head) -> Ids:
        """The candidates' numbers, (count,)."""
        return np.fromfile(self._file(head, "ids"), NUMBERS, head.count) if head.count else np.empty(0, np.int64)

    def rows(self, head: Head) -> Vectors:
        """The rows, (count, dimensions), mapped: a change stays in this process and never reaches the file."""
        shape = (head.count, self._dimensions)
        if not head.count:
            return np.empty(shape, dtype=np.float32)
        return np.asarray(np.memmap(self._file(head, "rows"), STORED, mode="c", shape=shape))

    @property
    def _width(self) -> int:
        return self._dimensions * STORED.itemsize

    def _file(self, head: Head, name: str) -> Path:
        return self._folder / f"{head.generation}.{name}"

    def _document(self, head: Head) -> dict[str, Any]:
        return self._of | asdict(head)


def _check(document: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(document, sort_keys=True).encode())


def _crc(file: Path, start: int, end: int, before: int) -> int | None:
    """Go on with a check sum over bytes of a file; None where it has not got them."""
    try:
        with file.open("rb") as stream:
            stream.seek(start)
            while start < end:
                part = stream.read(min(BYTES_AT_ONCE, end - start))
                if not part:
                    return None
                before, start = zlib.crc32(part, before), start + len(part)
    except OSError:
        return None
    return before
