"""An example as one JSON document, the same for the API and the command line."""

from typing import Any

from app.examples.copy_forms import DESCRIBED
from app.examples.merging import Merge
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.roles import FLAGS, roles_of
from app.examples.searching import told
from app.text.search import Wanted


def example_document(example: Example, revision: Revision) -> dict[str, Any]:
    """An example with the words of one revision."""
    return {
        "id": example.id,
        "state": example.state.value,
        "split": example.split.value,
        "source": example.source,
        "language": example.language,
        "flags": list(example.flags),
        **roles_of(example).document(),
        "translation_of": example.translation_of_id,
        "translation_seen": example.translation_seen,
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


def found_document(head: Revision, looked_for: Wanted) -> dict[str, Any]:
    """An example in a list, with the place where its newest revision says what was looked for."""
    title, snippet = told(head, looked_for)
    pieces = snippet or (title if looked_for.all else ())
    marked = [{"text": piece.text, "hit": piece.hit} for piece in pieces]
    return {**example_document(head.example, head), "snippet": marked}


def revision_document(revision: Revision) -> dict[str, Any]:
    """One revision."""
    return {
        "number": revision.number,
        "author": revision.author.name if revision.author else None,
        "note": revision.note,
        "messages": revision.messages,
        "content_hash": revision.content_hash,
        "help": revision.help or [],
        "created_at": revision.created_at.isoformat(),
    }


def copy_document(copy: WorkingCopy) -> dict[str, Any]:
    """A working copy."""
    told = {name: str(copy.description.get(name, "")) for name in DESCRIBED}
    ticked = {flag: bool(copy.description.get(flag)) for flag in FLAGS}
    return {
        "example": copy.example_id,
        "creation_key": copy.creation_key,
        "counter": copy.counter,
        "based_on": copy.based_on,
        "messages": copy.messages,
        **told,
        **ticked,
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
