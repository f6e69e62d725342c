"""/api/v1: how far a project is, the trail, and the description of the whole API."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.accounts import queries as accounts
from app.accounts.access import Admin, anyone
from app.home import composition, queries
from app.projects import queries as projects
from app.projects.access import Annotator
from app.web.refusals import REFUSALS, WORDS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["home"], responses=REFUSALS)


class SourceProgress(BaseModel):
    """One source of one split against its target."""

    source: str
    split: str
    title: str
    target: int
    approved: int
    review: int
    returned: int
    draft: int


class ProgressOut(BaseModel):
    """The set against its target, and what waits."""

    sources: list[SourceProgress]
    duplicates: int
    leaks: int


class TrailOut(BaseModel):
    """One entry of the trail."""

    id: int
    at: datetime
    actor_name: str
    action: str
    subject: str
    detail: dict[str, Any]


@router.get("/projects/{slug}/progress", name="api:progress")
def progress(access: Annotator, session: SessionDep) -> ProgressOut:
    """Examples by source, split and state against the target."""
    rows = composition.source_rows(
        session.scalars(projects.composition_of(access.project)), queries.counts(session, access.project)
    )
    leaks, _, pairs = queries.open_pairs(session, access.project)
    sources = [SourceProgress.model_validate(row, from_attributes=True) for row in rows]
    return ProgressOut(sources=sources, duplicates=pairs, leaks=leaks)


@router.get("/trail", name="api:trail")
def trail(
    _: Admin, session: SessionDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100, before: int | None = None
) -> list[TrailOut]:
    """Who did what, newest first; `before` is the id of the last entry seen."""
    rows = session.scalars(accounts.trail(before=before).limit(limit))
    return [TrailOut.model_validate(row, from_attributes=True) for row in rows]


@router.get("/openapi.json", name="api:openapi", dependencies=[anyone], include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The description of the API; every operation but this needs a token."""
    described: dict[str, Any] = request.app.openapi()
    bearer = {"type": "http", "scheme": "bearer", "description": "A token made on the account page."}
    described.setdefault("components", {})["securitySchemes"] = {"token": bearer}
    described["security"] = [{"token": []}]
    for operations in described["paths"].values():
        for operation in operations.values():
            operation["responses"] = {**_refusals(), **operation["responses"]}
    return described


def _refusals() -> dict[str, Any]:
    # Rooms may say more of their own; what every operation may answer is described for all.
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": words, "content": body} for status, words in WORDS.items()}
