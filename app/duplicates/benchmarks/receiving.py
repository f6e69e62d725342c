"""A list that comes with a request: kept on disk as it comes, read before the request's transaction, and removed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.accounts.models import Role
from app.config import Settings
from app.duplicates.benchmarks.reading import Brought, UnfitList, read_list
from app.errors import Refusal
from app.projects.access import Member
from app.sources import uploads
from app.sources.uploads import Upload, receive


@dataclass(frozen=True)
class Sent:
    """The fields of the request, and what its file holds or why it is refused."""

    fields: Mapping[str, str]
    brought: Brought | None = None
    refusal: Refusal | None = None

    def require(self) -> Brought:
        """What it holds. Raises why it is refused."""
        if self.brought is None:
            raise self.refusal or UnfitList(reason="no file came")
        return self.brought


async def sent_list(request: Request, slug: str) -> AsyncIterator[Sent]:
    """What the request brought; the route declares its permission as well, this one asks before it reads."""
    settings: Settings = request.app.state.settings
    await run_in_threadpool(_require_lead, request, slug)
    upload = await receive(request, settings)
    try:
        yield await run_in_threadpool(_read, settings, upload)
    finally:
        if upload.path is not None:
            await run_in_threadpool(uploads.forget, settings, upload.path)


def _require_lead(request: Request, slug: str) -> None:
    with request.app.state.database.reading() as session:
        Member(Role.ADMIN)(request, slug, session)


def _read(settings: Settings, upload: Upload) -> Sent:
    try:
        if upload.refusal is not None:
            raise upload.refusal
        if upload.path is None or upload.path.is_dir():
            raise UnfitList(reason="no file was chosen" if upload.path is None else "give one file")
        return Sent(upload.fields, read_list(upload.path, upload.name, settings.max_record_mb << 20))
    except Refusal as refusal:
        return Sent(upload.fields, refusal=refusal)
