"""/api/v1: rows of versions, and the way from and to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.datasets.canonical import PREFIX
from app.datasets.operations import version_named
from app.datasets.tracing.documents import trace_document
from app.datasets.tracing.forms import RowsQuery
from app.datasets.tracing.heldpage import holding_of
from app.datasets.tracing.tracing import page_of_rows, row_at, shares_of_import, trace_row
from app.errors import NotFound
from app.examples.queries import example_of_candidate
from app.projects.access import Annotator
from app.selection.queries import candidate_in
from app.sources.queries import published_import_of
from app.web.found import found
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class RowOut(BaseModel):
    """A row in a list; its words are at its own address."""

    row: int = Field(description="Its line in examples.jsonl, from 1.")
    sha256: str
    split: str
    source: str
    example: int
    revision: int


class RowsOut(BaseModel):
    """A page of rows in the order of examples.jsonl."""

    total: int
    page: int
    rows: list[RowOut]


class HeldOut(BaseModel):
    """A row that was frozen from the example."""

    version: str
    id: str
    frozen_at: str
    row: int
    example: int
    revision: int
    split: str
    sha256: str


class HoldingOut(BaseModel):
    """The versions that hold an example, the newest first; `there` is false where the example itself is gone."""

    example: int
    there: bool
    versions: list[HeldOut]


class ShareOut(BaseModel):
    """How many rows of a version an import brought, by split, of how many."""

    version: str
    id: str
    rows: dict[str, int]
    total: int


class SharesOut(BaseModel):
    """The versions that hold rows of an import, the newest first."""

    import_id: int
    versions: list[ShareOut]


@router.get("/versions/{name}/rows", name="api:version_rows")
def rows(session: SessionDep, access: Annotator, name: str, wanted: Annotated[RowsQuery, Query()]) -> RowsOut:
    """The rows of a version, all or those that fit."""
    shown, pager = page_of_rows(session, version_named(session, access.project, name), wanted.as_filter, wanted.page)
    listed = [
        RowOut(
            row=one.position + 1, sha256=PREFIX + one.sha256, split=one.split.value, source=one.source,
            example=one.example_id, revision=one.revision_number,
        )
        for one in shown
    ]  # fmt: skip
    return RowsOut(total=pager.total, page=pager.number, rows=listed)


@router.get("/versions/{name}/rows/{position}", name="api:trace_row")
def row(session: SessionDep, access: Annotator, name: str, position: int) -> dict[str, Any]:
    """One row with its words and raw line, its example, revisions, reviews, origin, and all versions that hold it."""
    version = version_named(session, access.project, name)
    trace = trace_row(session, access.project, version, row_at(session, version, position))
    return trace_document(access.project.slug, trace)


@router.get("/examples/{example_id}/versions", name="api:versions_that_hold")
def held(session: SessionDep, access: Annotator, example_id: int) -> HoldingOut:
    """The versions that hold an example."""
    return HoldingOut.model_validate(holding_of(session, access.project, example_id).document())


@router.get("/candidates/{candidate_id}/versions", name="api:versions_of_candidate")
def of_candidate(session: SessionDep, access: Annotator, candidate_id: int) -> HoldingOut:
    """The versions that hold the example that a candidate was turned into."""
    candidate = candidate_in(session, access.project.id, candidate_id)
    example = example_of_candidate(session, candidate.id)
    if example is None:
        raise NotFound(f"Candidate {candidate_id} was turned into no example, so no version holds it.")
    return HoldingOut.model_validate(holding_of(session, access.project, example.id).document())


@router.get("/imports/{import_id}/versions", name="api:versions_of_import")
def of_import(session: SessionDep, access: Annotator, import_id: int) -> SharesOut:
    """The versions that hold rows of an import."""
    run = found(session, published_import_of(access.project.id, import_id))
    shares = shares_of_import(session, access.project, run.id)
    listed = [ShareOut.model_validate(one.document()) for one in shares]
    return SharesOut(import_id=run.id, versions=listed)
