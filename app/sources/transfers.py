"""Uploads in pieces: a lost connection costs the piece that was under way, and nothing else.

Guarantee: what was acknowledged is on the disk; the same piece sent again changes nothing; nobody but the person who
began an upload can see it or go on with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.audit import record as write_trail
from app.config import Settings
from app.db import Database
from app.errors import Conflict, NotFound, Refusal
from app.projects.access import ProjectAccess
from app.sources import queries, uploads
from app.sources.models import ImportRun, Transfer

LARGEST_PIECE = 16 << 20


class TooMany(Conflict):
    """You have {count} uploads half sent, which is the limit: {names}. Finish one, or throw one away."""


class NoRoom(Refusal):
    """There is no room on the server's disk for this upload; what had arrived is kept. Free some and go on."""

    status = 507


class Gap(Conflict):
    """{there:,} bytes of this file have arrived; go on from there. Nothing was written."""


class Overflow(Refusal):
    """This piece reaches beyond the {size:,} bytes that were announced for {name}; it was not written."""


class Unfinished(Refusal):
    """The upload is not complete: {there:,} of {size:,} bytes have arrived. Send the rest, then finish it."""


def begin(session: Session, settings: Settings, access: ProjectAccess, files: Sequence[tuple[str, int]]) -> Transfer:
    """Announce files by name and size in bytes; their pieces follow. Raises a Refusal where they cannot all come."""
    held = session.scalars(queries.transfers_of(access.user.id)).all()
    if len(held) >= settings.max_half_sent:
        raise TooMany(count=len(held), names=", ".join(name_of(one) for one in held))
    read = uploads.needed([name for name, _ in files])
    size = sum(files[number][1] for number in read)
    if size > settings.max_upload_mb * 1_000_000:
        raise uploads.TooLarge(limit=settings.max_upload_mb)
    transfer = Transfer(
        key=uuid4().hex,
        project_id=access.project.id,
        user_id=access.user.id,
        files=[{"name": name, "size": length} for name, length in files],
    )
    session.add(transfer)
    session.flush()
    folder = _folder(settings, transfer)
    folder.mkdir(parents=True)
    if size > shutil.disk_usage(folder).free:
        folder.rmdir()
        raise NoRoom
    return transfer


def own(session: Session, access: ProjectAccess, key: str) -> Transfer:
    """A person's own upload in this project; anybody else's is not there."""
    return _found(session, queries.transfers_of(access.user.id, access.project.id).where(Transfer.key == key))


def _found(session: Session, which: Select[Transfer]) -> Transfer:
    transfer = session.scalar(which)
    if transfer is None:
        raise NotFound("There is no such upload; it was finished, thrown away, or nobody sent anything for too long.")
    return transfer


def arrived(settings: Settings, transfer: Transfer) -> list[int]:
    """How many bytes of each file need not be sent any more: they are on the disk, or no import reads them."""
    read = set(_read(transfer))
    return [
        _there(settings, transfer, number) if number in read else file["size"]
        for number, file in enumerate(transfer.files)
    ]


def arrived_of(settings: Settings, transfer: Transfer) -> int:
    """How many bytes of it are on the disk."""
    return sum(_there(settings, transfer, number) for number in _read(transfer))


def _there(settings: Settings, transfer: Transfer, number: int) -> int:
    path = _path(settings, transfer, number)
    return path.stat().st_size if path.exists() else 0


def _read(transfer: Transfer) -> list[int]:
    """Which of its files an import reads."""
    return uploads.needed([file["name"] for file in transfer.files])


def aside_of(transfer: Transfer) -> list[str]:
    """The files that were announced with it and that no import reads."""
    return uploads.left_aside([file["name"] for file in transfer.files])


def append(settings: Settings, transfer: Transfer, number: int, offset: int, data: bytes) -> int:
    """Write a piece of a file where it belongs and say how much of it is there; a piece that is there already stays."""
    if not 0 <= number < len(transfer.files):
        raise NotFound("The upload has no such file.")
    file = transfer.files[number]
    if offset + len(data) > file["size"]:
        raise Overflow(size=file["size"], name=uploads.shown_name(file["name"]))
    if number not in _read(transfer):
        return int(file["size"])
    with _locked(_path(settings, transfer, number)) as out:
        there = out.seek(0, os.SEEK_END)
        if offset > there:
            raise Gap(there=there)
        if fresh := data[there - offset :]:
            _write(out, there, fresh)
        return max(there, offset + len(data))


def _write(out: BinaryIO, there: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[out.write(rest) :]
        os.fsync(out.fileno())
    except OSError as error:
        os.truncate(out.fileno(), there)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom from error
        raise


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """A file that one request at a time writes to: two tabs may send the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b", buffering=0) as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        yield out


def complete(settings: Settings, transfer: Transfer) -> tuple[Path, str]:
    """The file or the folder of a dump to import, and its name. Raises Unfinished while bytes are missing."""
    there, size = arrived_of(settings, transfer), size_of(transfer)
    if there < size:
        raise Unfinished(there=there, size=size)
    folder = _folder(settings, transfer)
    for number in _read(transfer):
        if not transfer.files[number]["size"]:
            _path(settings, transfer, number).touch()
    return uploads.kept_in(folder), name_of(transfer)


def finish(session: Session, access: ProjectAccess, key: str) -> None:
    """Hand the files over to an import in the caller's transaction; of two requests one does."""
    which = queries.transfers_of(access.user.id, access.project.id).where(Transfer.key == key)
    # The second of two waits here for the first, and then there is no row any more.
    transfer = _found(session, which.with_for_update().execution_options(populate_existing=True))
    write_trail(
        session,
        access.user,
        "finish upload",
        f"upload:{key}",
        project_id=access.project.id,
        name=name_of(transfer),
        bytes=size_of(transfer),
    )
    session.delete(transfer)
    session.flush()


def discard(session: Session, settings: Settings, transfer: Transfer) -> None:
    """Throw an upload away with what has arrived."""
    session.delete(transfer)
    session.flush()
    uploads.forget(settings, _folder(settings, transfer))


def name_of(transfer: Transfer) -> str:
    """What people call it: its one file, or a dump's Posts.xml."""
    return uploads.shown_name(uploads.called([file["name"] for file in transfer.files]))


def size_of(transfer: Transfer) -> int:
    """All bytes that are to arrive, as announced."""
    return sum(transfer.files[number]["size"] for number in _read(transfer))


def sweep(database: Database, settings: Settings) -> None:
    """Remove half-sent uploads after their hours of silence, and folders that no import and no upload knows."""
    before = time.time() - settings.half_sent_hours * 3600
    folders = list(uploads.folder_of(settings).iterdir()) if uploads.folder_of(settings).is_dir() else []
    silent = {folder.name for folder in folders if _touched(folder) < before}
    if not silent:
        return
    with database.writing() as session:
        for transfer in session.scalars(select(Transfer).where(Transfer.key.in_(silent))).all():
            session.delete(transfer)
        paths = session.scalars(select(ImportRun.path)).all()
    known = {name for path in paths for name in (Path(path).name, Path(path).parent.name)}
    for name in silent - known:
        shutil.rmtree(uploads.folder_of(settings) / name, ignore_errors=True)


def _touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir())) if folder.is_dir() else time.time()


def _folder(settings: Settings, transfer: Transfer) -> Path:
    return uploads.folder_of(settings) / transfer.key


def _path(settings: Settings, transfer: Transfer, number: int) -> Path:
    return _folder(settings, transfer) / uploads.safe_name(transfer.files[number]["name"])
