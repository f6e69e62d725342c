"""Pairs and scans as plain documents: the API and the command line print the same."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.benchmarks.documents import near_benchmark_document
from app.duplicates.benchmarks.near import NearBenchmark
from app.duplicates.calibrating import Share
from app.duplicates.gathering import Cluster
from app.duplicates.models import DuplicatePair, DuplicateScan
from app.duplicates.nearness import Near, Nearness
from app.duplicates.queries import Member
from app.duplicates.seeking import Hit, Sought
from app.duplicates.thresholds import Readings


def texts_document(session: Session, project_id: int, pair: DuplicatePair) -> dict[str, Any]:
    """Both texts of a pair as they stand now, to be merged."""
    found = queries.standing_members(session, project_id, (pair.left_key, pair.right_key))
    return {"left": _text(pair.left_key, found), "right": _text(pair.right_key, found)}


def _text(key: str, found: Mapping[str, Member]) -> dict[str, Any] | None:
    member = found.get(key)
    if member is None:
        return None
    return {
        "key": key,
        "example": member.id if member.revision else None,
        "revision": member.revision,
        "state": member.state,
        "messages": list(member.messages),
        "licence": member.licence,
    }


def pair_documents(session: Session, project_id: int, pairs: Sequence[DuplicatePair]) -> list[dict[str, Any]]:
    """Pairs with their decisions; they must have been loaded with who decided them."""
    kept_out = _kept_out(session, project_id, pairs)
    return [_pair_document(pair, kept_out) for pair in pairs]


def report_lines(session: Session, project_id: int, pairs: Sequence[DuplicatePair]) -> list[dict[str, Any]]:
    """The lines of `dedup --report`; their keys are a contract."""
    kept_out = _kept_out(session, project_id, pairs)
    return [_report_line(pair, kept_out) for pair in pairs]


def _kept_out(session: Session, project_id: int, pairs: Sequence[DuplicatePair]) -> set[str]:
    return queries.out_of_sight(session, project_id, [key for pair in pairs for key in (pair.left_key, pair.right_key)])


def _pair_document(pair: DuplicatePair, kept_out: Collection[str]) -> dict[str, Any]:
    rejected = _rejected(pair)
    return {
        "id": pair.id,
        **_report_line(pair, kept_out),
        "on": pair.on.value,
        "verdict": pair.verdict.value,
        "decided_by": pair.decider.name if pair.decider else None,
        "decided_at": pair.decided_at.isoformat() if pair.decided_at else None,
        "reason": pair.reason or None,
        "rejected": None if rejected in kept_out else rejected,
        "merged": _merged(pair, kept_out),
    }


def _merged(pair: DuplicatePair, kept_out: Collection[str]) -> dict[str, int] | None:
    """The example that took words of what was rejected, and the revision that has them."""
    merged = pair.effect.get("merged")
    if not merged or pair.left_key in kept_out or pair.right_key in kept_out:
        return None
    return {"example": merged["example"], "revision": merged["after"]["revision"]}


def _rejected(pair: DuplicatePair) -> str | None:
    """What the decision took out."""
    for kind in ("candidate", "example"):
        if kind in pair.effect:
            return pair.left_key if pair.verdict.value == "keep_right" else pair.right_key
    return None


def _report_line(pair: DuplicatePair, kept_out: Collection[str]) -> dict[str, Any]:
    """Of a test prompt that is kept out of sight nothing is told but that it is there."""
    left, right = (None if key in kept_out else key for key in (pair.left_key, pair.right_key))
    told = left is not None and right is not None
    return {
        "left": left,
        "right": right,
        "method": pair.method.value if told else None,
        "score": pair.score if told else None,
        "leak": pair.leak,
    }


def cluster_documents(session: Session, project_id: int, clusters: Sequence[Cluster]) -> list[dict[str, Any]]:
    """Clusters by their keys; of a test prompt that is kept out of sight nothing is told but that it is there."""
    kept_out = queries.out_of_sight(session, project_id, {key for cluster in clusters for key in cluster.members})
    return [_cluster_document(cluster, kept_out) for cluster in clusters]


def _cluster_document(cluster: Cluster, kept_out: Collection[str]) -> dict[str, Any]:
    head = cluster.head
    told = {head.left, head.right}.isdisjoint(kept_out)
    return {
        "pair": head.id,
        "texts": [None if key in kept_out else key for key in cluster.members],
        "pairs": [edge.id for edge in cluster.pairs],
        "on": head.on.value,
        "method": head.method.value if told else None,
        "score": head.score if told else None,
        "leak": cluster.leak,
        "seen": cluster.seen,
    }


def thresholds_document(read: Readings) -> dict[str, Any]:
    """What each threshold finds, by one method."""
    return {
        "method": read.method.value,
        "threshold": read.used / 100,
        "floor": read.floor / 100,
        "judged": read.judged,
        "same": read.same,
        "known_copies": read.links,
        "readings": [
            {
                "from": one.at / 100,
                "pairs": one.pairs,
                "precision": _share(one.precision),
                "recall": _share(one.recall),
                "known_copies": _share(one.links),
            }
            for one in read.readings
        ],
        "to_judge": [{"left": left, "right": right, "score": score} for left, right, score in read.ready],
    }


def _share(share: Share | None) -> dict[str, float] | None:
    return None if share is None else {name: round(value, 4) for name, value in asdict(share).items()}


def scan_document(scan: DuplicateScan) -> dict[str, Any]:
    """A scan; `result` is empty until it is done."""
    return {
        "id": scan.id,
        "job_id": scan.job_id,
        "methods": scan.methods,
        "on": scan.on.value,
        "threshold": scan.threshold,
        "created_at": scan.created_at.isoformat(),
        "finished_at": scan.finished_at.isoformat() if scan.finished_at else None,
        "result": result_document(scan),
    }


def result_document(scan: DuplicateScan) -> dict[str, Any]:
    """What a scan found, without what only the page of thresholds reads."""
    return {key: value for key, value in scan.result.items() if key != "standing"}


def sought_document(sought: Sought) -> dict[str, Any]:
    """What a search by words and by meaning found."""
    return {
        "hits": [_hit_document(hit) for hit in sought.hits],
        "waiting": sought.waiting,
        "total": sought.total,
        "under_way": sought.under_way,
        "reason": sought.reason,
    }


def _hit_document(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "title": "".join(piece.text for piece in hit.title),
        "passage": "".join(piece.text for piece in hit.snippet),
        "source": hit.source,
        "state": hit.state.value,
        "split": hit.split,
        "language": hit.language,
        "by": hit.by,
        "changed_at": hit.changed_at.isoformat(),
        "ways": list(hit.ways),
        "cosine": None if hit.cosine is None else round(hit.cosine, 6),
    }


def near_document(found: Nearness, benchmarks: Sequence[NearBenchmark] = ()) -> dict[str, Any]:
    """What a prompt is near to, in the project and among the prompts of its benchmarks."""
    return {
        "benchmarks": [near_benchmark_document(one) for one in benchmarks],
        "threshold": found.threshold,
        "wording": found.wording,
        "near": [_near_row(one) for one in found.near],
        "more": found.more,
        "under_way": found.under_way,
        "reason": found.reason,
    }


def _near_row(one: Near) -> dict[str, Any]:
    """One of them; of what is kept out of sight neither its words nor how near it is, which would tell them."""
    seen = not one.kept_out
    return {
        "id": one.example_id if seen else None,
        "method": one.method.value if seen else None,
        "score": round(one.score, 6) if seen else None,
        "leak": one.leak,
        "counts": one.counts,
        "split": one.split,
        "state": one.state if seen else None,
        "prompt": one.prompt if seen else None,
        "kept_out": one.kept_out,
    }
