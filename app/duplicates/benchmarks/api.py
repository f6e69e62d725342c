"""/api/v1: lists of benchmark prompts, what is near to them, and what was decided."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.documents import (
    NearBenchmarkOut,
    list_document,
    lists_document,
    match_documents,
    near_benchmark_document,
)
from app.duplicates.benchmarks.forms import ListForm, MatchIn
from app.duplicates.benchmarks.models import BenchmarkMatch, MatchVerdict
from app.duplicates.benchmarks.near import near_candidate
from app.duplicates.benchmarks.receiving import Sent, sent_list
from app.duplicates.means import Asking
from app.duplicates.models import Method
from app.errors import Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.projects.models import Split
from app.web.forms import check
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["benchmarks"], responses=REFUSALS)
# A program waits while a page would say that the model is being loaded.
PATIENCE = 20.0
Brought = Annotated[Sent, Depends(sent_list, scope="function")]


class ListOut(BaseModel):
    """A file of prompts that nothing may be trained on; its prompts are not given out."""

    id: int
    name: str
    licence: str | None
    url: str | None
    file_name: str
    sha256: str = Field(description="Of the file as it came.")
    records: int
    prompts: int = Field(description="Different ones.")
    created_at: datetime
    near: int = Field(description="Examples of train and dev that are near to one of them, undecided.")
    kept: int = Field(description="Examples that may stay beside one, for a reason.")


class ListsOut(BaseModel):
    """All lists of a project, and how many of its examples of train and dev were compared as they stand."""

    lists: list[ListOut]
    compared: int
    by_meaning: int = Field(description="Of these by meaning as well: without a vector words alone are compared.")
    examples: int


class ComparingOut(BaseModel):
    """The job that compares; it tells how far it is."""

    job_id: int


class MatchOut(BaseModel):
    """An example that is near to a listed prompt; null is what is kept out of sight."""

    id: int
    benchmark: str
    example: int
    split: Split
    turn: int | None = Field(description="Which of a dialogue's prompts.")
    method: Method | None
    score: float | None = Field(description="A cosine, for `lexical` the share of the wording, 1 for equal prompts.")
    line: int | None = Field(description="Of the file, where the listed prompt begins.")
    prompt: str | None
    verdict: MatchVerdict
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None


class MatchesOut(BaseModel):
    """One page of matches: what waits first, then the likest."""

    total: int
    page: int
    pages: int
    matches: list[MatchOut]


def _multipart() -> dict[str, Any]:
    # Read as a stream before the transaction opens, so FastAPI cannot describe it by itself.
    schema = ListForm.model_json_schema()
    words = "JSONL, JSON, CSV, TSV, Parquet, XLSX, or one prompt a line."
    file = {"type": "string", "format": "binary", "description": words}
    schema["properties"] = {"file": file, **schema["properties"]}
    schema["required"] = ["file", *schema.get("required", ())]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.get("/benchmarks", name="api:benchmarks")
def lists(access: Annotator, session: SessionDep) -> ListsOut:
    """The lists by their names."""
    return ListsOut.model_validate(lists_document(session, access.project.id))


@router.post("/benchmarks", name="api:add_benchmark", status_code=201, openapi_extra=_multipart())
def add(sent: Brought, access: Lead, session: SessionDep) -> ListOut:
    """Name a file's prompts as a benchmark; a worker compares every example with them."""
    posted = check(ListForm, dict(sent.fields))
    if posted.errors:
        raise Refusal(f"{next(iter(posted.errors.values()))} Nothing was kept.", errors=posted.errors)
    about = posted.value.model_dump()
    added, _ = operations.add_list(session, access.user, access.project, sent.require(), **about)
    return ListOut.model_validate(list_document(added))


@router.delete("/benchmarks/{list_id}", name="api:remove_benchmark", status_code=204)
def remove(access: Lead, session: SessionDep, list_id: int) -> None:
    """Take a list away with its prompts and all that was found near to them."""
    benchmark = found(session, queries.list_in(access.project.id, list_id))
    operations.remove_list(session, access.user, access.project, benchmark)


@router.post("/benchmarks/comparison", name="api:compare_benchmarks", status_code=201)
def compare(access: Annotator, session: SessionDep) -> ComparingOut:
    """Have what is new compared at once; a worker does so by itself within seconds of a save."""
    return ComparingOut(job_id=operations.start_comparing(session, access.user, access.project).id)


@router.get("/benchmarks/matches", name="api:benchmark_matches")
def matches(
    access: Annotator,
    session: SessionDep,
    benchmark: int | None = None,
    verdict: MatchVerdict | None = None,
    page: PageNumber = 1,
) -> MatchesOut:
    """The examples that are near to listed prompts: of all lists or one, all or with one verdict."""
    rows, pager = page_of(session, queries.matches_of(access.project.id, benchmark, verdict), page)
    shown = [MatchOut.model_validate(one) for one in match_documents(session, rows)]
    return MatchesOut(total=pager.total, page=pager.number, pages=pager.pages, matches=shown)


@router.post("/benchmarks/matches/{match_id}/decision", name="api:settle_benchmark_match")
def decide(access: Lead, session: SessionDep, match_id: int, decision: MatchIn) -> MatchOut:
    """Reject the example, or say why it may stay."""
    chosen = found(session, queries.match_in(access.project.id, match_id))
    operations.settle(session, access.user, access.project, chosen, decision.verdict, decision.reason)
    return _out(access, session, match_id)


@router.post("/benchmarks/matches/{match_id}/reversal", name="api:undo_benchmark_match")
def undo(access: Lead, session: SessionDep, match_id: int) -> MatchOut:
    """Open a match again and put back what its decision changed."""
    chosen = found(session, queries.match_in(access.project.id, match_id))
    operations.undo(session, access.user, access.project, chosen)
    return _out(access, session, match_id)


@router.get("/candidates/{candidate_id}/benchmarks", name="api:candidate_benchmarks")
def candidate(request: Request, access: Annotator, session: SessionDep, candidate_id: int) -> list[NearBenchmarkOut]:
    """The benchmarks that a candidate of the pool is near to."""
    chosen = found(session, queries.candidate_in(access.project.id, candidate_id))
    asking = Asking(request.app.state.database, request.app.state.settings, PATIENCE)
    near = near_candidate(session, asking, access.project.id, chosen)
    return [NearBenchmarkOut.model_validate(near_benchmark_document(one)) for one in near]


def _out(access: ProjectAccess, session: Session, match_id: int) -> MatchOut:
    session.flush()
    fresh: BenchmarkMatch = found(
        session, queries.match_in(access.project.id, match_id).execution_options(populate_existing=True)
    )  # fmt: skip
    [shown] = match_documents(session, [fresh])
    return MatchOut.model_validate(shown)
