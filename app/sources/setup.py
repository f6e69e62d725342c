"""What the set-up of an import shows: its rules with their counts, the first records, where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Refusal
from app.projects import queries as projects
from app.projects.models import Project
from app.sources.archives import brought, workspace_of
from app.sources.columnpage import ColumnsPart, Mapped, columns_part, columns_typed, fields_of, mapped, sheets_of
from app.sources.excerpts import visible
from app.sources.exchanges import site_host
from app.sources.firstrecords import (
    UNNAMED,
    Behind,
    Counted,
    FirstRecord,
    Rights,
    behind_rules,
    counted_of,
    first_record,
    rights_of,
)
from app.sources.formats import FORMATS, fitting, needs_site, rules_of, settings_of, title_of
from app.sources.forms import RULE, SET, moved, order_of, rules_from, typed_rules
from app.sources.funnel import BadRecords, bad_records
from app.sources.inputs import Input
from app.sources.models import ImportRun
from app.sources.preview import COUNTED, Preview, preview
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, BadLines
from app.sources.rulesets import (
    NONE,
    PRESETS,
    Ruleset,
    ruleset_from,
)
from app.sources.ruletable import RuleRow, more_rows, rule_rows
from app.sources.shell import import_command


@dataclass(frozen=True)
class OwnSetting:
    """A setting of the format's own as the form shows it; `changed` where it is not as it comes."""

    field: str
    label: str
    hint: str
    value: str
    changed: bool


@dataclass(frozen=True)
class SetupPage:
    """An import before it starts; `unreadable` where the file itself is what errors["form"] speaks of.

    `bad` are its records that cannot be read: they refuse it, or are left out where that was asked for.
    """

    id: int
    heading: str
    format: str
    format_title: str
    is_dump: bool
    files: Sequence[tuple[str, int]]
    rules: Sequence[RuleRow]
    more: Sequence[RuleRow]
    order: str
    counted: Counted | None
    behind: Sequence[Behind]
    first: Sequence[FirstRecord]
    rights: Rights | None
    sources: Sequence[tuple[str, str]]
    rules_query: str
    presets: Sequence[str]
    command: str
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    columns: ColumnsPart | None
    formats: Sequence[tuple[str, str]]
    left_out: Sequence[str]
    own: Sequence[OwnSetting]
    sheets: Sequence[str] = ()
    unreadable: bool = False
    bad: BadRecords | None = None

    @property
    def may_start(self) -> bool:
        """Whether there is anything that can be imported as it is set up."""
        return not self.unreadable and not (self.columns and self.columns.refused)


def default_typed(run: ImportRun) -> dict[str, str]:
    """What the form says before anybody touched it: an earlier import's settings, else those of the format."""
    ruleset = ruleset_from(run.ruleset or rules_of(run.format))
    prompt = run.options.get("prompt", {})
    typed = {
        "name": run.name,
        "site": run.site,
        "source": run.source or "",
        "licence": run.licence or "",
        "format": run.format,
        "into": run.into.value,
        "prompt": prompt.get("part", "either"),
        "seed": str(prompt.get("seed", 0)),
    }
    own = run.options.get("settings", {})
    typed |= {f"{SET}{name}": str(value) for name, value in own.items() if isinstance(value, str | int)}
    typed |= {f"{SET}{name}": "\n".join(map(str, value)) for name, value in own.items() if isinstance(value, list)}
    typed |= fields_of(own.get("columns", {}))
    return typed | ({"skip_bad": "true"} if run.skip_bad else {}) | typed_rules(ruleset)


def setup_page(
    session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], settings: Settings
) -> SetupPage:
    """The set-up with counts for the rules as typed; what is wrong with the file or the rules is said instead."""
    typed = moved(typed)
    errors: dict[str, str] = {}
    counted: Preview | None = None
    site = typed.get("site", "").strip()
    if site and needs_site(run.format):
        try:
            site = site_host(site)
        except Refusal as refusal:
            errors["site"], site = refusal.message, ""
    unreadable, bad = False, None
    ruleset, table = NONE, None
    sheets: Sequence[str] = ()
    try:
        ruleset = rules_from(typed)
        source = _source(run, settings)
        sheets = sheets_of(source)
        table = _table(session, run, typed, source)
        if table is None or table.refusal is None:
            counted = _look(run, table.typed if table else typed, site, ruleset, settings, source)
            bad = bad_records(counted.bad, counted.bad_total)
    except BadLines as refusal:
        errors["form"], unreadable, bad = refusal.message, True, bad_records(refusal.problems, refusal.total)
    except Refusal as refusal:
        errors["form"] = refusal.message
        unreadable = isinstance(refusal, BadInput)
    page = _page(session, project, run, typed, errors, ruleset, counted, table)
    return replace(page, sheets=sheets, unreadable=unreadable, bad=bad)


def refused_page(
    session: Session,
    project: Project,
    run: ImportRun,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    settings: Settings,
) -> SetupPage:
    """The set-up as it was typed, with what does not fit; nothing is counted, so that it is there at once."""
    try:
        ruleset = rules_from(typed)
    except Refusal:
        ruleset = NONE
    try:
        table = _table(session, run, typed, _source(run, settings))
    except Refusal:
        table = None
    return _page(session, project, run, typed, errors, ruleset, None, table)


def format_of(run: ImportRun, typed: Mapping[str, str]) -> str:
    """The format to read as: what a person chose, where there is a choice."""
    chosen = typed.get("format")
    return chosen if chosen in FORMATS and not needs_site(run.format) else run.format


def settings_from(run: ImportRun, typed: Mapping[str, str]) -> dict[str, Any]:
    """The format's own settings as the form has them. Raises a Refusal (422) for a mapping that is none."""
    settings: dict[str, Any] = {key.removeprefix(SET): value for key, value in typed.items() if key.startswith(SET)}
    if format_of(run, typed) == "table":
        settings["columns"] = columns_typed(typed).as_settings()
    asked = {one.name: one for one in settings_of(format_of(run, typed))}
    # Nothing left out is a choice too; a setting that is as it comes goes without saying.
    return {
        name: value
        for name, value in settings.items()
        if (asked[name].of(settings) != asked[name].default if name in asked else value)
    }


def _own(format: str, typed: Mapping[str, str]) -> tuple[OwnSetting, ...]:
    rows = []
    for one in settings_of(format):
        names = one.of({one.name: typed[f"{SET}{one.name}"]} if f"{SET}{one.name}" in typed else {})
        changed = names != one.default
        rows.append(OwnSetting(f"{SET}{one.name}", one.label, one.hint, "\n".join(names), changed))
    return tuple(rows)


def _source(run: ImportRun, settings: Settings) -> Input:
    name = run.options.get("file") or ""
    return brought(Path(run.path), workspace_of(settings), name=name, sample_bytes=COUNTED)


def _table(session: Session, run: ImportRun, typed: Mapping[str, str], source: Input) -> Mapped | None:
    """The columns and their mapping, where the file is read as a table."""
    return mapped(session, run, typed, source) if format_of(run, typed) == "table" else None


def _look(
    run: ImportRun, typed: Mapping[str, str], site: str, ruleset: Ruleset, settings: Settings, source: Input
) -> Preview:
    seed = typed.get("seed", "")
    options = ReadOptions(
        site=site or (UNNAMED if needs_site(run.format) else None),
        skip_bad="skip_bad" in typed,
        prompt=PromptChoice(typed.get("prompt", "either"), seed=int(seed) if seed.isdecimal() else 0),
        name=run.options.get("file"),
        licence=typed.get("licence") or None,
        longest=settings.max_record_mb << 20,
        settings=settings_from(run, typed),
    )
    return preview(source, format_of(run, typed), ruleset, options)


def _page(
    session: Session,
    project: Project,
    run: ImportRun,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    ruleset: Ruleset,
    found: Preview | None,
    table: Mapped | None,
) -> SetupPage:
    format = format_of(run, typed)
    typed = table.typed if table else typed
    return SetupPage(
        id=run.id,
        heading=visible(run.name),
        format=format,
        format_title=title_of(format),
        is_dump=needs_site(run.format),
        files=_files(run),
        rules=rule_rows(ruleset, typed, found),
        more=more_rows(typed, found),
        order=" ".join(order_of(typed)),
        counted=counted_of(found) if found else None,
        behind=behind_rules(ruleset, found) if found else (),
        first=tuple(first_record(record, decision, ruleset) for record, decision in found.first) if found else (),
        rights=rights_of(found) if found else None,
        sources=_source_options(session, project),
        rules_query=urlencode({key: value for key, value in typed.items() if key.startswith(RULE)}),
        presets=tuple(PRESETS),
        command=import_command(
            project.slug,
            run.options.get("file") or run.name,
            typed.get("site", ""),
            typed.get("source"),
            typed.get("into", "pool"),
            ruleset,
            {} if table and table.refusal else settings_from(run, typed),
            skip_bad="skip_bad" in typed,
        ),
        typed=typed,
        errors=errors,
        columns=columns_part(table) if table else None,
        formats=tuple((name, title_of(name)) for name in fitting(run.format)),
        left_out=tuple(map(visible, found.left_out)) if found else (),
        own=_own(format, typed),
    )


def _files(run: ImportRun) -> tuple[tuple[str, int], ...]:
    path = Path(run.path)
    if path.is_dir():
        return tuple((one.name, one.stat().st_size) for one in (path / "Posts.xml", path / "Users.xml") if one.exists())
    return ((visible(run.options.get("file", "")), path.stat().st_size),) if path.exists() else ()


def _source_options(session: Session, project: Project) -> tuple[tuple[str, str], ...]:
    rows = session.scalars(projects.composition_of(project))
    named = dict.fromkeys((row.source, row.title) for row in rows)
    return (("", "As its exchange or the record says"), *named)
