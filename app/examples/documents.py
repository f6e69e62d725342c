"""An example as one JSON document, the same for the API and the command line."""

from typing import Any

from app.examples.models import Example, Revision


def example_document(example: Example, revision: Revision) -> dict[str, Any]:
    """An example with the words of one revision."""
    return {
        "id": example.id,
        "state": example.state.value,
        "split": example.split.value,
        "source": example.source,
        "language": example.language,
        "flags": list(example.flags),
        "revision": revision.number,
        "head": example.revision_number,
        "approved": example.approved_number,
        "title": revision.title,
        "messages": revision.messages,
        "content_hash": revision.content_hash,
        "author": revision.author.name if revision.author else None,
        "candidate": example.candidate_id,
        "licence": example.licence,
        "attribution": example.attribution,
        "verdict_words": example.verdict_words,
        "created_at": example.created_at.isoformat(),
        "changed_at": example.changed_at.isoformat(),
    }


def revision_document(revision: Revision) -> dict[str, Any]:
    """One revision."""
    return {
        "number": revision.number,
        "author": revision.author.name if revision.author else None,
        "note": revision.note,
        "messages": revision.messages,
        "content_hash": revision.content_hash,
        "created_at": revision.created_at.isoformat(),
    }
