"""/api/v1: scans for duplicates, pairs and decisions."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.duplicates import operations, queries
from app.duplicates.documents import pair_documents, scan_document
from app.duplicates.forms import DecisionIn, ScanIn
from app.duplicates.models import Method, On, Verdict
from app.projects.access import Annotator
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["duplicates"], responses=REFUSALS)


class PairOut(BaseModel):
    """Two texts that look alike; keys are candidate:SITE/ID or example:ID.

    Of a pair with a test prompt that is kept out of sight its key, the method and the score are null.
    """

    id: int
    left: str | None
    right: str | None
    method: Method | None
    score: float | None = Field(
        description="Cosine, or for `lexical` the share of the wording; 1 for texts that are equal."
    )
    leak: bool = Field(description="One is trained on, the other held out.")
    on: On
    verdict: Verdict
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None = Field(description="Why both sides of a leak were kept.")
    rejected: str | None = Field(description="What the decision took out; an undo puts it back.")


class PairsOut(BaseModel):
    """One page of pairs: leaks first, then by score."""

    total: int
    page: int
    pages: int
    pairs: list[PairOut]


class ScanOut(BaseModel):
    """A look for duplicates; `result` is empty until it is done."""

    id: int
    job_id: int | None
    methods: list[Method]
    on: On
    threshold: float
    created_at: datetime
    finished_at: datetime | None
    result: dict[str, Any]


@router.post("/projects/{slug}/duplicates/scans", name="api:start_duplicate_scan", status_code=201)
def start(access: Annotator, session: SessionDep, wanted: ScanIn) -> ScanOut:
    """Look for duplicates; a worker does it, its job tells how far it is."""
    scan = operations.start_scan(
        session, access.user, access.project, methods=wanted.methods, on=wanted.on, threshold=wanted.threshold
    )
    return ScanOut.model_validate(scan_document(scan))


@router.get("/projects/{slug}/duplicates/scans/{scan_id}", name="api:duplicate_scan")
def scan(access: Annotator, session: SessionDep, scan_id: int) -> ScanOut:
    """A scan and, once it is done, its result."""
    return ScanOut.model_validate(scan_document(found(session, queries.scan_in(access.project.id, scan_id))))


@router.get("/projects/{slug}/duplicates", name="api:duplicates")
def pairs(
    access: Annotator,
    session: SessionDep,
    verdict: Verdict | None = None,
    threshold: Annotated[float, Query(ge=0, le=1)] = 0.0,
    page: PageNumber = 1,
) -> PairsOut:
    """The pairs of a project, all or with one verdict, from a threshold on."""
    rows, pager = page_of(session, queries.listed(session, access.project.id, verdict, threshold), page)
    shown = [PairOut.model_validate(one) for one in pair_documents(session, access.project.id, rows)]
    return PairsOut(total=pager.total, page=pager.number, pages=pager.pages, pairs=shown)


@router.get("/projects/{slug}/duplicates/{pair_id}", name="api:duplicate")
def pair(access: Annotator, session: SessionDep, pair_id: int) -> PairOut:
    """One pair."""
    return _out(access, session, pair_id)


@router.post("/projects/{slug}/duplicates/{pair_id}/decision", name="api:decide_duplicate")
def decide(access: Annotator, session: SessionDep, pair_id: int, decision: DecisionIn) -> PairOut:
    """Settle a pair: keeping one rejects the other; keeping both of a leak asks for a reason."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    operations.decide(session, access.user, access.project, chosen, decision.verdict, decision.reason)
    return _out(access, session, pair_id)


@router.post("/projects/{slug}/duplicates/{pair_id}/reversal", name="api:undo_duplicate")
def undo(access: Annotator, session: SessionDep, pair_id: int) -> PairOut:
    """Open a pair again and put back what its decision changed."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    operations.undo(session, access.user, access.project, chosen)
    return _out(access, session, pair_id)


def _out(access: Annotator, session: SessionDep, pair_id: int) -> PairOut:
    # Loaded anew: who decided has changed under the session's feet.
    session.flush()
    fresh = queries.pair_in(access.project.id, pair_id).execution_options(populate_existing=True)
    [shown] = pair_documents(session, access.project.id, [found(session, fresh)])
    return PairOut.model_validate(shown)
