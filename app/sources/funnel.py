"""What an import shows once it was started: its progress, or the funnel whose numbers open the records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.config import Settings
from app.jobs.models import Job
from app.jobs.pages import JobPanel, job_panel
from app.projects import queries as projects
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.sources import queries
from app.sources.excerpts import visible
from app.sources.formats import title_of
from app.sources.known import known_total
from app.sources.models import ImportRun, ImportState, Into
from app.sources.openedpage import PER_PAGE, Number, Opened, opened
from app.sources.opening import encoding_of
from app.sources.publishing import SO_FAR
from app.sources.records import BadLine, BadLines, bad_lines_in
from app.sources.rules import ALL, Rule
from app.sources.rulesets import PRESETS, Parameter, parameters, ruleset_from
from app.sources.rulewords import READ, TITLES
from app.sources.shell import import_command
from app.web.paging import Pager, page_of
from app.web.words import ago, duration, number, plural

# What a length is counted in; the other choices are words already.
CHOSEN = {"visible": "of visible text", "html": "of HTML", "markdown": "of Markdown"}


@dataclass(frozen=True)
class FunnelRow:
    """A row of the funnel; the numbers that are links open the records behind them.

    `more` are further numbers in words, each with the query that opens its records.
    """

    title: str
    hint: str | None
    more: Sequence[tuple[str, str]]
    kept: int
    dropped: int | None
    share: float
    rule: str
    at: bool


@dataclass(frozen=True)
class SoFar:
    """What the rules have made of the records until now, while an import runs; its numbers open nothing yet."""

    rows: Sequence[FunnelRow]
    records: int
    kept: int


class ShownLine(NamedTuple):
    """What is wrong with a line; `file` is empty where the input has one alone."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class BadRecords:
    """What cannot be read: the first lines with their reasons, and how many there are."""

    lines: Sequence[ShownLine]
    total: int


def bad_records(lines: Sequence[BadLine], total: int) -> BadRecords | None:
    """The lines as a page shows them; None where there are none."""
    return BadRecords(tuple(map(shown_line, lines)), total) if total else None


def shown_line(bad: BadLine) -> ShownLine:
    """A line as a page shows it."""
    return ShownLine(visible(bad.file), bad.line, visible(bad.reason))


@dataclass(frozen=True)
class Unread:
    """The files and sheets of an input that are not read: the first of them with their reasons, and how many."""

    files: Sequence[tuple[str, str]]
    total: int


def unread_of(found: Sequence[tuple[str, str]]) -> Unread | None:
    """The first twenty as a page shows them; None where everything is read."""
    shown = tuple((visible(path), visible(reason)) for path, reason in found[: BadLines.SHOWN])
    return Unread(shown, len(found)) if found else None


@dataclass(frozen=True)
class ImportPage:
    """An import that runs, failed, or ended in its funnel; `bad` are the records for which it was refused."""

    id: int
    name: str
    state: str
    error: str | None
    bad: BadRecords | None
    job: JobPanel | None
    so_far: SoFar | None
    facts: Sequence[tuple[str, str]]
    funnel: Sequence[FunnelRow]
    records: int
    kept: int
    flagged: int
    created: int
    restored: int
    into_set: bool
    remarks: Sequence[ShownLine]
    remarks_pager: Pager
    notes: Sequence[str]
    site: str
    known: int
    left_out: Unread | None
    opened: Opened | None
    command: str
    may_import: bool


def import_page(
    session: Session,
    access: ProjectAccess,
    run: ImportRun,
    *,
    number: Number,
    page_number: int,
    here: str,
    settings: Settings,
) -> ImportPage:
    """The funnel, and the records behind the number that was opened; `here` is where its progress leads on to."""
    restored = queries.restored_of(session, run) if run.result else {}
    rows = _funnel(run, run.result, restored, number) if run.result else ()
    may_change = access.project.archived_at is None
    job = (
        session.get(Job, run.job_id) if run.job_id and run.state in {ImportState.WAITING, ImportState.RUNNING} else None
    )
    # Where no number is open, the page is one of what was left out.
    all_remarks = queries.remarks_of(run.noted_under)
    remarks, remarks_pager = page_of(session, all_remarks, 1 if number.chosen else page_number, PER_PAGE)
    return ImportPage(
        id=run.id,
        name=visible(run.name),
        state=run.state.value,
        error=run.error,
        bad=bad_records(*bad_lines_in(run.error or "")),
        job=job_panel(job, access, here) if job else None,
        so_far=_so_far(run),
        facts=_facts(session, access.project, run),
        funnel=rows,
        records=run.result.get("records", 0),
        kept=rows[-1].kept if rows else 0,
        flagged=run.result.get("flagged", 0),
        created=run.result.get("created", 0),
        restored=sum(restored.values()),
        into_set=run.into is Into.SET,
        remarks=tuple(shown_line(BadLine.from_stored(one.line, one.reason)) for one in remarks),
        notes=tuple(map(visible, run.result.get("notes", ()))),
        site=run.site,
        known=known_total(run),
        left_out=unread_of([(one["path"], one["reason"]) for one in run.result.get("left_out", ())]),
        remarks_pager=remarks_pager,
        opened=opened(session, run, settings, number, page_number, may_change=may_change) if number.chosen else None,
        command=import_command(
            access.project.slug,
            run.options["file"],
            run.site,
            run.source,
            run.into.value,
            ruleset_from(run.ruleset),
            run.options.get("settings", {}),
            encoding=encoding_of(run),
            skip_bad=run.skip_bad,
        ),
        may_import=may_change and Path(run.path).exists(),
    )


def _so_far(run: ImportRun) -> SoFar | None:
    """The funnel as the worker told it last; it is told batch by batch."""
    told = run.options.get(SO_FAR)
    if run.state is not ImportState.RUNNING or told is None:
        return None
    rows = _funnel(run, told, {}, Number())
    return SoFar(rows, told["records"], rows[-1].kept)


def _funnel(
    run: ImportRun, result: Mapping[str, Any], restored: Mapping[str, int], number: Number
) -> tuple[FunnelRow, ...]:
    rules = {rule.name: rule for rule in ruleset_from(run.ruleset).rules}
    file, records, is_open = visible(run.options["file"]), int(result["records"]), number.after == READ
    read = FunnelRow("Read", file, (), records, None, 100.0, READ, at=is_open)
    flagged = int(result["flagged"])
    return (
        read,
        *(_funnel_row(row, rules.get(row["rule"]), flagged, restored, number) for row in result["funnel"]),
    )


def _funnel_row(
    row: Mapping[str, Any], rule: Rule | None, flagged: int, restored: Mapping[str, int], number: Number
) -> FunnelRow:
    name, kept, dropped = str(row["rule"]), int(row["kept"]), int(row["dropped"])
    more = []
    if rule is not None and rule.marks:
        more.append((f"{flagged:,} marked", Number(marked=True).query if flagged else ""))
    if name in restored:
        more.append((f"{restored[name]:,} restored since", Number(rule=name, restored=True).query))
    is_open = name in {number.rule, number.after} or (number.marked and rule is not None and rule.marks)
    share = 100 * kept / (kept + dropped) if kept + dropped else 0.0
    return FunnelRow(TITLES.get(name, name), _hint(rule), tuple(more), kept, dropped, share, name, is_open)


def _hint(rule: Rule | None) -> str | None:
    shown = [_setting_in_words(one) for one in parameters(rule) if one.kind != "phrases"] if rule else []
    return ", ".join(shown) or None


def _setting_in_words(one: Parameter) -> str:
    if one.kind == "int":
        return f"{one.label.lower()} {number(one.value)}"
    # A short code says nothing without its name.
    return f"{one.label.lower()} {one.value}" if str(one.value).isupper() else CHOSEN.get(one.value, str(one.value))


def _facts(session: Session, project: Project, run: ImportRun) -> tuple[tuple[str, str], ...]:
    starter = session.get(User, run.created_by) if run.created_by else None
    facts = [
        ("Format", title_of(run.format)),
        ("From", visible(" at ".join(run.options.get("hub", {}).values()))),
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


def _memory(result: Mapping[str, Any]) -> tuple[str, str]:
    """How far the import made its worker grow; of what the system does not tell only the worker's peak."""
    peak = f"{result['peak_rss_mb']:,.0f} MB"
    if "grown_mb" not in result:
        return "Worker’s peak memory", peak
    return "Memory", f"grew by {result['grown_mb']:,.0f} MB, to {peak}"


def _measured(run: ImportRun) -> list[tuple[str, str]]:
    result = run.result
    seconds = max(result["seconds"], 0.001)
    return [
        ("Took", duration(seconds) if seconds >= 10 else f"{seconds:.1f} s"),
        ("Rate", _rate(run, result["records"] / seconds)),
        _memory(result),
        ("Created", number(result["created"])),
        ("Unchanged", number(result["unchanged"])),
        ("Marked", plural(result["flagged"], "record") if result["flagged"] else ""),
        ("Remarks", plural(result.get("errors_total") or len(result["errors"]), "line") if result["errors"] else ""),
    ]
