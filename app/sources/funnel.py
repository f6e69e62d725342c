"""What an import shows once it was started: its progress, or the funnel whose numbers open the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.errors import NotFound
from app.jobs.models import Job
from app.jobs.pages import JobPanel, job_panel
from app.projects import queries as projects
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.sources import queries
from app.sources.excerpts import Piece, pieces, visible
from app.sources.formats import noun_of, title_of
from app.sources.models import ImportRecord, ImportRun, ImportState, Into
from app.sources.rules import ALL, Rule
from app.sources.rulesets import EMPTY, LIMA, NO_QUESTION, NONE, REPEATED, Parameter, parameters, ruleset_from
from app.sources.shell import import_command
from app.web.paging import Pager, page_of
from app.web.words import ago, duration, number, plural

READ = "read"
TITLES = {kind.name: kind.title for kind in ALL} | {
    REPEATED: "Each record once",
    NO_QUESTION: "Answers with a question",
    EMPTY: "Words besides images",
}
PER_PAGE = 20
# What a length is counted in; the other choices are words already.
CHOSEN = {"visible": "of visible text", "html": "of HTML", "markdown": "of Markdown"}


@dataclass(frozen=True)
class FunnelRow:
    """A row of the funnel; the numbers that are links open the records behind them."""

    title: str
    hint: str | None
    kept: int
    dropped: int | None
    share: float
    rule: str
    at: bool


@dataclass(frozen=True)
class RecordRow:
    """A record behind a number; `sign` says what became of it where a list holds both."""

    what: str
    sign: str | None
    title: str
    pieces: Sequence[Piece]
    kept: bool
    reason: str
    score: int | None
    facts: Sequence[str]
    url: str | None


@dataclass(frozen=True)
class Opened:
    """The records behind one number: by which rule they were dropped, or after which they were left."""

    title: str
    query: str
    rows: Sequence[RecordRow]
    pager: Pager


@dataclass(frozen=True)
class ImportPage:
    """An import that runs, failed, or ended in its funnel."""

    id: int
    name: str
    state: str
    error: str | None
    job: JobPanel | None
    facts: Sequence[tuple[str, str]]
    funnel: Sequence[FunnelRow]
    records: int
    kept: int
    created: int
    into_set: bool
    remarks: Sequence[tuple[int, str]]
    remarks_total: int
    opened: Opened | None
    command: str
    may_import: bool


def import_page(
    session: Session,
    access: ProjectAccess,
    run: ImportRun,
    *,
    rule: str | None,
    after: str | None,
    page_number: int,
    here: str,
) -> ImportPage:
    """The funnel, and the records behind the number that was opened; `here` is where its progress leads on to."""
    rows = _funnel(run, rule or after)
    job = (
        session.get(Job, run.job_id) if run.job_id and run.state in {ImportState.WAITING, ImportState.RUNNING} else None
    )
    remarks = run.result.get("errors", [])
    return ImportPage(
        id=run.id,
        name=visible(run.name),
        state=run.state.value,
        error=run.error,
        job=job_panel(job, access, here) if job else None,
        facts=_facts(session, access.project, run),
        funnel=rows,
        records=run.result.get("records", 0),
        kept=rows[-1].kept if rows else 0,
        created=run.result.get("created", 0),
        into_set=run.into is Into.SET,
        remarks=tuple((one["line"], visible(one["reason"])) for one in remarks[:PER_PAGE]),
        remarks_total=len(remarks),
        opened=_opened(session, run, rule, after, page_number) if rule or after else None,
        command=import_command(
            access.project.slug, run.options["file"], run.site, run.source, run.into.value, ruleset_from(run.ruleset)
        ),
        may_import=access.project.archived_at is None and Path(run.path).exists(),
    )


def _opened(session: Session, run: ImportRun, rule: str | None, after: str | None, page_number: int) -> Opened:
    statement, title, query = _chosen(run, rule, after)
    found, pager = page_of(session, statement, page_number, PER_PAGE)
    what = noun_of(run.format)
    return Opened(title, query, tuple(_record_row(row, what, mixed=rule is None) for row in found), pager)


def _chosen(run: ImportRun, rule: str | None, after: str | None) -> tuple[Select[ImportRecord], str, str]:
    order = [row["rule"] for row in run.result.get("funnel", ())]
    if run.state is not ImportState.PUBLISHED or (rule or after) not in {*order, READ}:
        raise NotFound
    if rule:
        return queries.records_dropped_by(run, rule), f"Dropped by “{TITLES.get(rule, rule)}”", f"rule={rule}"
    if after == READ or after is None:
        return queries.records_of(run.id), "All records read", f"after={READ}"
    later = order[order.index(after) + 1 :]
    return queries.records_left_after(run, later), f"Left after “{TITLES.get(after, after)}”", f"after={after}"


def _record_row(row: ImportRecord, what: str, *, mixed: bool) -> RecordRow:
    place = None if what == "answer" else f"line {row.line:,}"
    facts = (f"{what} {row.external_id[:40]}", place, row.author and f"by {row.author}", row.licence)
    sign = "Kept" if row.rule is None else f"Dropped by {TITLES.get(row.rule, row.rule)}"
    return RecordRow(
        what=what,
        sign=sign if mixed else None,
        title=visible(row.title) or "Without a title",
        pieces=pieces(row.excerpt, row.marks),
        kept=row.rule is None,
        reason=visible(row.reason),
        score=row.score,
        facts=tuple(visible(fact) for fact in facts if fact),
        url=row.url,
    )


def _funnel(run: ImportRun, opened: str | None) -> tuple[FunnelRow, ...]:
    if not run.result:
        return ()
    hints = {rule.name: _hint(rule) for rule in ruleset_from(run.ruleset).rules}
    read = FunnelRow("Read", visible(run.options["file"]), run.result["records"], None, 100.0, READ, at=opened == READ)
    return (read, *(_funnel_row(row, hints, opened) for row in run.result["funnel"]))


def _funnel_row(row: Mapping[str, int | str], hints: Mapping[str, str | None], opened: str | None) -> FunnelRow:
    name, kept, dropped = str(row["rule"]), int(row["kept"]), int(row["dropped"])
    share = 100 * kept / (kept + dropped) if kept + dropped else 0.0
    return FunnelRow(TITLES.get(name, name), hints.get(name), kept, dropped, share, name, at=name == opened)


def _hint(rule: Rule) -> str | None:
    shown = [one for one in parameters(rule) if one.kind != "phrases"]
    return ", ".join(map(_setting_in_words, shown)) or None


def _setting_in_words(one: Parameter) -> str:
    if one.kind == "int":
        return f"{one.label.lower()} {number(one.value)}"
    return CHOSEN.get(one.value, str(one.value))


def _facts(session: Session, project: Project, run: ImportRun) -> tuple[tuple[str, str], ...]:
    starter = session.get(User, run.created_by) if run.created_by else None
    facts = [
        ("Format", title_of(run.format)),
        ("Site", run.site),
        ("Counts towards", _row_title(session, project, run.source)),
        ("Rules", _rules_in_words(run)),
        *(_measured(run) if run.result else ()),
        ("Started by", visible(starter.name) if starter else "–"),
        ("Started", ago(run.created_at)),
    ]
    return tuple((term, words) for term, words in facts if words)


def _row_title(session: Session, project: Project, source: str | None) -> str:
    if source is None:
        return "as each record says"
    titles = {row.source: row.title for row in session.scalars(projects.composition_of(project))}
    return visible(titles.get(source, source))


def _rules_in_words(run: ImportRun) -> str:
    ruleset = ruleset_from(run.ruleset)
    name = {LIMA.sha256: "lima", NONE.sha256: "none"}.get(run.ruleset_hash, "its own")
    return f"{name}, {len(ruleset.rules)} of {len(ALL)} on"


def _measured(run: ImportRun) -> list[tuple[str, str]]:
    result = run.result
    seconds = max(result["seconds"], 0.001)
    return [
        ("Took", duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"),
        ("Rate", f"{plural(round(result['records'] / seconds), 'record')} a second"),
        ("Peak memory", f"{result['peak_rss_mb']:,.0f} MB"),
        ("Created", number(result["created"])),
        ("Unchanged", number(result["unchanged"])),
        ("Remarks", plural(len(result["errors"]), "line") if result["errors"] else ""),
    ]
