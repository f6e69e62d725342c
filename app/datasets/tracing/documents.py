"""A trace as one JSON document, the same for the API and the command line."""

from typing import Any

from app.datasets.canonical import PREFIX, version_id
from app.datasets.told import told_in
from app.datasets.tracing.pages import author_of, changes_of, differs_of
from app.datasets.tracing.tracing import Origin, Trace
from app.examples.models import Revision


def trace_document(slug: str, trace: Trace) -> dict[str, Any]:
    """A row of a version with its words and the raw line, and everything behind it; what is gone is null."""
    row, words = trace.row, trace.words
    return {
        "version": trace.version.name,
        "reference": f"{slug}@{trace.version.name}",
        "id": version_id(trace.version.sha256),
        "row": trace.position,
        "sha256": PREFIX + row.sha256,
        "split": row.split.value,
        "source": row.source,
        "messages": words["messages"],
        "licence": words["licence"],
        "attribution": words["attribution"],
        **told_in(words),
        "line": row.line,
        "example_id": row.example_id,
        "revision": row.revision_number,
        "now": trace.now,
        "example": _example(trace),
        "revisions": [_revision(trace, one) for one in trace.revisions],
        "origin": _origin(trace.origin),
        "versions": [one.document() for one in trace.held],
    }


def _example(trace: Trace) -> dict[str, Any] | None:
    example = trace.example
    if example is None:
        return None
    changes = [
        {"turn": turn.title, "changes": [{"kind": one.kind, "text": one.text} for one in turn.segments]}
        for turn in changes_of(trace)
    ]
    return {
        "id": example.id,
        "state": example.state.value,
        "split": example.split.value,
        "revision": example.revision_number,
        "approved": example.approved_number,
        "changes": changes,
        "differs": differs_of(trace, example),
    }


def _revision(trace: Trace, revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "frozen": revision.number == trace.row.revision_number,
        "author": author_of(trace, revision),
        "at": revision.created_at.isoformat(),
        "note": revision.note,
        "help": revision.help or [],
        "reviews": [
            {
                "verdict": one.verdict.value,
                "reviewer": one.reviewer.name if one.reviewer else None,
                "at": one.created_at.isoformat(),
                "words": one.words,
            }
            for one in reversed(trace.reviews)
            if one.revision_number == revision.number
        ],
    }


def _origin(origin: Origin) -> dict[str, Any]:
    candidate, run, record, drawn = origin.candidate, origin.import_run, origin.record, origin.sampling
    return {
        "candidate": {"id": candidate.id, "site": candidate.site, "external_id": candidate.external_id}
        if candidate
        else None,
        "import": {"id": run.id, "name": run.name, "ruleset": run.ruleset_hash} if run else None,
        "record": {"number": record.number, "line": record.line, "external_id": record.external_id} if record else None,
        "sampling": {"plan": str(drawn.plan["name"]), "plan_sha256": drawn.plan_sha256, "seed": drawn.seed}
        if drawn
        else None,
    }
