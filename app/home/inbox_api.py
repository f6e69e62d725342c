"""/api/v1: one's own inbox."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from app.examples.labels import shown_title
from app.home.inbox import InboxItem, inbox_of
from app.projects.access import Annotator
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["home"], responses=REFUSALS)


class InboxItemOut(BaseModel):
    """One thing: returned, mentioned, handed, expiring or claimed."""

    kind: str
    example_id: int
    title: str
    words: str
    who: str
    at: datetime | None
    until: datetime | None


class InboxOut(BaseModel):
    """Everything that concerns one person; `waiting` counts what waits for an answer."""

    waiting: int
    items: list[InboxItemOut]


@router.get("/inbox", name="api:inbox")
def inbox(access: Annotator, session: SessionDep) -> InboxOut:
    """One's own inbox in this project."""
    found = inbox_of(session, access.user, access.project)
    return InboxOut(waiting=found.waiting, items=[document(item) for item in found.items])


def document(item: InboxItem) -> InboxItemOut:
    """One item as the API and the command line show it."""
    return InboxItemOut(**{**asdict(item), "title": shown_title(item.title)})
