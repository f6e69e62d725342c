"""/api/v1: scans for duplicates, pairs and decisions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.duplicates import operations, queries
from app.duplicates.documents import (
    cluster_documents,
    pair_documents,
    scan_document,
    texts_document,
    thresholds_document,
)
from app.duplicates.forms import ClusterIn, DecisionIn, JudgementIn, ScanIn
from app.duplicates.gathering import cluster_with, clusters_of
from app.duplicates.judging import judge
from app.duplicates.merge_forms import MergeIn
from app.duplicates.merging import merge as merge_pair
from app.duplicates.models import Method, On, Verdict
from app.duplicates.removing import removal_documents, removals_of
from app.duplicates.settling import settle_cluster
from app.duplicates.thresholds import readings_of
from app.examples.forms import MessageIn
from app.projects.access import Annotator
from app.web.found import found
from app.web.paging import PAGE_SIZE, PageNumber, Pager, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["duplicates"], responses=REFUSALS)


class MergedOut(BaseModel):
    """The example that took words of another text, and the revision that has them."""

    example: int
    revision: int


class TextOut(BaseModel):
    """One text of a pair as it stands now; a candidate has revision 0."""

    key: str
    example: int | None
    revision: int
    state: str
    messages: list[MessageIn]
    licence: str | None


class TextsOut(BaseModel):
    """Both texts of a pair; null is one that is gone."""

    left: TextOut | None
    right: TextOut | None


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
    reason: str | None = Field(
        description="What whoever decided said; of a leak whose sides were both kept never null."
    )
    rejected: str | None = Field(description="What the decision took out; an undo puts it back.")
    merged: MergedOut | None = Field(description="What took words of it, where the two were merged.")


class PairsOut(BaseModel):
    """One page of pairs: leaks first, then by score."""

    total: int
    page: int
    pages: int
    pairs: list[PairOut]


class ClusterOut(BaseModel):
    """Texts that are each paired with the first, by open pairs; `pair` names the cluster, `seen` exactly its texts."""

    pair: int
    texts: list[str | None]
    pairs: list[int]
    on: On
    method: Method | None
    score: float | None
    leak: bool
    seen: str


class ClustersOut(BaseModel):
    """One page of clusters: leaks first, then by score."""

    total: int
    page: int
    pages: int
    clusters: list[ClusterOut]


class ShareOut(BaseModel):
    """A share with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float


class ReadingOut(BaseModel):
    """What a threshold finds: `precision` of it is the same, and `recall` of the same it finds, by judged pairs."""

    from_: float = Field(alias="from")
    pairs: int
    precision: ShareOut | None
    recall: ShareOut | None
    known_copies: ShareOut | None = Field(description="Of the pairs that their site closed as copies, what it finds.")


class ToJudgeOut(BaseModel):
    """A pair that nobody judged."""

    left: str
    right: str
    score: float


class ThresholdsOut(BaseModel):
    """What the last look counted by one method, and pairs to judge, the nearest to its threshold first."""

    method: Method
    threshold: float
    floor: float
    judged: int
    same: int
    known_copies: int
    readings: list[ReadingOut]
    to_judge: list[ToJudgeOut]


class RemovalOut(BaseModel):
    """A text that a decision took out and the copy that was kept; null is what is gone or kept out of sight."""

    removed: str | None
    kept: str | None
    prompt: str | None
    response: str | None
    kept_prompt: str | None
    kept_response: str | None
    method: Method | None
    score: float | None
    on: On
    leak: bool
    why: str | None
    decided_by: str | None
    decided_at: datetime | None
    pair: int
    merged: int | None = Field(description="The revision of the kept one that took words of it.")


class RemovalsOut(BaseModel):
    """One page of removals, the newest first."""

    total: int
    page: int
    pages: int
    removals: list[RemovalOut]


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
        session, access.user, access.project, methods=wanted.methods, on=wanted.on, threshold=wanted.threshold,
        wording=wanted.lexical_threshold,
    )  # fmt: skip
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


@router.get("/projects/{slug}/duplicates/clusters", name="api:duplicate_clusters")
def clusters(
    access: Annotator,
    session: SessionDep,
    threshold: Annotated[float, Query(ge=0, le=1)] = 0.0,
    page: PageNumber = 1,
) -> ClustersOut:
    """The clusters of open pairs, from a threshold on."""
    found_clusters = clusters_of(session, access.project.id, threshold)
    pages = max(1, -(-len(found_clusters) // PAGE_SIZE))
    pager = Pager(min(page, pages), len(found_clusters))
    part = found_clusters[(pager.number - 1) * PAGE_SIZE : pager.number * PAGE_SIZE]
    shown = [ClusterOut.model_validate(one) for one in cluster_documents(session, access.project.id, part)]
    return ClustersOut(total=pager.total, page=pager.number, pages=pager.pages, clusters=shown)


@router.get("/projects/{slug}/duplicates/thresholds", name="api:duplicate_thresholds")
def thresholds(
    access: Annotator, session: SessionDep, method: Literal[Method.EMBEDDING, Method.LEXICAL] = Method.EMBEDDING
) -> ThresholdsOut:
    """What each threshold finds of the pairs that were judged, and pairs to judge."""
    document = thresholds_document(readings_of(session, access.project.id, method))
    return ThresholdsOut.model_validate(document)


@router.post("/projects/{slug}/duplicates/judgements", name="api:judge_duplicate", status_code=201)
def judgement(access: Annotator, session: SessionDep, said: JudgementIn) -> PairOut:
    """Say whether two texts are the same: different keeps both, the same leaves the pair open among the duplicates."""
    same = said.verdict == "same"
    pair = judge(session, access.user, access.project, said.left, said.right, said.on, same=same)
    return _out(access, session, pair.id)


@router.get("/projects/{slug}/duplicates/removed", name="api:removed_duplicates")
def removed(access: Annotator, session: SessionDep, page: PageNumber = 1) -> RemovalsOut:
    """What decisions took out, with the copies that were kept, the newest first."""
    rows, pager = page_of(session, removals_of(access.project.id), page)
    shown = [RemovalOut.model_validate(one) for one in removal_documents(session, access.project.id, rows)]
    return RemovalsOut(total=pager.total, page=pager.number, pages=pager.pages, removals=shown)


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


@router.post("/projects/{slug}/duplicates/{pair_id}/cluster", name="api:settle_duplicates")
def settle(access: Annotator, session: SessionDep, pair_id: int, decision: ClusterIn) -> PairOut:
    """Settle the whole cluster of an open pair; gives the pair whose reversal opens all of it again."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    cluster = cluster_with(clusters_of(session, access.project.id), chosen)
    seen = decision.seen or ""
    leader = settle_cluster(session, access.user, access.project, cluster, decision.keep, decision.reason, seen=seen)
    return _out(access, session, leader.id)


@router.get("/projects/{slug}/duplicates/{pair_id}/texts", name="api:duplicate_texts")
def texts(access: Annotator, session: SessionDep, pair_id: int) -> TextsOut:
    """Both texts of a pair with their words as they stand now: what a merge chooses from."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    return TextsOut.model_validate(texts_document(session, access.project.id, chosen))


@router.post("/projects/{slug}/duplicates/{pair_id}/merge", name="api:merge_duplicates")
def merge(access: Annotator, session: SessionDep, pair_id: int, wanted: MergeIn) -> PairOut:
    """Keep one with these words as its new revision, reject the other; gives the pair whose reversal takes it back."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    cluster = cluster_with(clusters_of(session, access.project.id), chosen) if wanted.cluster else None
    leader = merge_pair(session, access.user, access.project, chosen, wanted.merging(cluster))
    return _out(access, session, leader.id)


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
