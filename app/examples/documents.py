"""An example as one JSON document, the same for the API and the command line."""

from typing import Any

from app.examples.merging import Merge
from app.examples.models import Example, Revision, WorkingCopy


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


def copy_document(copy: WorkingCopy) -> dict[str, Any]:
    """A working copy."""
    told = {name: str(copy.description.get(name, "")) for name in ("split", "source", "language", "flags")}
    return {
        "example": copy.example_id,
        "creation_key": copy.creation_key,
        "counter": copy.counter,
        "based_on": copy.based_on,
        "messages": copy.messages,
        **told,
        "changed_at": copy.changed_at.isoformat(),
    }


def merge_document(merge: Merge) -> dict[str, Any]:
    """Two people's words joined: the texts with one's own words in each conflict, and the conflicts."""
    turns = merge.with_choices({})
    spoken = [
        {"role": "user" if index % 2 == 0 else "assistant", "content": text} for index, text in enumerate(turns.spoken)
    ]
    system = [{"role": "system", "content": turns.system}] if turns.system.strip() else []
    conflicts = [
        {"turn": one.turn, "base": one.base, "mine": one.mine, "theirs": one.theirs} for one in merge.conflicts
    ]
    return {"messages": [*system, *spoken], "conflicts": conflicts}
