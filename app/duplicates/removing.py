"""What decisions took out: each removed text with the copy that was kept, and who decided it, when and why."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from app.duplicates import queries
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.queries import Member
from app.text.dialogue import prompt_of, response_of

COLUMNS = (
    "removed", "kept", "prompt", "response", "kept_prompt", "kept_response", "method", "score", "on", "leak", "why",
    "decided_by", "decided_at", "pair", "merged",
)  # fmt: skip
ROWS_AT_ONCE = 200
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def removals_of(project_id: int) -> Select[DuplicatePair]:
    """The pairs whose decision took a text out, the newest first."""
    took_out = or_(*(DuplicatePair.effect[kind].as_string().is_not(None) for kind in ("candidate", "example")))
    query = select(DuplicatePair).where(DuplicatePair.project_id == project_id, queries.SETTLED, took_out)
    return query.options(joinedload(DuplicatePair.decider)).order_by(
        DuplicatePair.decided_at.desc(), DuplicatePair.id.desc()
    )


def removed_key(pair: DuplicatePair) -> str:
    """The key of the text that went."""
    return pair.left_key if pair.verdict is Verdict.KEEP_RIGHT else pair.right_key


def kept_key(pair: DuplicatePair) -> str:
    """The key of the copy that was kept; of a cluster it need not be the other one of the pair."""
    other = pair.right_key if pair.verdict is Verdict.KEEP_RIGHT else pair.left_key
    return str(pair.effect.get("kept", other))


def merged_revision(pair: DuplicatePair) -> int | None:
    """The revision of the kept one that took words of what went; None where none did."""
    merged = pair.effect.get("merged")
    return int(merged["after"]["revision"]) if merged else None


def removal_documents(session: Session, project_id: int, pairs: Sequence[DuplicatePair]) -> list[dict[str, Any]]:
    """Removals as the page, the API, the command line and the exports tell them.

    Of a pair with a test prompt that is kept out of sight neither its words nor its score are told.
    """
    keys = {key for pair in pairs for key in (removed_key(pair), kept_key(pair))}
    members, hidden = queries.members(session, project_id, keys), queries.out_of_sight(session, project_id, keys)
    return [_document(pair, members, hidden) for pair in pairs]


def _document(pair: DuplicatePair, members: dict[str, Member], hidden: set[str]) -> dict[str, Any]:
    gone, kept = removed_key(pair), kept_key(pair)
    told = {gone, kept}.isdisjoint(hidden)
    return {
        "removed": None if gone in hidden else gone,
        "kept": None if kept in hidden else kept,
        "prompt": _words(members.get(gone), prompt_of),
        "response": _words(members.get(gone), response_of),
        "kept_prompt": _words(members.get(kept), prompt_of),
        "kept_response": _words(members.get(kept), response_of),
        "method": pair.method.value if told else None,
        "score": pair.score if told else None,
        "on": pair.on.value,
        "leak": pair.leak,
        "why": pair.reason or None,
        "decided_by": pair.decider.name if pair.decider else None,
        "decided_at": pair.decided_at.isoformat() if pair.decided_at else None,
        "pair": pair.id,
        "merged": merged_revision(pair),
    }


def _words(member: Member | None, part: Any) -> str | None:
    """None where the text is not there any more, or out of sight."""
    return str(part(member.messages)) if member else None


def all_removals(session: Session, project_id: int) -> Iterator[dict[str, Any]]:
    """Every removal, the newest first; a few hundred in memory at once."""
    last = 0
    while pairs := session.scalars(removals_of(project_id).limit(ROWS_AT_ONCE).offset(last)).all():
        yield from removal_documents(session, project_id, pairs)
        last += len(pairs)


def as_jsonl(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A line of JSON a removal."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A table with a head; what a spreadsheet would take for a formula begins with an apostrophe."""
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_cell(row[column]) for column in COLUMNS])


def _line(cells: Iterable[Any]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet, lineterminator="\n").writerow(cells)
    return sheet.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
