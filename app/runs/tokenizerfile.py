"""A tokenizer.json that comes with a request: read and tried before the request's transaction opens."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.accounts.models import Role
from app.errors import Refusal
from app.projects.access import Member
from app.projects.tokenizers import MOST_BYTES, Checked, NoTokenizer, checked

# The file and its multipart, in bytes.
LARGEST_POST = MOST_BYTES + 100_000


@dataclass(frozen=True)
class Brought:
    """The name of the file and what it holds, or why it is refused."""

    name: str = ""
    file: Checked | None = None
    refusal: Refusal | None = None

    def require(self) -> Checked:
        """What it holds. Raises why it is refused."""
        if self.refusal is not None or self.file is None:
            raise self.refusal or NoTokenizer(reason="no file came")
        return self.file


async def brought_tokenizer(request: Request, slug: str) -> Brought:
    """The file of the field `file`; the route declares its permission as well, this one asks before it reads."""
    await run_in_threadpool(_require_lead, request, slug)
    async with request.form(max_files=1, max_fields=4) as data:
        file = data.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return Brought(refusal=NoTokenizer(reason="no file was chosen"))
        name, content = file.filename, await file.read(MOST_BYTES + 1)
    try:
        return Brought(name, await run_in_threadpool(checked, content))
    except NoTokenizer as refusal:
        return Brought(name, refusal=refusal)


def _require_lead(request: Request, slug: str) -> None:
    with request.app.state.database.reading() as session:
        Member(Role.ADMIN)(request, slug, session)
