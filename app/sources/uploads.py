"""Files that people bring in: written under names of ours into a folder of their own, never under theirs."""

import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.accounts.models import Role
from app.config import Settings
from app.errors import Denied, Refusal
from app.projects.access import Member, ProjectAccess
from app.text.marks import runs
from app.text.wellformed import require_wellformed

# Files of a dump keep their names, because readers find them by it; any other file is called `upload`.
DUMP_FILES = ("Posts.xml", "Users.xml", "Comments.xml", "Votes.xml", "Tags.xml", "PostLinks.xml")
CHUNK = 1 << 20
MOST_FIELDS = 40


class TooLarge(Refusal):
    """The upload is larger than {limit:,} MB; nothing was kept. An operator can raise HANDPICKED_MAX_UPLOAD_MB."""

    status = 413


class Unreadable(Refusal):
    """The upload could not be read ({reason}); nothing was kept. Send it again as multipart/form-data."""

    status = 400


class NoFile(Refusal):
    """No file was chosen; nothing was kept."""


class NotOffered(Denied):
    """That folder is not among those that may be imported from (HANDPICKED_IMPORT_FOLDERS); nothing was imported."""


@dataclass(frozen=True)
class Upload:
    """What one request brought: its text fields, the file or the folder of a dump, and what people call it."""

    fields: dict[str, str]
    path: Path | None = None
    name: str = ""

    def forget(self) -> None:
        """Remove the files; harmless when there are none."""
        if self.path is not None:
            shutil.rmtree(self.path if self.path.is_dir() else self.path.parent, ignore_errors=True)


async def received(request: Request, slug: str) -> AsyncIterator[Upload]:
    """The posted files and fields, taken in before the request's transaction; removed if the request fails.

    An upload may take minutes, and a transaction that is open meanwhile would keep everybody else from writing:
    so who sends it is looked at first in a transaction of its own, and the route declares its permission as well.
    """
    settings: Settings = request.app.state.settings
    await run_in_threadpool(_require_member, request, slug)
    upload = await receive(request, settings)
    try:
        yield upload
    except BaseException:
        upload.forget()
        raise


def _require_member(request: Request, slug: str) -> None:
    with request.app.state.database.reading() as session:
        Member(Role.ANNOTATOR)(request, slug, session)


async def receive(request: Request, settings: Settings) -> Upload:
    """Read a multipart request as a stream, never more than the limit; files go to disk as they come."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unreadable(reason="it is no multipart/form-data")
    limit = settings.max_upload_mb * 1_000_000
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > limit:
        raise TooLarge(limit=settings.max_upload_mb)
    stream = _limited(request.stream(), settings.max_upload_mb)
    parser = MultiPartParser(request.headers, stream, max_files=len(DUMP_FILES), max_fields=MOST_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException as error:
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
        path = await run_in_threadpool(keep_files, settings, [(file.filename or "", file.file) for file in sent])
        return Upload(fields, path, shown_name(sent[0].filename or ""))
    finally:
        for opened in begun:
            opened.close()


async def _limited(stream: AsyncGenerator[bytes, None], limit_mb: int) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in stream:
        taken += len(chunk)
        if taken > limit_mb * 1_000_000:
            raise TooLarge(limit=limit_mb)
        yield chunk


def keep_files(settings: Settings, files: Iterable[tuple[str, BinaryIO]]) -> Path:
    """Write the files of one upload and give the folder of a dump, or the one file's path; all or nothing."""
    folder = _uploads(settings) / uuid4().hex
    folder.mkdir(parents=True)
    try:
        kept = [_keep(folder / safe_name(name), stream) for name, stream in files]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder if (folder / "Posts.xml").exists() else kept[0]


def _keep(path: Path, stream: BinaryIO) -> Path:
    try:
        with path.open("xb") as out:
            shutil.copyfileobj(stream, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError as error:
        raise Refusal("One file at a time, or the files of one dump; nothing was kept.") from error
    return path


def forget(settings: Settings, path: Path) -> None:
    """Remove an earlier upload; a path that is not below our own folder of uploads is somebody else's and stays."""
    folder = path if path.is_dir() else path.parent
    if folder.parent == _uploads(settings):
        shutil.rmtree(folder, ignore_errors=True)


def _uploads(settings: Settings) -> Path:
    return (settings.data_dir / "uploads").absolute()


def safe_name(name: str) -> str:
    """A dump's own file name, or `upload`."""
    base = _base(name)
    return base if base in DUMP_FILES else "upload"


def shown_name(name: str) -> str:
    """What an upload is called on pages: the name that it came with, without folders and what cannot be seen."""
    seen = "".join(run.text for run in runs(_base(name)) if run.mark is None)
    return "".join(character for character in seen if character.isprintable()).strip()[:120] or "Upload"


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def chosen_source(settings: Settings, access: ProjectAccess, upload: Upload, typed_path: str) -> tuple[Path, str]:
    """The path to import and what it is called: the upload, or, for leads, a path on the server."""
    if typed_path:
        if access.role is not Role.ADMIN:
            raise NotOffered
        path = server_path(settings, typed_path)
        return path, path.name
    if upload.path is None:
        raise NoFile
    return upload.path, upload.name


def server_path(settings: Settings, typed: str) -> Path:
    """A path on the server, if it lies below one of the folders that the operator offers."""
    typed = require_wellformed(typed.strip(), "The path")
    try:
        path = Path(typed).resolve()
        offered = any(path.is_relative_to(folder.resolve()) for folder in settings.import_folders)
        there = offered and path.exists()
    except OSError as error:
        raise Refusal(f"{typed[:80]}… is no path; nothing was imported.") from error
    if not offered:
        raise NotOffered
    if not there:
        raise Refusal(f"There is nothing at {typed}; nothing was imported.")
    return path
