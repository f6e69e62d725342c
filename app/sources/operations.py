"""What changes imports, candidates and the table of exchanges."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Insert, and_, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone, Refusal
from app.jobs.models import JobState
from app.jobs.operations import enqueue
from app.projects import queries as projects
from app.projects.access import require_open
from app.projects.models import Project, Split
from app.sources import exchanges, queries
from app.sources.bulk import write_rows
from app.sources.formats import needs_site
from app.sources.models import (
    Candidate,
    CandidateStatus,
    ColumnMapping,
    ExchangeGroup,
    ImportRecord,
    ImportRun,
    ImportState,
    Into,
)
from app.sources.readers.base import PromptChoice
from app.sources.readers.columns import columns_from, require_storable
from app.sources.records import BadLine, Decided, Decision, Record
from app.sources.rules.base import KEPT
from app.sources.rulesets import EMPTY, NO_QUESTION, REPEATED, Ruleset


class NoSite(Refusal):
    """A Stack Exchange dump does not name its site; say which with --site on the command line, or in the field Site."""


class DiscardedExchange(Refusal):
    """{site} is among the discarded exchanges of this project; name a source to count it towards, or move it."""


class NoSuchRow(Refusal):
    """There is no source {source} in the composition; there are {rows}. Nothing was imported."""


class BegunAlready(Conflict):
    """The import {name} was started already; nothing was done twice."""


@dataclass(frozen=True)
class ImportPlan:
    """What to import, from where, by which rules, into what."""

    path: Path
    name: str
    format: str
    ruleset: Ruleset
    site: str = ""
    source: str | None = None
    licence: str | None = None
    into: Into = Into.POOL
    skip_bad: bool = False
    prompt: PromptChoice = field(default_factory=PromptChoice)
    # The format's own, see ReadOptions.
    settings: Mapping[str, Any] = field(default_factory=dict)


def start_import(session: Session, actor: User, project: Project, plan: ImportPlan, file_name: str = "") -> ImportRun:
    """Write the import down and enqueue its work; both stand or fall together."""
    run = draft_import(session, actor, project, plan.path, file_name or plan.path.name, plan.format)
    return begin_draft(session, actor, project, run, plan)


def draft_import(session: Session, actor: User, project: Project, path: Path, file_name: str, format: str) -> ImportRun:
    """Note a file that was brought in and not yet imported: its rules are still to be looked at."""
    require_open(project)
    run = ImportRun(
        project_id=project.id,
        created_by=actor.id,
        name=file_name[:120],
        path=str(path),
        format=format,
        site="",
        into=Into.POOL,
        ruleset={},
        ruleset_hash="",
        options={"file": file_name[:120]},
        state=ImportState.DRAFT,
    )
    session.add(run)
    session.flush()
    return run


def draft_again(session: Session, actor: User, project: Project, earlier: ImportRun) -> ImportRun:
    """A draft of the same file with the settings of an earlier import, to run it again or otherwise."""
    if not Path(earlier.path).exists():
        raise Gone("The file of this import is not here any more; bring it in again. What it made stays.")
    run = draft_import(session, actor, project, Path(earlier.path), earlier.options["file"], earlier.format)
    run.name, run.site, run.source, run.licence = earlier.name, earlier.site, earlier.source, earlier.licence
    run.into, run.skip_bad, run.ruleset = earlier.into, earlier.skip_bad, earlier.ruleset
    run.options = dict(earlier.options)
    return run


def begin_draft(session: Session, actor: User, project: Project, run: ImportRun, plan: ImportPlan) -> ImportRun:
    """Start the import of a draft as planned; of two clicks one starts it."""
    require_open(project)
    _require_draft(session, run)
    site = exchanges.site_host(plan.site) if plan.site and needs_site(plan.format) else plan.site
    if needs_site(plan.format) and not site:
        raise NoSite
    run.name, run.format, run.into, run.skip_bad = plan.name[:120], plan.format, plan.into, plan.skip_bad
    run.site, run.licence = site, plan.licence
    run.source = _source_of(session, project, plan)
    run.ruleset, run.ruleset_hash = plan.ruleset.as_dict(), plan.ruleset.sha256
    run.options = {**run.options, "prompt": vars(plan.prompt), "settings": _settings_of(plan)}
    run.state = ImportState.WAITING
    kind = "import_source" if plan.into is Into.POOL else "import_examples"
    job = enqueue(session, actor, kind, title=f"Import {run.name}", project_id=project.id, import_run_id=run.id)
    run.job_id = job.id
    write_trail(session, actor, "start import", f"import:{run.id}", project_id=project.id, name=run.name)
    return run


def _settings_of(plan: ImportPlan) -> dict[str, Any]:
    """The settings as they are stored; those of a table say what its columns are."""
    settings = dict(plan.settings)
    require_storable(settings, "the settings")
    if plan.format == "table":
        settings["columns"] = columns_from(settings.get("columns") or {}).as_settings()
    return settings


def remember_columns(session: Session, run: ImportRun, signature: str) -> None:
    """Note how the columns of an import were mapped, to be proposed for the next table that has them."""
    row = {"project_id": run.project_id, "signature": signature, "columns": run.options["settings"]["columns"]}
    new = _insert(session, ColumnMapping).values(row)
    key = [ColumnMapping.project_id, ColumnMapping.signature]
    session.execute(new.on_conflict_do_update(index_elements=key, set_={"columns": new.excluded.columns}))


def discard_draft(session: Session, actor: User, run: ImportRun) -> bool:
    """Forget a file that was brought in and not imported; say whether no other import reads it."""
    _require_draft(session, run)
    write_trail(session, actor, "discard upload", f"import:{run.id}", project_id=run.project_id, name=run.name)
    session.delete(run)
    session.flush()
    return session.scalar(select(ImportRun.id).where(ImportRun.path == run.path).limit(1)) is None


def _require_draft(session: Session, run: ImportRun) -> None:
    # Locked and read anew: the other click may be under way.
    session.refresh(run, with_for_update=True)
    if run.state is not ImportState.DRAFT:
        raise BegunAlready(name=run.name)


def _source_of(session: Session, project: Project, plan: ImportPlan) -> str | None:
    if plan.source is not None:
        rows = dict.fromkeys(row.source for row in session.scalars(projects.composition_of(project)))
        if rows and plan.source not in rows:
            raise NoSuchRow(source=plan.source, rows=", ".join(rows))
        return plan.source
    if plan.format != "stackexchange":
        return None
    source = exchanges.source_of(exchanges.site_host(plan.site), queries.exchange_groups(session, project))
    if source is None:
        raise DiscardedExchange(site=plan.site)
    return source


def set_exchange_group(
    session: Session, actor: User, project: Project, site: str, group: exchanges.ExchangeKind
) -> None:
    """Decide where an exchange counts from now on; what was imported before keeps its source."""
    require_open(project)
    site = exchanges.site_host(site)
    row = session.get(ExchangeGroup, (project.id, site))
    if row is None:
        session.add(ExchangeGroup(project_id=project.id, site=site, group=group))
    else:
        row.group = group
    write_trail(session, actor, "sort exchange", f"exchange:{site}", project_id=project.id, group=group)


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


def begin_import(session: Session, run: ImportRun, stamp: str = "") -> None:
    """Start, or start over after a worker died: whatever an earlier attempt wrote goes, it was never visible.

    `stamp` shows later on whether the files are still those that were read.
    """
    if run.state is ImportState.PUBLISHED:
        raise Conflict(f"The import {run.name} is published already.")
    _forget(session, run)
    kept = {key: value for key, value in run.options.items() if key not in {"same_as", "made_from"}}
    run.options = {**kept, "stamp": stamp}
    run.state = ImportState.RUNNING


def _forget(session: Session, run: ImportRun) -> None:
    session.execute(delete(ImportRecord).where(ImportRecord.import_run_id == run.id))
    for piece in _pieces(session, run):
        session.execute(delete(Candidate).where(piece).execution_options(synchronize_session=False))


PIECE = 10_000


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
    rows = [_candidate(run, record, decision, made) for record, decision in fresh]
    write_rows(session, insert(Candidate), _CANDIDATE, rows)
    there = [record for record, _ in kept] if known and run.format != "stackexchange" else ()
    clashes = [
        BadLine(record.line, f"the id {record.external_id[:40]!r} is in the pool with other words, which stay; "
                             "a site of its own would keep both")
        for record in there
        if known.get((record.site, record.external_id), record.content_hash) != record.content_hash
    ]  # fmt: skip
    return BatchCount(len(fresh), len(kept) - len(fresh), clashes)


_CANDIDATE = (
    *("project_id", "import_run_id", "site", "external_id", "thread_id", "source", "split", "language", "title"),
    *("messages", "content_hash", "length", "has_code", "score", "author", "author_url", "url", "licence", "posted_at"),
    *("extra", "flags", "published", "status", "created_at"),
)


def _candidate(
    run: ImportRun, record: Record, decision: Decision, made: datetime, more: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """The values of _CANDIDATE; `more` is told besides what the record knows."""
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


class NotToRestore(Conflict):
    """This record was dropped because {why}; nothing was restored."""


class KeptAlready(Conflict):
    """This record was kept; look for it in the pool. Nothing was changed."""


class NotThereAnyMore(Gone):
    """This record cannot be read again, for its file is gone or changed since the import; bring the file in anew."""


WHY_NOT = {
    REPEATED: "the same words were imported already",
    NO_QUESTION: "its question is not in the file, so there is nothing to answer",
    EMPTY: "nothing is left of it without its images",
}


def restore_dropped(
    session: Session, actor: User, run: ImportRun, row: ImportRecord, record: Record | None
) -> Candidate:
    """Make a candidate of a record that a rule dropped; repeated, it is the same one. Undone by rejecting that.

    `record` is what was read again from the upload, None where that failed.
    """
    require_open(session.get_one(Project, run.project_id))
    require_restorable(row)
    if record is None:
        raise NotThereAnyMore
    candidate = queries.published_candidate(session, run.project_id, record.site, record.external_id)
    if row.restored_at is not None and candidate is not None:
        return candidate
    if candidate is None:
        candidate = _restored(session, actor, run, row, record)
    row.restored_by, row.restored_at = actor.id, now()
    about = {"number": row.number, "rule": row.rule}
    write_trail(session, actor, "restore record", f"import:{run.id}", project_id=run.project_id, **about)
    return candidate


def require_restorable(row: ImportRecord) -> None:
    """Refuse what no person can put right: a kept record, a repeated one, one without a question or without words."""
    if row.rule is None:
        raise KeptAlready
    if row.rule in WHY_NOT:
        raise NotToRestore(why=WHY_NOT[row.rule])


def may_be_restored(row: ImportRecord) -> bool:
    """Whether a person can make a candidate of a record although a rule dropped it."""
    return row.rule is not None and row.rule not in WHY_NOT


def _restored(session: Session, actor: User, run: ImportRun, row: ImportRecord, record: Record) -> Candidate:
    why = {"by": actor.name, "rule": row.rule, "reason": row.reason}
    # Of two clicks at once one inserts; the other finds what it wrote.
    values = _candidate(run, record, KEPT, now(), {"restored": why})
    write_rows(session, insert_ignoring(session, Candidate), _CANDIDATE, [values])
    candidate = queries.published_candidate(session, run.project_id, record.site, record.external_id)
    if candidate is None:
        raise Conflict("Somebody restored this record at the same moment; look at it again.")
    return candidate


def insert_ignoring(session: Session, table: type[Any]) -> Insert:
    """An insert that leaves rows alone that are there already, on either database."""
    return _insert(session, table).on_conflict_do_nothing()


def _insert(session: Session, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def publish_import(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Make an import's rows visible, all at once; what another import published meanwhile is not there twice."""
    # Imports of one project are published one after the other.
    session.execute(select(Project.id).where(Project.id == run.project_id).with_for_update(key_share=True))
    there = aliased(Candidate)
    late = delete(Candidate).where(
        Candidate.import_run_id == run.id,
        exists().where(
            there.project_id == Candidate.project_id,
            there.site == Candidate.site,
            there.external_id == Candidate.external_id,
            there.published,
        ),
    )
    deleted = session.execute(late.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    result.created, result.unchanged = result.created - deleted, result.unchanged + deleted
    for piece in _pieces(session, run):
        own = update(Candidate).where(piece).values(published=True)
        session.execute(own.execution_options(synchronize_session=False))
    run.result = {key: value for key, value in vars(result).items() if value or key != "known_duplicates"}
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
    run.error, run.finished_at = error, now()
