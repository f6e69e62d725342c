"""What changes imports, candidates and the table of exchanges."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Insert, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone, Refusal
from app.jobs.models import JobState
from app.jobs.operations import enqueue
from app.projects.models import Project, Split
from app.sources import exchanges, queries
from app.sources.models import (
    Candidate,
    CandidateStatus,
    ExchangeGroup,
    ImportRecord,
    ImportRun,
    ImportState,
    Into,
)
from app.sources.records import Decision, Record
from app.sources.rulesets import Ruleset
from app.sources.stackexchange import PromptChoice

EXCERPT = 600


class NoSite(Refusal):
    """A Stack Exchange dump does not name its site; say which it is, such as cooking.stackexchange.com."""


class DiscardedExchange(Refusal):
    """{site} is among the discarded exchanges of this project; name a source to count it towards, or move it."""


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

    @classmethod
    def of_draft(cls, run: ImportRun, **chosen: Any) -> "ImportPlan":
        """The plan for a file that was brought in already."""
        return cls(path=Path(run.path), format=run.format, **chosen)


def start_import(session: Session, actor: User, project: Project, plan: ImportPlan) -> ImportRun:
    """Write the import down and enqueue its work; both stand or fall together."""
    run = draft_import(session, actor, project, plan.path, plan.name, plan.format)
    return begin_draft(session, actor, project, run, plan)


def draft_import(
    session: Session,
    actor: User,
    project: Project,
    path: Path,
    name: str,
    format: str,
) -> ImportRun:
    """Note a file that was brought in and not yet imported: its rules are still to be looked at."""
    require_open(project)
    run = ImportRun(
        project_id=project.id,
        created_by=actor.id,
        name=name[:120],
        path=str(path),
        format=format,
        site="",
        into=Into.POOL,
        ruleset={},
        ruleset_hash="",
        state=ImportState.DRAFT,
    )
    session.add(run)
    session.flush()
    return run


def begin_draft(session: Session, actor: User, project: Project, run: ImportRun, plan: ImportPlan) -> ImportRun:
    """Start the import of a draft as planned; of two clicks one starts it."""
    require_open(project)
    if run.state is not ImportState.DRAFT:
        raise Conflict(f"The import {run.name} was started already; nothing was started twice.")
    if plan.format == "stackexchange" and not plan.site:
        raise NoSite
    run.name, run.format, run.into, run.skip_bad = plan.name[:120], plan.format, plan.into, plan.skip_bad
    run.site = exchanges.site_host(plan.site) if plan.site else ""
    run.source = plan.source or _source_of(session, project, plan)
    run.licence = plan.licence
    run.ruleset, run.ruleset_hash = plan.ruleset.as_dict(), plan.ruleset.sha256
    run.options = {"prompt": vars(plan.prompt)}
    run.state = ImportState.WAITING
    kind = "import_source" if plan.into is Into.POOL else "import_examples"
    job = enqueue(session, actor, kind, title=f"Import {run.name}", project_id=project.id, import_run_id=run.id)
    run.job_id = job.id
    write_trail(session, actor, "start import", f"import:{run.id}", project_id=project.id, name=run.name)
    return run


def discard_draft(session: Session, actor: User, run: ImportRun) -> None:
    """Forget a file that was brought in and not imported."""
    if run.state is not ImportState.DRAFT:
        raise Conflict(f"The import {run.name} was started already; what it made stays.")
    write_trail(session, actor, "discard upload", f"import:{run.id}", project_id=run.project_id, name=run.name)
    session.delete(run)


def require_open(project: Project) -> None:
    """Refuse to change an archived project."""
    if project.archived_at is not None:
        raise Gone(f"{project.name} is archived and cannot be changed; an admin can open it again.")


def _source_of(session: Session, project: Project, plan: ImportPlan) -> str | None:
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


def begin_import(session: Session, run: ImportRun) -> None:
    """Start, or start over after a worker died: whatever an earlier attempt wrote goes, it was never visible."""
    if run.state is ImportState.PUBLISHED:
        raise Conflict(f"The import {run.name} is published already.")
    _forget(session, run)
    run.state = ImportState.RUNNING


def _forget(session: Session, run: ImportRun) -> None:
    session.execute(delete(ImportRecord).where(ImportRecord.import_run_id == run.id))
    session.execute(delete(Candidate).where(Candidate.import_run_id == run.id))


@dataclass
class BatchCount:
    """How many records of a batch were new, and how many there already."""

    created: int = 0
    unchanged: int = 0


def note_records(session: Session, run: ImportRun, decided: Sequence[tuple[Record, Decision]]) -> None:
    """Write down what became of each record, so that every number of the funnel can be opened."""
    rows = [
        {
            "import_run_id": run.id,
            "external_id": record.external_id,
            "rule": decision.rule,
            "reason": decision.reason,
            "title": record.title,
            "excerpt": excerpt_of(record),
            "url": record.url,
        }
        for record, decision in decided
    ]
    if rows:
        session.execute(insert_ignoring(session, ImportRecord), rows)


def excerpt_of(record: Record) -> str:
    """The beginning of a record's last message as readers saw it."""
    return record.messages[-1].visible[:EXCERPT] if record.messages else ""


def add_candidates(session: Session, run: ImportRun, kept: Sequence[Record]) -> BatchCount:
    """Put kept records into the pool; those of a published import stay as they are."""
    count = BatchCount()
    known = queries.published_keys(session, run.project_id, [(record.site, record.external_id) for record in kept])
    fresh = [record for record in kept if (record.site, record.external_id) not in known]
    count.unchanged, count.created = len(kept) - len(fresh), len(fresh)
    if fresh:
        session.execute(_insert_or_take_over(session), [candidate_values(run, record) for record in fresh])
    return count


def candidate_values(run: ImportRun, record: Record) -> dict[str, Any]:
    """A candidate's columns from a record."""
    return {
        "project_id": run.project_id,
        "import_run_id": run.id,
        "site": record.site,
        "external_id": record.external_id,
        "thread_id": record.thread_id,
        "source": run.source or record.source,
        "split": Split(record.split or Split.TRAIN),
        "language": record.language or "en",
        "title": record.title,
        "messages": record.messages_as_json(),
        "score": record.score,
        "author": record.author,
        "author_url": record.author_url,
        "url": record.url,
        "licence": run.licence or record.licence,
        "posted_at": record.posted_at,
        "flags": [],
        "content_hash": record.content_hash,
        "status": CandidateStatus.OPEN,
        "created_at": now(),
    }


def insert_ignoring(session: Session, table: type[Any]) -> Insert:
    """An insert that leaves rows alone that are there already, on either database."""
    return _upsert(session, table).on_conflict_do_nothing()


def _upsert(session: Session, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _insert_or_take_over(session: Session) -> Insert:
    # Two imports of the same dump at once: the later one takes over what the other has not published,
    # so that a cancelled import never takes a published one's candidates away.
    statement = _upsert(session, Candidate)
    unpublished = select(ImportRun.id).where(ImportRun.state != ImportState.PUBLISHED)
    return statement.on_conflict_do_update(
        index_elements=["project_id", "site", "external_id"],
        set_={"import_run_id": statement.excluded.import_run_id},
        where=Candidate.import_run_id.in_(unpublished),
    )


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


def publish_import(session: Session, run: ImportRun, result: ImportResult) -> None:
    """Make an import's rows visible, all at once."""
    run.result = vars(result)
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
