"""What an import writes while it runs: its records, its candidates; and their publication, all at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Delete, Executable, and_, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict
from app.jobs.models import JobState
from app.jobs.running import Step
from app.projects.models import Project, Split
from app.projects.queries import language_unsaid
from app.sources import queries
from app.sources.bulk import write_rows
from app.sources.models import (
    Candidate,
    CandidateStatus,
    ImportRecord,
    ImportRemark,
    ImportRun,
    ImportState,
    Into,
    category_in,
)
from app.sources.opening import Origin
from app.sources.records import BadLine, Decided, Decision, Record
from app.sources.rules.base import KEPT
from app.sources.rulesets import Funnel

SO_FAR = "so_far"
"""Where in an import's options its funnel stands while it runs."""
READ = "read"
"""Where in an import's options its result stands from the moment that all is read: what is left is to publish it."""


@dataclass
class ImportResult:
    """The document that an import ends in; its keys are a contract."""

    format: str
    records: int = 0
    funnel: list[dict[str, Any]] = field(default_factory=list)
    created: int = 0
    unchanged: int = 0
    flagged: int = 0
    # How many of the kept ones end without a response; only where there are any.
    unanswered: int = 0
    # The first remarks, {"line", "reason", "file"}; all of them are kept (`note_remarks`).
    errors: list[dict[str, Any]] = field(default_factory=list)
    # How many there are, only where not all are among `errors`.
    errors_total: int = 0
    seconds: float = 0.0
    # While it ran, with what its process held before; and how much was added. None where the system cannot tell: then
    # the peak is the process's since it began.
    peak_rss_mb: float = 0.0
    grown_mb: float | None = None
    peak_of_process: bool = False
    # Pairs of ids that the source itself calls duplicates; only where it does.
    known_duplicates: list[list[int]] = field(default_factory=list)
    # What a person should know of the whole file, in sentences; only where there is anything.
    notes: list[str] = field(default_factory=list)
    # Files and sheets of the input that are not read, {"path", "reason"}; only where there are any.
    left_out: list[dict[str, str]] = field(default_factory=list)
    # Whether each record names its language, so that none has "en" for want of another; only where each does.
    language_stated: bool = False


def begin_import(session: Session, run: ImportRun, stamp: str = "") -> None:
    """Start, or start over after a worker died: whatever an earlier attempt wrote goes, it was never visible.

    `stamp` shows later on whether the files are still those that were read.
    """
    if run.state is ImportState.PUBLISHED:
        raise Conflict(f"The import {run.name} is published already.")
    _forget(session, run)
    of_an_attempt = {"same_as", "made_from", SO_FAR, READ}
    kept = {key: value for key, value in run.options.items() if key not in of_an_attempt}
    run.options = {**kept, "stamp": stamp}
    run.state = ImportState.RUNNING


def _forget(session: Session, run: ImportRun) -> None:
    for step in forgetting(session, run):
        step(session)


# What one step of a transaction changes, a few milliseconds: whoever waits to write has its turn after it.
STEP = 200
# And what one transaction publishes or takes away where nobody waits.
PART = 1000


def forgetting(session: Session, run: ImportRun) -> Sequence[Step]:
    """The steps that take away what an attempt has written; it was never visible."""
    noted = select(func.min(ImportRecord.number), func.max(ImportRecord.number))
    first, last = session.execute(noted.where(ImportRecord.import_run_id == run.id)).one()
    records = [
        delete(ImportRecord).where(ImportRecord.import_run_id == run.id, ImportRecord.number.between(*ends))
        for ends in pieces(first, last, PART)
    ]
    remarked = session.scalar(select(func.max(ImportRemark.number)).where(ImportRemark.import_run_id == run.id))
    remarks = [
        delete(ImportRemark).where(ImportRemark.import_run_id == run.id, ImportRemark.number.between(*ends))
        for ends in pieces(1, remarked, PART)
    ]
    candidates = [delete(Candidate).where(_own(run, *ends)) for ends in pieces(*_ends(session, run), STEP)]
    return [partial(carry_out, statement) for statement in (*records, *remarks, *candidates)]


def carry_out(statement: Delete, session: Session) -> None:
    """Delete as one step; nothing of it is in the session."""
    session.execute(statement.execution_options(synchronize_session=False))


def _ends(session: Session, run: ImportRun) -> tuple[int | None, int | None]:
    """The first and the last id of an import's candidates; those of imports at the same time lie among them."""
    first, last = session.execute(
        select(func.min(Candidate.id), func.max(Candidate.id)).where(Candidate.import_run_id == run.id)
    ).one()
    return first, last


def pieces(first: int | None, last: int | None, size: int) -> list[tuple[int, int]]:
    """The numbers from the first to the last in pieces, none where there are none."""
    starts = range(first, last + 1, size) if first is not None and last is not None else ()
    return [(start, start + size - 1) for start in starts]


def _own(run: ImportRun, first: Any, last: Any) -> ColumnElement[bool]:
    """An import's candidates between two ids.

    The sum keeps the index of imports out of it, which would be gone through by external id, from page to page.
    """
    return and_(Candidate.id.between(first, last), Candidate.import_run_id + 0 == run.id)


@dataclass
class BatchCount:
    """How many records of a batch were new, how many there already, and which are left alone, each with why."""

    created: int = 0
    unchanged: int = 0
    clashes: list[tuple[Record, BadLine]] = field(default_factory=list)


def tell_so_far(run: ImportRun, funnel: Funnel) -> None:
    """Let people who wait see what the rules have made of the records until now."""
    run.options = {
        **run.options,
        SO_FAR: {"records": funnel.records, "flagged": funnel.flagged, "funnel": funnel.rows()},
    }


def _without_progress(run: ImportRun) -> dict[str, Any]:
    return {key: value for key, value in run.options.items() if key not in {SO_FAR, READ}}


def note_read(run: ImportRun, result: ImportResult) -> None:
    """Note that all is read: from now on a restart goes on publishing."""
    run.options = {**run.options, READ: vars(result)}


def read_before(run: ImportRun) -> ImportResult | None:
    """The result of an import whose worker died while it published it."""
    noted = run.options.get(READ) if run.state is ImportState.RUNNING else None
    return ImportResult(**noted) if noted else None


def note_origin(session: Session, run: ImportRun, origin: Origin) -> ImportResult | None:
    """Note what an import is made from; its result, without anything new, where an earlier one was made from the same.

    Its funnel opens the records of that one.
    """
    earlier = queries.same_import(session, run, origin.made_from)
    run.options = {**run.options, **vars(origin)}
    if earlier is None:
        return None
    run.options = {**run.options, "same_as": earlier.noted_under}
    known = earlier.result["created"] + earlier.result["unchanged"]
    return ImportResult(**{**earlier.result, "created": 0, "unchanged": known})


# One object each, so that it is put into words once.
_NOTE, _ADD = insert(ImportRecord), insert(Candidate)
_NOTED = ("import_run_id", "number", "member", "position", "beside", "line", "external_id", "rule", "reason")


def note_records(session: Session, run: ImportRun, before: int, decided: Sequence[Decided]) -> None:
    """Write down what became of each record after the first `before`: every number of the funnel can be opened."""
    rows = [
        _noted(run.id, number, record, decision) for number, (record, decision) in enumerate(decided, start=before + 1)
    ]
    write_rows(session, _NOTE, _NOTED, rows)


def _noted(run_id: int, number: int, record: Record, decision: Decision) -> tuple[Any, ...]:
    place = record.place
    reason = None if decision is KEPT else decision.reason
    where = (place.member, place.position, place.beside, record.line)
    return (run_id, number, *where, record.external_id, decision.rule, reason)


def note_remarks(session: Session, run_id: int, before: int, found: Sequence[BadLine], *, unreadable: bool) -> None:
    """Write down what is left out or left alone, after the first `before`: however much it is, it can be listed."""
    rows = [
        {"import_run_id": run_id, "number": number, "line": bad.line, "reason": bad.stored, "unreadable": unreadable}
        for number, bad in enumerate(found, start=before + 1)
    ]
    if rows:
        session.execute(insert(ImportRemark), rows)


def add_candidates(session: Session, run: ImportRun, kept: Sequence[Decided]) -> BatchCount:
    """Put kept records into the pool; those of a published import stay as they are.

    One that is there with other words is named.
    """
    known = queries.published_words(session, run.project_id, [(record.site, record.external_id) for record, _ in kept])
    fresh = [one for one in kept if (one[0].site, one[0].external_id) not in known] if known else kept
    made = now()
    unsaid = language_unsaid(session, run.project_id)
    rows = [candidate_values(run, record, decision, made, unsaid) for record, decision in fresh]
    write_rows(session, _ADD, CANDIDATE_COLUMNS, rows)
    # Rows of two files may have one id; a post has its own and was edited, or another part of its question is asked.
    why = "it was edited, or asked otherwise" if run.format == "stackexchange" else "a site of its own would keep both"
    said = f"is in the pool with other words, which stay; {why}"
    clashes = [
        (record, BadLine(record.line, f"the id {record.external_id!r} {said}"))
        for record, _ in (kept if known else ())
        if known.get((record.site, record.external_id), record.content_hash) != record.content_hash
    ]
    return BatchCount(len(fresh), len(kept) - len(fresh), clashes)


CANDIDATE_COLUMNS = (
    *("project_id", "import_run_id", "site", "external_id", "thread_id", "source", "split", "language", "title"),
    *("messages", "content_hash", "length", "has_code", "category", "score", "author", "author_url", "url"),
    *("licence", "posted_at", "extra", "flags", "published", "status", "created_at"),
)


def candidate_values(
    run: ImportRun, record: Record, decision: Decision, at: datetime, unsaid: str, more: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """The values of CANDIDATE_COLUMNS; `unsaid` is the language of a record that states none, `more` told besides."""
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
        record.language or unsaid,
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
        at,
    )


_WHERE_THERE_IS_ANY = {"unanswered", "errors_total", "grown_mb", "peak_of_process", "language_stated"}
_WHERE_THERE_IS_ANY |= {"known_duplicates", "notes", "left_out"}


def publish_import(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Make an import's rows visible, all in one transaction; what another import published is not there twice."""
    for step in publication(session, run):
        step(session)
    count_late(session, run, result)
    end_import(session, run, result)


def publication(session: Session, run: ImportRun) -> Sequence[Step]:
    """The steps that let an import's candidates count; they show when `end_import` says so, all at once."""
    statements = _publishing(run)
    return [partial(publish_part, statements, *ends) for ends in pieces(*_ends(session, run), STEP)]


def publish_part(statements: Sequence[Executable], first: int, last: int, session: Session) -> None:
    """Let some of an import's candidates count from now on; those that another import published meanwhile go."""
    connection = session.connection()
    for statement in statements:
        connection.execute(statement, {"first": first, "last": last})


def _publishing(run: ImportRun) -> Sequence[Executable]:
    """What publishes the candidates from `first` to `last`, built once for all of them."""
    # Imports of one project publish one after the other.
    line = select(Project.id).where(Project.id == run.project_id).with_for_update(key_share=True)
    there, own = aliased(Candidate), _own(run, bindparam("first"), bindparam("last"))
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
    return line, late, update(Candidate).where(own).values(published=True)


def count_late(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Count those as there already that went while their import was published."""
    left = session.scalar(select(func.count()).select_from(Candidate).where(Candidate.import_run_id == run.id)) or 0
    if run.into is Into.POOL:
        result.created, result.unchanged = left, result.unchanged + result.created - left


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
