"""What a request brings to import: an upload, one that came in pieces, or a path on the server; looked at once.

All of it happens before the request's transaction: an upload may take minutes and a look into an archive seconds, and
a transaction that is open meanwhile would keep everybody else from writing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.accounts.models import Role
from app.config import Settings
from app.errors import Denied, NotFound, Refusal
from app.projects.access import Member, ProjectAccess
from app.sources import transfers, uploads
from app.sources.archives import brought, workspace_of
from app.sources.columnpage import first_table
from app.sources.formats import recognise
from app.sources.hub import hub_id, new_folder
from app.sources.inputs import Input
from app.sources.models import Transfer
from app.sources.preview import COUNTED
from app.sources.readers.files import is_about_encoding
from app.sources.records import BadInput
from app.sources.uploads import Upload, receive
from app.text.wellformed import require_wellformed

# A table of one column looks like any text; these ends of a name say that it is one.
TABLES = (".csv", ".tsv")


class NotOffered(Denied):
    """That folder is not among those that may be imported from (HANDPICKED_IMPORT_FOLDERS); nothing was imported."""


class NoFile(Refusal):
    """No file was chosen; nothing was kept."""


class PieceTooLarge(Refusal):
    """A piece of an upload has at most {limit} MB; it was not written. Send smaller ones."""

    status = 413


@dataclass(frozen=True)
class Arrival:
    """The fields of one request, and the file or folder to import with its name and format, or why there is none.

    `transfer` is the key of an upload that came in pieces; it stays until an import has taken it.
    """

    fields: dict[str, str]
    path: Path = field(default_factory=Path)
    name: str = ""
    format: str = ""
    transfer: str = ""
    # The id of a data set of the Hub: it is fetched to `path` by a worker, and looked at then.
    hub: str = ""
    # Files that came with it and that no import reads, by their names.
    aside: Sequence[str] = ()
    refusal: Refusal | None = None
    # Why it cannot be read until somebody chooses its encoding or says what its column is; a page can ask for that.
    doubt: Refusal | None = None

    def require(self, *, undoubted: bool = True) -> Arrival:
        """Itself. Raises what is wrong with it; without `undoubted` not what a page asks for next."""
        refusal = self.refusal or (self.doubt if undoubted else None)
        if refusal is not None:
            raise refusal
        return self


async def received(request: Request, slug: str) -> AsyncIterator[Arrival]:
    """What the request brought; files that came with it are removed if it fails.

    Who sends it is asked in a transaction of its own; the route declares its permission as well.
    """
    settings: Settings = request.app.state.settings
    access = await run_in_threadpool(_member, request, slug)
    upload = await receive(request, settings)
    try:
        arrival = await run_in_threadpool(_looked_at, request, access, upload)
        if arrival.refusal is not None:
            _forget(settings, upload)
        yield arrival
    except BaseException:
        _forget(settings, upload)
        raise


def _forget(settings: Settings, upload: Upload) -> None:
    if upload.path is not None:
        uploads.forget(settings, upload.path)


def _member(request: Request, slug: str) -> ProjectAccess:
    with request.app.state.database.reading() as session:
        return Member(Role.ANNOTATOR)(request, slug, session)


def _looked_at(request: Request, access: ProjectAccess, upload: Upload) -> Arrival:
    settings: Settings = request.app.state.settings
    typed, transfer = (upload.fields.get(key, "").strip() for key in ("path", "upload"))
    transfer = "" if typed else transfer
    try:
        if upload.refusal is not None:
            raise upload.refusal
        if asked := upload.fields.get("hub", "").strip():
            wanted = hub_id(asked)
            return Arrival(upload.fields, new_folder(settings), wanted.name, "auto", hub=str(wanted))
        path, name, aside = _chosen(request, access, upload, typed, transfer)
        told = "table" if upload.fields.get("format") == "table" else "auto"
        format, doubt = _recognised(settings, path, name, upload.fields.get("encoding") or "auto", told)
        return Arrival(upload.fields, path, name, format, transfer, aside=aside, doubt=doubt)
    except Refusal as refusal:
        return Arrival(upload.fields, transfer=transfer, refusal=refusal)


def _recognised(
    settings: Settings, path: Path, name: str, encoding: str, told: str = "auto"
) -> tuple[str, Refusal | None]:
    """The format of what came; where only its encoding or its column is in doubt, what it would be, and the refusal."""
    try:
        return _format_of(settings, path, name, encoding, told), None
    except BadInput as refusal:
        if encoding == "auto" and is_about_encoding(refusal.reason):
            for other in ("utf-16-le", "utf-16-be", "latin-1"):
                with suppress(BadInput):
                    return _format_of(settings, path, name, other), refusal
        if name.lower().endswith(TABLES) and first_table(_brought(settings, path, name, encoding), sheet=None):
            return "table", refusal
        raise


def _brought(settings: Settings, path: Path, name: str, encoding: str) -> Input:
    return brought(path, workspace_of(settings), encoding=encoding, name=name, sample_bytes=COUNTED)


def _format_of(settings: Settings, path: Path, name: str, encoding: str, told: str = "auto") -> str:
    found = _brought(settings, path, name, encoding)
    try:
        return recognise(found)
    except BadInput:
        # A list of prompts has one column, by which no table is known; here somebody says that it is one.
        if told == "auto":
            raise
        return recognise(found, told)


def _chosen(
    request: Request, access: ProjectAccess, upload: Upload, typed: str, transfer: str
) -> tuple[Path, str, Sequence[str]]:
    """The path to import, what it is called, and what of it is left aside; a path on the server is for leads."""
    settings: Settings = request.app.state.settings
    if typed:
        if access.role is not Role.ADMIN:
            raise NotOffered
        path = server_path(settings, typed)
        return path, path.name, ()
    if transfer:
        with request.app.state.database.reading() as session:
            own = transfers.own(session, access, transfer)
        return *transfers.complete(settings, own), transfers.aside_of(own)
    if upload.path is None:
        raise NoFile
    return upload.path, upload.name, upload.aside


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


async def piece_received(request: Request, slug: str, key: str, number: int, offset: int) -> int:
    """Write the piece that the request's body is, and say how many bytes of its file have arrived."""
    transfer = await run_in_threadpool(_own, request, slug, key)
    if offset < 0:
        raise NotFound("A file begins at byte 0.")
    data = bytearray()
    async for chunk in uploads.steady(request.stream()):
        data += chunk
        if len(data) > transfers.LARGEST_PIECE:
            raise PieceTooLarge(limit=transfers.LARGEST_PIECE >> 20)
    return await run_in_threadpool(
        transfers.append, request.app.state.settings, transfer, number, offset, bytes(data)
    )  # fmt: skip


def _own(request: Request, slug: str, key: str) -> Transfer:
    with request.app.state.database.reading() as session:
        return transfers.own(session, Member(Role.ANNOTATOR)(request, slug, session), key)
