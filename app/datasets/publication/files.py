"""What is sent to the Hub: the files of an export with their hashes, and what a repository holds of them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.datasets.exports import file_sha256, paths_in
from app.text.canonical import content_hash

PIECE = 1 << 20


@dataclass(frozen=True)
class Sent:
    """A file by its path, its SHA-256, the name that git gives to its bytes, and its size in bytes."""

    path: str
    sha256: str
    git: str
    bytes: int


@dataclass(frozen=True)
class Held:
    """A file as a repository lists it: `git` is its own name or that of a pointer, and then there is a SHA-256."""

    path: str
    bytes: int
    git: str
    sha256: str | None

    def is_the(self, sent: Sent) -> bool:
        """Whether it has the very bytes that were sent."""
        same = self.sha256 == sent.sha256 if self.sha256 is not None else self.git == sent.git
        return same and self.bytes == sent.bytes


def sent_files(folder: Path) -> tuple[Sent, ...]:
    """Every file below a folder, by path."""
    return tuple(_sent(folder, path) for path in paths_in(folder))


def _sent(folder: Path, path: Path) -> Sent:
    size = path.stat().st_size
    # No proof of anything, only the name under which git lists these bytes.
    git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            git.update(piece)
    return Sent(path.relative_to(folder).as_posix(), file_sha256(path), git.hexdigest(), size)


def hash_of(files: Iterable[Sent]) -> str:
    """The hash of a list of files: whoever confirms it confirms these paths and these bytes."""
    return content_hash([[one.path, one.sha256] for one in files])


def as_rows(files: Iterable[Sent]) -> list[dict[str, Any]]:
    """The files as they are stored."""
    return [asdict(one) for one in files]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Sent, ...]:
    """The files as they were stored."""
    return tuple(Sent(**row) for row in rows)


def differing(sent: Sequence[Sent], held: Mapping[str, Held]) -> list[tuple[str, str]]:
    """The files of `sent` that a repository does not hold, each with what is wrong with it."""
    return [(one.path, _fault(held.get(one.path))) for one in sent if not _is_there(one, held.get(one.path))]


def _is_there(sent: Sent, held: Held | None) -> bool:
    return held is not None and held.is_the(sent)


def _fault(held: Held | None) -> str:
    return "It is missing." if held is None else "It is not the file that was sent: its hash is another."
