"""What an import writes while it runs: its records, its candidates; and their publication, all at once."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict
from app.jobs.models import JobState
from app.projects.models import Project, Split
from app.sources import queries
from app.sources.bulk import write_rows
from app.sources.models import Candidate, CandidateStatus, ImportRecord, ImportRun, ImportState, category_in
from app.sources.records import BadLine, Decided, Decision, Record
from app.sources.rules.base import KEPT
from app.sources.rulesets import Funnel

SO_FAR = "so_far"
"""Where in an import's options its funnel stands while it runs."""


@dataclass
class ImportResult:
    """The document that an import ends in; its keys are a contract."""

    format: str
    records: int = 0
    funnel: list[dict[str, Any]] = field(default_factory=list)
    created: int = 0
    unchanged: int = 0
    flagged: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    # Pairs of ids that the source itself calls duplicates; only where it does.
    known_duplicates: list[list[int]] = field(default_factory=list)
    # What a person should know of the whole file, in sentences; only where there is anything.
    notes: list[str] = field(default_factory=list)


def begin_import(session: Session, run: ImportRun, stamp: str = "") -> None:
    """Start, or start over after a worker died: whatever an earlier attempt wrote goes, it was never visible.

    `stamp` shows later on whether the files are still those that were read.
    """
    if run.state is ImportState.PUBLISHED:
        raise Conflict(f"The import {run.name} is published already.")
    _forget(session, run)
    kept = {key: value for key, value in run.options.items() if key not in {"same_as", "made_from", SO_FAR}}
    run.options = {**kept, "stamp": stamp}
    run.state = ImportState.RUNNING


def _forget(session: Session, run: ImportRun) -> None:
    session.execute(delete(ImportRecord).where(ImportRecord.import_run_id == run.id))
    for piece in _pieces(session, run):
        session.execute(delete(Candidate).where(piece).execution_options(synchronize_session=False))


PIECE = 10_000
# What one transaction publishes: a row is written anew for it, and everybody else who writes waits meanwhile.
PART = 1000


def _pieces(session: Session, run: ImportRun) -> Iterator[ColumnElement[bool]]:
    """An import's candidates, some thousand at a time, in the order in which they lie.

    What one statement changes SQLite may hold in memory as it was until the statement ends; and it would go by the
    index of external ids, from page to page and back.
    """
    own = select(func.min(Candidate.id), func.max(Candidate.id)).where(Candidate.import_run_id == run.id)
    first, last = session.execute(own).one()
    for start in range(first or 0, (last or -1) + 1, PIECE):
        # The sum keeps the index of imports out of it.
        yield and_(Candidate.id.between(start, start + PIECE - 1), Candidate.import_run_id + 0 == run.id)


@dataclass
class BatchCount:
    """How many records of a batch were new, how many there already, and which of those say other words by now."""

    created: int = 0
    unchanged: int = 0
    clashes: list[BadLine] = field(default_factory=list)


def tell_so_far(run: ImportRun, funnel: Funnel) -> None:
    """Let people who wait see what the rules have made of the records until now."""
    run.options = {
        **run.options,
        SO_FAR: {"records": funnel.records, "flagged": funnel.flagged, "funnel": funnel.rows()},
    }


def _without_progress(run: ImportRun) -> dict[str, Any]:
    return {key: value for key, value in run.options.items() if key != SO_FAR}


def note_origin(session: Session, run: ImportRun, made_from: str) -> ImportResult | None:
    """Note what an import is made from; its result, without anything new, where an earlier one was made from the same.

    Its funnel opens the records of that one.
    """
    earlier = queries.same_import(session, run, made_from)
    run.options = {**run.options, "made_from": made_from}
    if earlier is None:
        return None
    run.options = {**run.options, "same_as": earlier.noted_under}
    known = earlier.result["created"] + earlier.result["unchanged"]
    return ImportResult(**{**earlier.result, "created": 0, "unchanged": known})


_NOTED = ("import_run_id", "number", "member", "position", "beside", "line", "external_id", "rule", "reason")


def note_records(session: Session, run: ImportRun, before: int, decided: Sequence[Decided]) -> None:
    """Write down what became of each record after the first `before`: every number of the funnel can be opened."""
    rows = [
        _noted(run.id, number, record, decision) for number, (record, decision) in enumerate(decided, start=before + 1)
    ]
    write_rows(session, insert(ImportRecord), _NOTED, rows)


def _noted(run_id: int, number: int, record: Record, decision: Decision) -> tuple[Any, ...]:
    place = record.place
    reason = None if decision is KEPT else decision.reason
    where = (place.member, place.position, place.beside, record.line)
    return (run_id, number, *where, record.external_id, decision.rule, reason)


def add_candidates(session: Session, run: ImportRun, kept: Sequence[Decided]) -> BatchCount:
    """Put kept records into the pool; those of a published import stay as they are.

    One that is there with other words is named, unless it is a post: posts are edited, rows of two files clash.
    """
    known = queries.published_words(session, run.project_id, [(record.site, record.external_id) for record, _ in kept])
    fresh = [one for one in kept if (one[0].site, one[0].external_id) not in known] if known else kept
    made = now()
    rows = [candidate_values(run, record, decision, made) for record, decision in fresh]
    write_rows(session, insert(Candidate), CANDIDATE_COLUMNS, rows)
    there = [record for record, _ in kept] if known and run.format != "stackexchange" else ()
    clashes = [
        BadLine(record.line, f"the id {record.external_id[:40]!r} is in the pool with other words, which stay; "
                             "a site of its own would keep both")
        for record in there
        if known.get((record.site, record.external_id), record.content_hash) != record.content_hash
    ]  # fmt: skip
    return BatchCount(len(fresh), len(kept) - len(fresh), clashes)


CANDIDATE_COLUMNS = (
    *("project_id", "import_run_id", "site", "external_id", "thread_id", "source", "split", "language", "title"),
    *("messages", "content_hash", "length", "has_code", "category", "score", "author", "author_url", "url"),
    *("licence", "posted_at", "extra", "flags", "published", "status", "created_at"),
)


def candidate_values(
    run: ImportRun, record: Record, decision: Decision, made: datetime, more: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """The values of CANDIDATE_COLUMNS; `more` is told besides what the record knows."""
    last = record.messages[-1].content if record.messages else ""
    extra = {**record.extra, **(more or {})}
    return (
        run.project_id,
        run.id,
        record.site,
        record.external_id,
        record.thread_id,
        run.source or record.source,
        Split(record.split or Split.TRAIN),
        record.language or "en",
        record.title,
        record.messages_as_text(),
        record.content_hash,
        len(last),
        "```" in last,
        category_in(record.extra),
        record.score,
        record.author,
        record.author_url,
        record.url,
        record.licence or run.licence,
        record.posted_at,
        json.dumps(extra) if extra else "{}",
        json.dumps(decision.flags) if decision.flags else "[]",
        # Restored ones join an import that is published; the others wait for theirs to be.
        bool(more),
        CandidateStatus.OPEN,
        made,
    )


_WHERE_THERE_IS_ANY = {"known_duplicates", "notes"}


def publish_import(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Make an import's rows visible, all in one transaction; what another import published is not there twice."""
    for first, last in parts_of(session, run):
        publish_part(session, run, first, last, result)
    end_import(session, run, result)


def parts_of(session: Session, run: ImportRun) -> Sequence[tuple[int, int]]:
    """The candidates of an import in parts, by their first and last ids: each is a short transaction to publish."""
    own = select(func.min(Candidate.id), func.max(Candidate.id)).where(Candidate.import_run_id == run.id)
    first, last = session.execute(own).one()
    starts = range(first, last + 1, PART) if first is not None else ()
    return [(start, start + PART - 1) for start in starts]


def publish_part(session: Session, run: ImportRun, first: int, last: int, result: ImportResult) -> None:
    """Let some of an import's candidates count from now on; they show when `end_import` says so, all at once.

    Those that another import published meanwhile go, and are counted as there already.
    """
    # Imports of one project publish one after the other.
    session.execute(select(Project.id).where(Project.id == run.project_id).with_for_update(key_share=True))
    there = aliased(Candidate)
    # The sum keeps the index of imports out of it, see _pieces.
    own = and_(Candidate.id.between(first, last), Candidate.import_run_id + 0 == run.id)
    late = delete(Candidate).where(
        own,
        exists().where(
            there.project_id == Candidate.project_id,
            there.site == Candidate.site,
            there.external_id == Candidate.external_id,
            there.import_run_id != run.id,
            there.published,
        ),
    )
    deleted = session.execute(late.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    result.created, result.unchanged = result.created - deleted, result.unchanged + deleted
    counted = update(Candidate).where(own).values(published=True)
    session.execute(counted.execution_options(synchronize_session=False))


def end_import(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Show an import whose parts are all published, with its result."""
    run.result = {key: value for key, value in vars(result).items() if value or key not in _WHERE_THERE_IS_ANY}
    run.options = _without_progress(run)
    run.state, run.finished_at = ImportState.PUBLISHED, now()
    actor = session.get(User, run.created_by) if run.created_by else None
    write_trail(session, actor, "publish import", f"import:{run.id}", project_id=run.project_id, created=result.created)


def fail_import(session: Session, args: dict[str, Any], error: str, state: JobState) -> None:
    """Say why an import ended without a result; nothing of it is kept."""
    run = session.get(ImportRun, args["import_run_id"])
    if run is None or run.state is ImportState.PUBLISHED:
        return
    _forget(session, run)
    run.state = ImportState.CANCELLED if state is JobState.CANCELLED else ImportState.FAILED
    run.options, run.error, run.finished_at = _without_progress(run), error, now()
