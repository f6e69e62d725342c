"""What an import shows once it was started: its progress, or the funnel whose numbers open the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.config import Settings
from app.errors import NotFound
from app.jobs.models import Job
from app.jobs.pages import JobPanel, job_panel
from app.projects import queries as projects
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.sources import queries
from app.sources.excerpts import Excerpt, Piece, excerpt_of, pieces, visible
from app.sources.formats import noun_of, title_of
from app.sources.models import ImportRecord, ImportRun, ImportState, Into
from app.sources.opening import read_again
from app.sources.operations import may_be_restored
from app.sources.records import BadLine, Decision, Record, bad_lines_in
from app.sources.rules import ALL, KEPT, Rule
from app.sources.rulesets import EMPTY, NO_QUESTION, PRESETS, REPEATED, Parameter, parameters, ruleset_from
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
    """A record behind a number; `sign` says what became of it where a list holds both.

    `is_there` is False where its words cannot be read again; `restored` says who made a candidate of it since.
    """

    number: int
    what: str
    sign: str | None
    title: str
    pieces: Sequence[Piece]
    kept: bool
    reason: str
    score: int | None
    facts: Sequence[str]
    url: str | None
    is_there: bool
    restored: str | None
    may_restore: bool


@dataclass(frozen=True)
class Opened:
    """The records behind one number: by which rule they were dropped, or after which they were left."""

    title: str
    query: str
    rows: Sequence[RecordRow]
    pager: Pager

    @property
    def missing(self) -> int:
        """How many of these records can be named only: their words are gone with the file."""
        return sum(not row.is_there for row in self.rows)


@dataclass(frozen=True)
class BadRecords:
    """What cannot be read: the first lines with their reasons, and how many there are."""

    lines: Sequence[tuple[int, str]]
    total: int


def bad_records(lines: Sequence[BadLine], total: int) -> BadRecords | None:
    """The lines as a page shows them; None where there are none."""
    return BadRecords(tuple((one.line, visible(one.reason)) for one in lines), total) if total else None


@dataclass(frozen=True)
class ImportPage:
    """An import that runs, failed, or ended in its funnel; `bad` are the records for which it was refused."""

    id: int
    name: str
    state: str
    error: str | None
    bad: BadRecords | None
    job: JobPanel | None
    facts: Sequence[tuple[str, str]]
    funnel: Sequence[FunnelRow]
    records: int
    kept: int
    created: int
    restored: int
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
    settings: Settings,
) -> ImportPage:
    """The funnel, and the records behind the number that was opened; `here` is where its progress leads on to."""
    restored = queries.restored_of(session, run) if run.result else {}
    rows = _funnel(run, restored, rule or after)
    may_change = access.project.archived_at is None
    job = (
        session.get(Job, run.job_id) if run.job_id and run.state in {ImportState.WAITING, ImportState.RUNNING} else None
    )
    remarks = run.result.get("errors", [])
    return ImportPage(
        id=run.id,
        name=visible(run.name),
        state=run.state.value,
        error=run.error,
        bad=bad_records(*bad_lines_in(run.error or "")),
        job=job_panel(job, access, here) if job else None,
        facts=_facts(session, access.project, run),
        funnel=rows,
        records=run.result.get("records", 0),
        kept=rows[-1].kept if rows else 0,
        created=run.result.get("created", 0),
        restored=sum(restored.values()),
        into_set=run.into is Into.SET,
        remarks=tuple((one["line"], visible(one["reason"])) for one in remarks[:PER_PAGE]),
        remarks_total=len(remarks),
        opened=_opened(session, run, settings, rule, after, page_number, may_change) if rule or after else None,
        command=import_command(
            access.project.slug,
            run.options["file"],
            run.site,
            run.source,
            run.into.value,
            ruleset_from(run.ruleset),
            run.options.get("settings", {}),
            skip_bad=run.skip_bad,
        ),
        may_import=may_change and Path(run.path).exists(),
    )


def _opened(
    session: Session,
    run: ImportRun,
    settings: Settings,
    rule: str | None,
    after: str | None,
    page_number: int,
    may_change: bool,
) -> Opened:
    statement, title, query = _chosen(run, rule, after)
    found, pager = page_of(session, statement, page_number, PER_PAGE)
    records = read_again(run, settings, found)
    people, what = _people(session, found), noun_of(run.format)
    rows = [
        _record_row(row, records.get(row.number), what, people, mixed=rule is None, may_change=may_change)
        for row in found
    ]
    return Opened(title, query, tuple(rows), pager)


def _people(session: Session, rows: Sequence[ImportRecord]) -> dict[int, str]:
    ids = {row.restored_by for row in rows if row.restored_by is not None}
    people = session.scalars(select(User).where(User.id.in_(ids))) if ids else ()
    return {person.id: visible(person.name) for person in people}


def _chosen(run: ImportRun, rule: str | None, after: str | None) -> tuple[Select[ImportRecord], str, str]:
    order = [row["rule"] for row in run.result.get("funnel", ())]
    if run.state is not ImportState.PUBLISHED or (rule or after) not in {*order, READ}:
        raise NotFound
    if rule:
        return queries.records_dropped_by(run, rule), f"Dropped by “{TITLES.get(rule, rule)}”", f"rule={rule}"
    if after == READ or after is None:
        return queries.records_of(run.noted_under), "All records read", f"after={READ}"
    later = order[order.index(after) + 1 :]
    return queries.records_left_after(run, later), f"Left after “{TITLES.get(after, after)}”", f"after={after}"


def _record_row(
    row: ImportRecord,
    record: Record | None,
    what: str,
    people: Mapping[int, str],
    *,
    mixed: bool,
    may_change: bool,
) -> RecordRow:
    reason = row.reason or KEPT.reason
    sign = "Kept" if row.rule is None else f"Dropped by {TITLES.get(row.rule, row.rule)}"
    restored = f"Restored by {people.get(row.restored_by or 0, 'somebody')}" if row.restored_at else None
    words = excerpt_of(record, Decision(kept=row.rule is None, rule=row.rule, reason=reason)) if record else Excerpt("")
    return RecordRow(
        number=row.number,
        what=what,
        sign=sign if mixed else None,
        title=visible(record.title if record else _name_of(row, what)) or "Without a title",
        pieces=pieces(words.text, words.marks),
        kept=row.rule is None,
        reason=visible(reason),
        score=record.score if record else None,
        facts=tuple(visible(fact) for fact in _facts_of(row, record, what) if fact),
        url=record.url if record else None,
        is_there=record is not None,
        restored=restored,
        may_restore=may_change and restored is None and record is not None and may_be_restored(row),
    )


def _name_of(row: ImportRecord, what: str) -> str:
    """How a record is called whose words are gone."""
    return f"Answer {row.external_id}" if what == "answer" else f"{what.capitalize()} of line {row.line:,}"


def _facts_of(row: ImportRecord, record: Record | None, what: str) -> tuple[str | None, ...]:
    name = f"{what} {row.external_id[:40]}"
    if record is None:
        return (None if what == "answer" else name,)
    place = None if what == "answer" else f"line {row.line:,}"
    return (name, place, record.author and f"by {record.author}", record.licence)


def _funnel(run: ImportRun, restored: Mapping[str, int], opened: str | None) -> tuple[FunnelRow, ...]:
    if not run.result:
        return ()
    hints = {rule.name: _hint(rule, run.result["flagged"]) for rule in ruleset_from(run.ruleset).rules}
    read = FunnelRow("Read", visible(run.options["file"]), run.result["records"], None, 100.0, READ, at=opened == READ)
    return (read, *(_funnel_row(row, hints, restored, opened) for row in run.result["funnel"]))


def _funnel_row(
    row: Mapping[str, int | str], hints: Mapping[str, str | None], restored: Mapping[str, int], opened: str | None
) -> FunnelRow:
    name, kept, dropped = str(row["rule"]), int(row["kept"]), int(row["dropped"])
    share = 100 * kept / (kept + dropped) if kept + dropped else 0.0
    parts = [hints.get(name), f"{restored[name]:,} restored since" if name in restored else None]
    hint = ", ".join(part for part in parts if part)
    return FunnelRow(TITLES.get(name, name), hint or None, kept, dropped, share, name, name == opened)


def _hint(rule: Rule, flagged: int) -> str | None:
    shown = [_setting_in_words(one) for one in parameters(rule) if one.kind != "phrases"]
    return ", ".join([f"{flagged:,} marked", *shown] if rule.marks else shown) or None


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
        ("Records", _not_read_again(run)),
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
    name = {one.sha256: name for name, one in PRESETS.items()}.get(ruleset.sha256, "its own")
    return f"{name}, {len(ruleset.rules)} of {len(ALL)} on"


def _not_read_again(run: ImportRun) -> str:
    """Where the records of an import were noted that found all of them imported already."""
    return f"those of import {run.noted_under}, of the same file" if run.noted_under != run.id else ""


def _rate(run: ImportRun, records: float) -> str:
    return "" if run.noted_under != run.id else f"{plural(round(records), 'record')} a second"


def _measured(run: ImportRun) -> list[tuple[str, str]]:
    result = run.result
    seconds = max(result["seconds"], 0.001)
    return [
        ("Took", duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"),
        ("Rate", _rate(run, result["records"] / seconds)),
        ("Peak memory", f"{result['peak_rss_mb']:,.0f} MB"),
        ("Created", number(result["created"])),
        ("Unchanged", number(result["unchanged"])),
        ("Marked", plural(result["flagged"], "record") if result["flagged"] else ""),
        ("Remarks", plural(len(result["errors"]), "line") if result["errors"] else ""),
    ]
