"""Archives as inputs: their parts unpacked into numbered files of ours, kept while somebody opens them.

Guarantee: nothing is written but `<data>/unpacked/<key>/…`, under names of ours; a part of an archive that breaks off,
breaks a limit or is stopped leaves nothing behind, and what a killed process leaves is swept.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.config import Settings
from app.sources.archive_parts import Limits, Part, check_size
from app.sources.inputs import MOST_FILES, Input, files_at, input_of
from app.sources.readers.files import Sniffed, sniff
from app.sources.records import BadInput
from app.sources.unpackers import archive_kind, kind_of, opened
from app.text.marks import runs

# Of an archive whose beginnings are looked at, so many beginnings are; the parts after them are not written.
BEGINNINGS = 16
# What a reader may read on after it has seen enough: the record that it is in.
MARGIN = 8 << 20
# Read from their end, so their beginning is of no use: Parquet, spreadsheets.
_WHOLE = (b"PAR1", b"PK")

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Workspace:
    """Where archives are unpacked, within which limits, and for how many days what nobody opens is kept."""

    folder: Path
    limits: Limits
    days: float


def workspace_of(settings: Settings) -> Workspace:
    """The workspace of an installation."""
    limits = Limits(
        MOST_FILES, settings.max_unpacked_mb * 1_000_000, settings.max_unpacked_ratio, settings.max_unpack_minutes * 60
    )
    return Workspace((settings.data_dir / "unpacked").absolute(), limits, settings.unpacked_days)


def brought(
    path: Path,
    workspace: Workspace,
    *,
    encoding: str = "auto",
    name: str = "",
    sample_bytes: int | None = None,
    tell: Tell | None = None,
) -> Input:
    """Look at a file or a folder as `input_of` does, with the archives in it opened: their parts stand for them.

    With `sample_bytes` only that much of the beginning of each part is unpacked, which is quick and enough to
    recognise and preview it. `name` is what people call a single file. Unpacking once serves every later call.
    Raises BadInput (422) for what is broken, locked, unsafe or larger than the limits, which it names.
    """
    found = input_of(path, encoding)
    opener = _Opener(workspace, encoding, None if sample_bytes is None else sample_bytes + MARGIN, tell)
    alone = name if len(found.files) == 1 else ""
    files = tuple(_told_apart({file.name: opener.open(file, alone or file.name) for file in found.files}))
    if len(files) > MOST_FILES:
        raise BadInput(f"{found.name} holds more than {MOST_FILES:,} files; import it in parts")
    return Input(alone or found.name, files)


def _told_apart(parts: Mapping[str, Sequence[Sniffed]]) -> Iterator[Sniffed]:
    """The parts of all files; those of an archive that shares a name with another file go by its name and theirs."""
    times = Counter(part.name for of_one in parts.values() for part in of_one)
    for name, of_one in parts.items():
        clash = any(times[part.name] > 1 and part.name != name for part in of_one)
        yield from (replace(part, name=f"{name}/{part.name}") if clash else part for part in of_one)


def packed_bytes(path: Path, workspace: Workspace) -> int:
    """How many bytes of archives have to be unpacked before `path` can be read as a whole; 0 where none has."""
    packed = (one for one in files_at(path) if archive_kind(one) is not None)
    return sum(one.stat().st_size for one in packed if not (workspace.folder / _key(one) / "whole").is_dir())


def forget(workspace: Workspace, path: Path) -> None:
    """Remove what was unpacked of a file; harmless where there is nothing."""
    with suppress(OSError):
        shutil.rmtree(workspace.folder / _key(path), ignore_errors=True)


def sweep(workspace: Workspace) -> None:
    """Remove what nobody has opened for the workspace's days, and what killed processes left half unpacked."""
    homes = list(workspace.folder.iterdir()) if workspace.folder.is_dir() else []
    for home in homes:
        if time.time() - home.stat().st_mtime > workspace.days * 86_400:
            shutil.rmtree(home, ignore_errors=True)
            continue
        if (home / "whole").is_dir():
            _forget_beginnings(home)
        for half in home.glob("*.part"):
            with _lock(half.with_suffix(".lock"), wait=False) as held:
                if held:
                    shutil.rmtree(half, ignore_errors=True)


def _forget_beginnings(home: Path) -> None:
    """Remove the beginnings of what is there whole, unless somebody may be reading them right now."""
    for first in home.glob("first-*[0-9]"):
        if time.time() - first.stat().st_mtime > 86_400:
            shutil.rmtree(first, ignore_errors=True)


@dataclass(frozen=True)
class _Opener:
    """Opens the files of one input."""

    workspace: Workspace
    encoding: str
    first_bytes: int | None
    tell: Tell | None

    def open(self, file: Sniffed, name: str) -> Sequence[Sniffed]:
        """The parts of an archive, or the file itself."""
        if file.kind != "nothing" or archive_kind(file.path) is None:
            return (replace(file, name=name),)
        folder = self._unpacked(file.path, name)
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        return [sniff(folder / str(number), self.encoding, label) for number, label in enumerate(labels)]

    def _unpacked(self, path: Path, name: str) -> Path:
        """The folder with an archive's parts, made if need be; a second process waits for the first one's."""
        home = self.workspace.folder / _key(path)
        whole = home / "whole"
        folder = whole if self.first_bytes is None or whole.is_dir() else home / f"first-{self.first_bytes}"
        home.mkdir(parents=True, exist_ok=True)
        os.utime(home)
        with _lock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                self._make(path, name, folder)
        return folder

    def _make(self, path: Path, name: str, folder: Path) -> None:
        half = folder.with_suffix(".part")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        try:
            with opened(path, name, self.workspace.limits) as parts:
                labels = _Unpacking(half, path, self).write(parts)
            (half / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
            half.rename(folder)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise


class _Unpacking:
    """One archive on its way to disk: what is written, against the limits."""

    def __init__(self, folder: Path, archive: Path, opener: _Opener) -> None:
        self._folder = folder
        self._packed = archive.stat().st_size
        self._limits = opener.workspace.limits
        self._first = opener.first_bytes
        self._tell = opener.tell
        self._until = time.monotonic() + self._limits.seconds
        self._written = 0

    def write(self, parts: Sequence[Part]) -> list[str]:
        """Write the parts under their numbers and give their labels."""
        total = sum(part.size or 0 for part in parts)
        if self._first is None and total > shutil.disk_usage(self._folder).free:
            raise BadInput(_FULL)
        labels: list[str] = []
        for number, part in enumerate(parts):
            if self._first is not None and self._written >= BEGINNINGS * self._first:
                break
            try:
                self._write(part, self._folder / str(number), total)
            except OSError as error:
                if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                    raise BadInput(_FULL) from error
                raise
            labels.append(_shown(part.name))
        return labels

    def _write(self, part: Part, path: Path, total: int) -> None:
        done, enough = 0, self._first
        with path.open("xb") as out:
            for piece in part.pieces():
                if not done:
                    self._refuse_nested(part.name, piece)
                    enough = None if piece.startswith(_WHOLE) else enough
                done += len(piece)
                self._count(len(piece), total or part.guess(done))
                out.write(piece)
                if enough is not None and done >= enough:
                    # Of the part's own size, though its end is a hole: so readers know what share they have seen.
                    out.truncate(max(done, part.guess(done)))
                    return

    def _refuse_nested(self, name: str, head: bytes) -> None:
        if kind := kind_of(head[:64]):
            raise BadInput(f"{name[:80]!r} in the archive is an archive itself ({kind}); unpack the outer one first")

    def _count(self, size: int, total: int) -> None:
        self._written += size
        check_size(self._written, self._packed, self._limits)
        if time.monotonic() > self._until:
            raise BadInput(
                f"unpacking took more than {self._limits.seconds / 60:,.0f} minutes, which is the limit; an operator "
                "can raise HANDPICKED_MAX_UNPACK_MINUTES"
            )
        if self._tell is not None:
            self._tell("unpacking", self._written, max(total, self._written))


_FULL = "there is no room on the server's disk to unpack the archive; free some and try again"


def _key(path: Path) -> str:
    """A name for a file as it is now: another file, or other bytes in it, has another."""
    now = path.stat()
    return hashlib.sha256(f"{path.resolve()}\0{now.st_size}\0{now.st_mtime_ns}".encode()).hexdigest()[:32]


def _shown(name: str) -> str:
    """A label that shows what it says: without what cannot be seen."""
    seen = "".join(run.text for run in runs(name) if run.mark is None)
    return "".join(character for character in seen if character.isprintable()).strip()[-200:] or "part"


@contextmanager
def _lock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a file's lock, which ends with its process; without waiting say whether it is held."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
