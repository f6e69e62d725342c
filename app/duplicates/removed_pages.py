"""What was removed as a duplicate, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.duplicates.models import DuplicatePair, Method
from app.duplicates.removing import removal_documents, removals_of
from app.duplicates.sheet import KEPT_OUT, METHOD_WORDS, score_words
from app.projects.access import ProjectAccess
from app.web.paging import Pager, page_of

BEGINNING = 160


@dataclass(frozen=True)
class RemovedRow:
    """A text that was taken out, and the copy that was kept."""

    pair_id: int
    removed: str
    kept: str
    removed_key: str
    kept_key: str
    found: str
    leak: bool
    why: str | None
    by: str | None
    at: datetime | None
    leader: int
    merged: bool = False


@dataclass(frozen=True)
class RemovedPage:
    """What decisions took out, the newest first."""

    rows: Sequence[RemovedRow]
    pager: Pager


def removed_page(session: Session, access: ProjectAccess, number: int) -> RemovedPage:
    """One page of what was removed."""
    pairs, pager = page_of(session, removals_of(access.project.id), number)
    documents = removal_documents(session, access.project.id, pairs)
    return RemovedPage([_removed_row(*both) for both in zip(pairs, documents, strict=True)], pager)


def _removed_row(pair: DuplicatePair, told: Mapping[str, Any]) -> RemovedRow:
    score = "kept out of sight" if told["score"] is None else METHOD_WORDS[pair.method]
    if told["score"] is not None and pair.method not in {Method.EXACT, Method.TRANSLATION}:
        score = f"{score}, {score_words(pair.score)}"
    return RemovedRow(
        pair_id=pair.id,
        removed=_beginning(told["removed"], told["prompt"] or told["response"]),
        kept=_beginning(told["kept"], told["kept_prompt"] or told["kept_response"]),
        removed_key=told["removed"] or "",
        kept_key=told["kept"] or "",
        found=score,
        leak=pair.leak,
        why=told["why"],
        by=told["decided_by"],
        at=pair.decided_at,
        leader=pair.effect.get("follows", pair.id),
        merged=told["merged"] is not None,
    )


def _beginning(key: str | None, words: str | None) -> str:
    if key is None:
        return KEPT_OUT
    said = " ".join((words or "").split())
    return f"{said[:BEGINNING]}…" if len(said) > BEGINNING else said or "It is not there any more"
