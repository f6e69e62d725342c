"""What people decide about imports: which file, by which rules, into what; and where an exchange counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone, Refusal
from app.jobs.models import Job
from app.jobs.operations import enqueue
from app.jobs.queries import live_jobs_of
from app.projects import queries as projects
from app.projects.limits import require_open
from app.projects.models import Project
from app.sources import exchanges, queries
from app.sources.formats import needs_site, require_known
from app.sources.hub import HubId
from app.sources.models import ExchangeGroup, ImportRun, ImportState, Into
from app.sources.readers.base import PromptChoice
from app.sources.readers.columns import columns_from, require_storable
from app.sources.readers.files import require_encoding
from app.sources.rulesets import Ruleset
from app.text.wellformed import require_wellformed

UNPACK = "unpack_source"
FETCH = "fetch_dataset"
# Of a draft's options: what was chosen for it and is not started, and what was before it began again.
LEFT, SET_ASIDE = "left", "set_aside"
LARGEST_SET_UP = 1_000_000


class NoSite(Refusal):
    """A Stack Exchange dump does not name its site; say which with --site on the command line, or in the field Site."""


class DiscardedExchange(Refusal):
    """{site} is among the discarded exchanges of this project; name a source to count it towards, or move it."""


class NoSuchRow(Refusal):
    """There is no source {source} in the composition; there are {rows}. Nothing was imported."""


class BegunAlready(Conflict):
    """The import {name} was started already; nothing was done twice."""


class SetUpTooLarge(Refusal):
    """What is chosen here is longer than {limit:,} characters and is not kept for later; the page has it still."""

    status = 413


@dataclass(frozen=True)
class Left:
    """A set-up as somebody left it: its fields as they were typed, and when."""

    typed: Mapping[str, str]
    at: datetime


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
    encoding: str = "auto"
    # The id of a data set of the Hub that is fetched to `path` first.
    hub: str = ""


def start_import(session: Session, actor: User, project: Project, plan: ImportPlan, file_name: str = "") -> ImportRun:
    """Write the import down and enqueue its work; both stand or fall together."""
    run = draft_import(session, actor, project, plan.path, file_name or plan.path.name, plan.format)
    if plan.hub:
        run.options = {**run.options, "hub": {"id": plan.hub}}
        session.flush()
    return begin_draft(session, actor, project, run, plan)


def draft_import(session: Session, actor: User, project: Project, path: Path, file_name: str, format: str) -> ImportRun:
    """Note a file that was brought in and not yet imported: its rules are still to be looked at."""
    require_open(project)
    run = ImportRun(
        project_id=project.id,
        created_by=actor.id,
        name=name_of(path, file_name),
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


def name_of(path: Path, file_name: str) -> str:
    """What an import is called: like its file, or like the first of several that came together in a folder of ours."""
    several = path.is_dir() and path.name != file_name
    more = sum(1 for _ in path.iterdir()) - 1 if several else 0
    return f"{file_name[:100]} and {more} more" if more else file_name[:120]


def note_aside(run: ImportRun, names: Sequence[str]) -> None:
    """Note the files that came with an import and that nothing reads, to be named with it."""
    if names:
        run.options = {**run.options, "aside": list(names)}


def draft_from_hub(session: Session, actor: User, project: Project, wanted: HubId, path: Path) -> tuple[ImportRun, Job]:
    """A draft of a data set of the Hub, and the job that fetches it to `path`; its rules are looked at after that."""
    run = draft_import(session, actor, project, path, wanted.name, "auto")
    run.options = {**run.options, "hub": {"id": str(wanted)}}
    job = enqueue(session, actor, FETCH, title=f"Fetch {wanted.name}", project_id=project.id, import_run_id=run.id)
    write_trail(session, actor, "fetch data set", f"import:{run.id}", project_id=project.id, id=str(wanted))
    return run, job


def draft_again(session: Session, actor: User, project: Project, earlier: ImportRun) -> ImportRun:
    """A draft of the same file with the settings of an earlier import, to run it again or otherwise."""
    if not Path(earlier.path).exists():
        raise Gone("The file of this import is not here any more; bring it in again. What it made stays.")
    run = draft_import(session, actor, project, Path(earlier.path), earlier.options["file"], earlier.format)
    run.name, run.site, run.source, run.licence = earlier.name, earlier.site, earlier.source, earlier.licence
    run.into, run.skip_bad, run.ruleset = earlier.into, earlier.skip_bad, earlier.ruleset
    run.options = dict(earlier.options)
    return run


def keep_set_up(session: Session, run: ImportRun, typed: Mapping[str, str]) -> None:
    """Keep what was chosen for a draft, as the form has it, for whoever opens it next; the latest counts.

    Raises SetUpTooLarge, and BegunAlready.
    """
    _keep_left(session, run, {LEFT: _left(typed)})


def begin_set_up_again(session: Session, run: ImportRun, typed: Mapping[str, str]) -> None:
    """Let a draft begin as it came; what was chosen, as the form has it, can be had back."""
    _keep_left(session, run, {SET_ASIDE: _left(typed)})


def bring_set_up_back(session: Session, run: ImportRun) -> None:
    """Have back what was chosen before the draft began again; where there is nothing, all stays as it is."""
    if SET_ASIDE in run.options:
        _keep_left(session, run, {LEFT: run.options[SET_ASIDE]})


def left_set_up(run: ImportRun) -> Left | None:
    """What was chosen for a draft and left; None where nothing was."""
    left = run.options.get(LEFT)
    return Left(left["typed"], datetime.fromisoformat(left["at"])) if left else None


def _left(typed: Mapping[str, str]) -> dict[str, Any]:
    if sum(len(name) + len(value) for name, value in typed.items()) > LARGEST_SET_UP:
        raise SetUpTooLarge(limit=LARGEST_SET_UP)
    for value in typed.values():
        require_wellformed(value)
    return {"typed": dict(typed), "at": now().isoformat()}


def _keep_left(session: Session, run: ImportRun, kept: Mapping[str, Any]) -> None:
    require_open(session.get_one(Project, run.project_id))
    _require_draft(session, run)
    run.options = {**_without_left(run), **kept}
    session.flush()


def _without_left(run: ImportRun) -> dict[str, Any]:
    return {key: value for key, value in run.options.items() if key not in {LEFT, SET_ASIDE}}


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
    require_encoding(plan.encoding)
    chosen = {"prompt": vars(plan.prompt), "settings": _settings_of(plan), "encoding": plan.encoding}
    run.options = {**_without_left(run), **chosen}
    run.state = ImportState.WAITING
    kind = "import_source" if plan.into is Into.POOL else "import_examples"
    job = enqueue(session, actor, kind, title=f"Import {run.name}", project_id=project.id, import_run_id=run.id)
    run.job_id = job.id
    write_trail(session, actor, "start import", f"import:{run.id}", project_id=project.id, name=run.name)
    return run


def _settings_of(plan: ImportPlan) -> dict[str, Any]:
    """The settings as they are stored; those of a table say what its columns are."""
    settings = dict(plan.settings)
    require_known(plan.format, settings)
    require_storable(settings, "the settings")
    if plan.format == "table":
        settings["columns"] = columns_from(settings.get("columns") or {}).as_settings()
    return settings


def unpack_again(session: Session, actor: User, project: Project, run: ImportRun) -> Job:
    """Have a worker unpack an import's archive, so that its records can be opened; of two clicks one begins it."""
    session.execute(select(ImportRun.id).where(ImportRun.id == run.id).with_for_update())
    for job in session.scalars(live_jobs_of(project.id).where(Job.kind == UNPACK)):
        if job.args.get("import_run_id") == run.id:
            return job
    return enqueue(session, actor, UNPACK, title=f"Unpack {run.name}", project_id=project.id, import_run_id=run.id)


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
