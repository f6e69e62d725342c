"""The two sides of a pair as rows that can be taken out and put back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import now
from app.duplicates.models import DuplicatePair
from app.duplicates.texts import Kind, example_key, parsed, place
from app.examples.models import Example, ExampleState
from app.sources.models import Candidate, CandidateStatus


@dataclass(frozen=True)
class Side:
    """What a key stands for now: the candidate, or the example that was made from it since; None if it is gone."""

    key: str
    row: Candidate | Example | None

    @property
    def keys(self) -> set[str]:
        """All keys that name it."""
        return {self.key, example_key(self.row.id)} if isinstance(self.row, Example) else {self.key}

    @property
    def revision(self) -> int:
        """The number of its newest words; 0 of a candidate, whose words never change."""
        return self.row.revision_number if isinstance(self.row, Example) else 0

    @property
    def live(self) -> bool:
        """Whether it is there and not rejected."""
        if isinstance(self.row, Candidate):
            return self.row.status is not CandidateStatus.REJECTED
        return self.row is not None and self.row.state is not ExampleState.REJECTED


def locked_sides(session: Session, pair: DuplicatePair) -> tuple[Side, Side]:
    """Both sides, held until the transaction ends: candidates first, then examples, so that nobody waits in a ring."""
    sides = locked_texts(session, pair.project_id, (pair.left_key, pair.right_key))
    return sides[pair.left_key], sides[pair.right_key]


def locked_texts(session: Session, project_id: int, keys: Iterable[str]) -> dict[str, Side]:
    """The same for any number of texts, by their keys: always in one order."""
    return {key: Side(key, _locked_row(session, project_id, key)) for key in sorted(set(keys), key=place)}


def _locked_row(session: Session, project_id: int, key: str) -> Candidate | Example | None:
    kind, site, name = parsed(key)
    if kind is Kind.EXAMPLE:
        return _locked_example(session, Example.project_id == project_id, Example.id == int(name))
    named = (Candidate.project_id == project_id, Candidate.site == site, Candidate.external_id == name)
    candidate = session.scalar(_held(select(Candidate).where(*named)))
    made = _locked_example(session, Example.candidate_id == candidate.id) if candidate else None
    return made or candidate


def _locked_example(session: Session, *conditions: Any) -> Example | None:
    found: Example | None = session.scalar(_held(select(Example).where(*conditions)))
    return found


def _held(query: Any) -> Any:
    return query.with_for_update().execution_options(populate_existing=True)


def take_out(side: Side, words: str) -> dict[str, Any]:
    """Reject a side that is live and give what to remember for putting it back; {} where nothing changed."""
    row = side.row
    if not side.live or row is None:
        return {}
    if isinstance(row, Candidate):
        before = {"candidate": row.id, "status": row.status.value, "reason": row.status_reason, "words": words}
        row.status, row.status_reason = CandidateStatus.REJECTED, words
        return before
    # An edit would reopen it under a new number; then there is nothing to put back.
    before = {"example": row.id, "state": row.state.value, "revision": row.revision_number}
    row.state, row.changed_at = ExampleState.REJECTED, now()
    return before


def put_back(sides: Iterable[Side], effect: Mapping[str, Any]) -> None:
    """Undo take_out exactly, unless somebody has changed the row since: then theirs stands."""
    for row in (side.row for side in sides):
        if isinstance(row, Candidate) and _is_as_left(row, effect):
            row.status, row.status_reason = CandidateStatus(effect["status"]), effect["reason"]
        elif isinstance(row, Example) and _example_is_as_left(row, effect):
            row.state, row.changed_at = ExampleState(effect["state"]), now()


def _is_as_left(row: Candidate, effect: Mapping[str, Any]) -> bool:
    same = row.id == effect.get("candidate") and row.status_reason == effect.get("words")
    return same and row.status is CandidateStatus.REJECTED


def _example_is_as_left(row: Example, effect: Mapping[str, Any]) -> bool:
    same = row.id == effect.get("example") and row.revision_number == effect.get("revision")
    return same and row.state is ExampleState.REJECTED
