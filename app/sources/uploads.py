"""Files that people bring in: written under names of ours into a folder of their own, never under theirs."""

import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import anyio
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.config import Settings
from app.errors import Refusal
from app.sources import archives
from app.text.marks import without_hidden

# Files of a dump keep their names, because readers find them by it; any other file is called `upload`.
DUMP_FILES = ("Posts.xml", "Users.xml", "Comments.xml", "Votes.xml", "Tags.xml", "PostLinks.xml")
# So many files may come together: more than any dump has, and few enough to name.
MOST_FILES = 200
# So many are counted, to refuse them with the form as it was filled in.
MOST_COUNTED = 10_000
CHUNK = 1 << 20
MOST_FIELDS = 40
MOST_NAMED = 8
LONGEST_SILENCE = 60.0


class TooLarge(Refusal):
    """The upload is larger than {limit:,} MB; nothing was kept. An operator can raise HANDPICKED_MAX_UPLOAD_MB."""

    status = 413


class Unreadable(Refusal):
    """The upload could not be read ({reason}); nothing was kept. Send it again as multipart/form-data."""

    status = 400


class NoFile(Refusal):
    """No file was chosen; nothing was kept."""


class Silence(Refusal):
    """Nothing more of the upload came for a minute, so it was given up; nothing of this request was kept."""

    status = 408


class OneAtATime(Refusal):
    """One file at a time, or the files of one dump with its Posts.xml; nothing was kept. {names} came together.

    Pack them into a .zip and choose that: its files are one import.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Name the first of the files."""
        super().__init__(names=listed(names))


class TooManyFiles(Refusal):
    """More than {most} files at once; nothing was kept. Pack them into a .zip and choose that: it is one import."""


class _FormParser(MultiPartParser):
    """Reads on past the most files that may come together, for the words that stand behind them, and keeps no more."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take the bytes of a field, and those of the first files."""
        if self._current_part.file is None or self._current_files <= MOST_FILES:
            super().on_part_data(data, start, end)


@dataclass(frozen=True)
class Upload:
    """What one request brought: its text fields, the file or the folder of a dump, and what people call it."""

    fields: dict[str, str]
    path: Path | None = None
    name: str = ""
    # The files of the same request that no import reads, by the names that they came with.
    aside: Sequence[str] = ()
    # Why its files cannot be one import; nothing of them was kept.
    refusal: Refusal | None = None


async def receive(request: Request, settings: Settings) -> Upload:
    """Read a multipart request as a stream, never more than the limit; files go to disk as they come."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unreadable(reason="it is no multipart/form-data")
    limit = settings.max_upload_mb * 1_000_000
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > limit:
        raise TooLarge(limit=settings.max_upload_mb)
    stream = _limited(request.stream(), settings.max_upload_mb)
    parser = _FormParser(request.headers, stream, max_files=MOST_COUNTED, max_fields=MOST_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            return Upload({}, refusal=TooManyFiles(most=MOST_FILES))
        raise Unreadable(reason=error.message.rstrip(".").lower()) from error
    fields = {key: value.replace("\r\n", "\n") for key, value in form.multi_items() if isinstance(value, str)}
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    sent = [file for file in files if file.filename]
    begun = parser._files_to_close_on_error  # noqa: SLF001 - a part that breaks off is in no public list
    try:
        if len(begun) > len(files):
            raise Unreadable(reason="it breaks off in the middle of a file")
        if not sent:
            return Upload(fields)
        return await run_in_threadpool(_kept, settings, fields, [(file.filename or "", file.file) for file in sent])
    finally:
        for opened in begun:
            opened.close()


def _kept(settings: Settings, fields: dict[str, str], files: Sequence[tuple[str, BinaryIO]]) -> Upload:
    names = [name for name, _ in files]
    try:
        path = keep_files(settings, files)
    except (OneAtATime, TooManyFiles) as refusal:
        return Upload(fields, refusal=refusal)
    return Upload(fields, path, shown_name(called(names)), left_aside(names))


async def steady(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A body as it comes. Raises Silence when nothing comes for a minute."""
    while True:
        try:
            with anyio.fail_after(LONGEST_SILENCE):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Silence from None
        yield chunk


async def _limited(stream: AsyncGenerator[bytes, None], limit_mb: int) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in steady(stream):
        taken += len(chunk)
        if taken > limit_mb * 1_000_000:
            raise TooLarge(limit=limit_mb)
        yield chunk


def needed(names: Sequence[str]) -> list[int]:
    """Which files of those that came together are read, by their places: of a dump those that its reader knows.

    Raises TooManyFiles or OneAtATime (422) where they are not one import.
    """
    if len(names) > MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    if len(names) == 1:
        return [0]
    known = [place for place, name in enumerate(names) if _base(name) in DUMP_FILES]
    kinds = {_base(names[place]) for place in known}
    if "Posts.xml" not in kinds or len(kinds) < len(known):
        raise OneAtATime(names)
    return known


def left_aside(names: Sequence[str]) -> list[str]:
    """The files that no import reads, of those that came together, by what people call them."""
    read = set(needed(names))
    return [shown_name(name) for place, name in enumerate(names) if place not in read]


def called(names: Sequence[str]) -> str:
    """The file that an upload is called by: of a dump its Posts.xml."""
    return next((name for name in names if _base(name) == "Posts.xml"), names[0])


def listed(names: Sequence[str]) -> str:
    """The names of files in a sentence, the first few of many."""
    shown = [shown_name(name) for name in names]
    if len(shown) > MOST_NAMED:
        return f"{', '.join(shown[: MOST_NAMED - 1])} and {len(shown) - MOST_NAMED + 1} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def keep_files(settings: Settings, files: Sequence[tuple[str, BinaryIO]]) -> Path:
    """Write the files of one upload and give the folder of a dump, or the one file's path; all or nothing.

    Raises TooManyFiles or OneAtATime where they are neither.
    """
    files = [files[place] for place in needed([name for name, _ in files])]
    folder = folder_of(settings) / uuid4().hex
    folder.mkdir(parents=True)
    try:
        for name, stream in files:
            _keep(folder / safe_name(name), stream)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return kept_in(folder)


def kept_in(folder: Path) -> Path:
    """What an upload's folder is for an import: the folder of a dump, or its one file."""
    return folder if (folder / "Posts.xml").exists() else next(folder.iterdir())


def _keep(path: Path, stream: BinaryIO) -> None:
    with path.open("xb") as out:
        shutil.copyfileobj(stream, out, CHUNK)
        out.flush()
        os.fsync(out.fileno())


def forget(settings: Settings, path: Path) -> None:
    """Remove an upload and what was unpacked of it; a path that is not below our own folder stays."""
    folder = path if path.is_dir() else path.parent
    if folder.parent != folder_of(settings):
        return
    for file in folder.iterdir() if folder.is_dir() else ():
        archives.forget(archives.workspace_of(settings), file)
    shutil.rmtree(folder, ignore_errors=True)


def folder_of(settings: Settings) -> Path:
    """Where uploads lie, each in a folder of its own."""
    return (settings.data_dir / "uploads").absolute()


def safe_name(name: str) -> str:
    """A dump's own file name, or `upload`."""
    base = _base(name)
    return base if base in DUMP_FILES else "upload"


def shown_name(name: str) -> str:
    """What an upload is called on pages: the name that it came with, without folders and what cannot be seen."""
    return without_hidden(_base(name))[:120] or "Upload"


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]
