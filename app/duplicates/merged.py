"""The kept one of a merge: its words, its licence and its credit, written and taken back.

A candidate's words are its source's and never change, so one that is kept becomes an example, as when it is picked from
the pool; its own words are the first revision. Its claim stays whose it was: whoever merges takes nothing over.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.duplicates.sides import Side
from app.errors import Conflict, Refusal
from app.examples import operations as examples
from app.examples import queries
from app.examples.credit import merged_credit
from app.examples.messages import Message, same_messages
from app.examples.models import Example, ExampleState
from app.sources.models import Candidate

LONGEST_LICENCE = 80
LONGEST_NOTE = 300


class NothingTaken(Refusal):
    """These are the words of the text that is kept, so there is nothing to merge. Take something of the other or write it anew, or keep the one as it is; nothing was changed."""  # noqa: E501


class LicencesTooLong(Refusal):
    """Together the two texts would be under “{licence}”, and a licence has at most {longest} characters. Shorten one of them first; nothing was merged."""  # noqa: E501


class EditedSince(Conflict):
    """Example {example} was changed or rejected since this merge, and an undo would write over that. Nothing was changed: undo that first, or bring its earlier words back from its history."""  # noqa: E501


def write_merged(
    session: Session, actor: User, kept: Side, other: Side, messages: Sequence[Message], reason: str
) -> dict[str, Any]:
    """Give the kept one the merged words as its next revision, with the credit of both; what to remember for an undo.

    Raises NothingTaken, LicencesTooLong, and what `save_revision` raises.
    """
    assert kept.row is not None
    assert other.row is not None
    note = f"merged with {_name(other)}{': ' if reason else ''}{reason}"[:LONGEST_NOTE]
    made = isinstance(kept.row, Candidate)
    example = examples.example_from_candidate(session, actor, kept.row) if isinstance(kept.row, Candidate) else kept.row
    before = _standing(example)
    _save(session, actor, example, messages, note)
    if example.revision_number == before["revision"]:
        raise NothingTaken
    example.licence, example.attribution = merged_credit(example, other.row)
    if len(example.licence or "") > LONGEST_LICENCE:
        raise LicencesTooLong(licence=example.licence, longest=LONGEST_LICENCE)
    session.flush()
    return {"example": example.id, "before": before, "after": _standing(example), "made": made}


def _name(side: Side) -> str:
    return f"example {side.row.id}" if isinstance(side.row, Example) else side.key.replace(":", " ", 1)


def _save(session: Session, actor: User, example: Example, messages: Sequence[Message], note: str) -> None:
    held = example.claimed_by, example.claimed_until
    examples.save_revision(session, actor, example, based_on=example.revision_number, messages=messages, note=note)
    example.claimed_by, example.claimed_until = held


def take_back(session: Session, actor: User, merged: Mapping[str, Any]) -> None:
    """Bring the earlier words, licence and credit back: as a further revision, or by putting the candidate back.

    Raises EditedSince where anybody has changed the example since, or has rejected it.
    """
    example = session.get(Example, merged["example"], with_for_update=True, populate_existing=True)
    before, after = merged["before"], merged["after"]
    if example is None or not _stands_as_merged(session, example, after):
        raise EditedSince(example=merged["example"])
    if merged["made"]:
        with suppress(examples.WorkedOn):
            examples.put_back(session, actor, example, revision=after["revision"])
            return
    old = queries.revision(session, example, before["revision"])
    assert old is not None
    _save(session, actor, example, old.messages, f"revision {old.number} brought back: the merge was undone")
    example.licence, example.attribution = before["licence"], before["attribution"]


def _stands_as_merged(session: Session, example: Example, after: Mapping[str, Any]) -> bool:
    """Whether it says what the merge left; a later merge that was undone by now has made revisions in between."""
    written, head = queries.revision(session, example, after["revision"]), queries.head_revision(session, example)
    same = written is not None and same_messages(written.messages, head.messages)
    credit = (example.licence, example.attribution) == (after["licence"], after["attribution"])
    return same and credit and example.state is not ExampleState.REJECTED


def _standing(example: Example) -> dict[str, Any]:
    return {"revision": example.revision_number, "licence": example.licence, "attribution": example.attribution}
