"""Pairs and scans as plain documents: the API and the command line print the same."""

from typing import Any

from app.duplicates.models import DuplicatePair, DuplicateScan


def pair_document(pair: DuplicatePair) -> dict[str, Any]:
    """A pair with its decision; it must have been loaded with who decided it."""
    return {
        "id": pair.id,
        **report_line(pair),
        "on": pair.on.value,
        "verdict": pair.verdict.value,
        "decided_by": pair.decider.name if pair.decider else None,
        "decided_at": pair.decided_at.isoformat() if pair.decided_at else None,
        "reason": pair.kept_because or None,
        "rejected": _rejected(pair),
    }


def _rejected(pair: DuplicatePair) -> str | None:
    """What the decision took out."""
    for kind in ("candidate", "example"):
        if kind in pair.effect:
            return pair.left_key if pair.verdict.value == "keep_right" else pair.right_key
    return None


def report_line(pair: DuplicatePair) -> dict[str, Any]:
    """A line of `dedup --report`; its keys are a contract."""
    return {
        "left": pair.left_key,
        "right": pair.right_key,
        "method": pair.method.value,
        "score": pair.score,
        "leak": pair.leak,
    }


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
        "result": scan.result,
    }
