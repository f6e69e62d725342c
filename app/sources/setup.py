"""What the set-up of an import shows: its rules with their counts, the first records, where it goes."""

import re
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
from app.sources import licences
from app.sources.archives import brought, workspace_of
from app.sources.columnpage import ColumnsPart, Mapped, columns_part, columns_typed, fields_of, mapped, sheets_of
from app.sources.excerpts import Piece, excerpt_of, pieces, visible
from app.sources.exchanges import site_host
from app.sources.formats import FORMATS, fitting, needs_site, rules_of, settings_of, title_of
from app.sources.forms import RULE, SET, as_typed, moved, order_of, rules_from, typed_rules
from app.sources.funnel import TITLES, BadRecords, bad_records
from app.sources.inputs import Input
from app.sources.models import ImportRun
from app.sources.preview import COUNTED, Preview, preview
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, BadLines, Decision, Record
from app.sources.rules import ALL, Rule
from app.sources.rulesets import (
    BY_NAME,
    EMPTY,
    NO_QUESTION,
    NONE,
    PRESETS,
    REPEATED,
    Parameter,
    Ruleset,
    parameters,
    ruleset_from,
)
from app.sources.shell import import_command
from app.web.words import plural

# Counting needs no site: it only names the records. The import insists on the real one.
UNNAMED = "unnamed.example.org"
FIXED = {
    REPEATED: "The same words twice in the file.",
    NO_QUESTION: "Without one there is nothing to answer.",
    EMPTY: "Of the others nothing is left.",
}


@dataclass(frozen=True)
class Setting:
    """One parameter of a rule as a control: its name and id in the form, its value as typed.

    `shown` is its label where the whole one is for screen readers only: 1,200 to 4,096.
    """

    name: str
    id: str
    label: str
    shown: str | None
    kind: str
    value: str
    choices: Sequence[str]


@dataclass(frozen=True)
class RuleRow:
    """One rule: its switch, its settings, what it keeps of what reaches it (None where nothing was counted).

    `place` counts the rules that are on; `fits` says whether any record has what it looks at, `applies` in words what
    that is; what happens whatever the rules is `fixed`. `marked` counts what a marking rule marks.
    """

    name: str
    title: str
    hint: str
    sentence: str
    applies: str
    on: bool
    place: int | None
    fits: bool
    fixed: bool
    settings: Sequence[Setting]
    kept: int | None
    dropped: int | None
    marked: int | None
    share: float | None


@dataclass(frozen=True)
class FirstRecord:
    """A record as it will look, and what the rules say of it; `raw` is what was imported, where that was HTML."""

    title: str
    pieces: Sequence[Piece]
    turns: Sequence[tuple[str, str]]
    raw: str | None
    sign: str
    verdict: str
    reason: str | None
    score: int | None
    facts: Sequence[str]


@dataclass(frozen=True)
class Behind:
    """The first records behind a number of the table: those that one rule dropped, or marked."""

    rule: str
    title: str
    total: int
    records: Sequence[FirstRecord]


@dataclass(frozen=True)
class Rights:
    """Licences that occur, the share of authors that are named, and the credit of one record."""

    licences: str
    named: float
    credit: str | None
    asked_by: str | None


@dataclass(frozen=True)
class Counted:
    """What was counted: all records, or those of a sample; `estimate` is of all that would be kept."""

    records: int
    kept: int
    is_sample: bool
    all_records: int
    estimate: int
    seconds: float


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
        rules=_rule_rows(ruleset, typed, found),
        more=_more_rows(typed, found),
        order=" ".join(order_of(typed)),
        counted=_counted(found) if found else None,
        behind=_behind(ruleset, found) if found else (),
        first=tuple(_first(record, decision, ruleset) for record, decision in found.first) if found else (),
        rights=_rights(found) if found else None,
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


def _counted(found: Preview) -> Counted:
    return Counted(
        records=found.records,
        kept=found.kept,
        is_sample=found.is_sample,
        all_records=round(found.records / found.share),
        estimate=round(found.kept / found.share),
        seconds=found.seconds,
    )


def _rule_rows(ruleset: Ruleset, typed: Mapping[str, str], found: Preview | None) -> tuple[RuleRow, ...]:
    """The rules of the table in their order, and among them what drops records whatever the rules."""
    on = {rule.name: rule for rule in ruleset.rules}
    counts = {row["rule"]: row for row in found.funnel.rows()} if found else {}
    names = order_of(typed)
    names[:0] = [name for name in (REPEATED,) if name in counts]
    names += [name for name in (NO_QUESTION, EMPTY) if name in counts]
    return tuple(
        _fixed_row(name, counts[name])
        if name in FIXED
        else _rule_row(BY_NAME[name], on.get(name), counts.get(name), typed, found, ruleset)
        for name in names
    )


def _more_rows(typed: Mapping[str, str], found: Preview | None) -> tuple[RuleRow, ...]:
    """The other rules, those first that have something to look at."""
    listed = order_of(typed)
    rows = [_rule_row(kind, None, None, typed, found, NONE) for kind in ALL if kind.name not in listed]
    return tuple(sorted(rows, key=lambda row: not row.fits))


def _rule_row(
    kind: type[Rule],
    rule: Rule | None,
    count: Mapping[str, Any] | None,
    typed: Mapping[str, str],
    found: Preview | None,
    ruleset: Ruleset,
) -> RuleRow:
    names = [one.name for one in ruleset.rules]
    return RuleRow(
        name=kind.name,
        title=kind.title,
        hint=kind.hint,
        sentence=kind.sentence,
        applies=kind.applies,
        on=f"rule.{kind.name}.on" in typed,
        place=names.index(kind.name) + 1 if kind.name in names else None,
        fits=found is None or kind.name in found.fitting,
        fixed=False,
        settings=_settings(kind.name, parameters(rule or kind), typed),
        kept=count["kept"] if count else None,
        dropped=count["dropped"] if count and not kind.marks else None,
        marked=found.funnel.flagged if count and found and kind.marks else None,
        share=_share(count) if count and not kind.marks else None,
    )


def _fixed_row(name: str, count: Mapping[str, Any]) -> RuleRow:
    return RuleRow(
        name=name, title=TITLES[name], hint=FIXED[name], sentence="", applies="", on=True, place=None, fits=True,
        fixed=True, settings=(), kept=count["kept"], dropped=count["dropped"], marked=None, share=_share(count),
    )  # fmt: skip


def _share(count: Mapping[str, Any]) -> float:
    reached = count["kept"] + count["dropped"]
    return 100 * count["kept"] / reached if reached else 100.0


def _behind(ruleset: Ruleset, found: Preview) -> tuple[Behind, ...]:
    rows = [row for row in found.funnel.rows() if row["dropped"]]
    dropped = [
        Behind(
            row["rule"], f"Dropped by {TITLES[row['rule']]}", row["dropped"], _all(found.dropped[row["rule"]], ruleset)
        )
        for row in rows
    ]
    marking = [rule for rule in ruleset.rules if rule.marks] if found.marked else []
    marked = [
        Behind(rule.name, f"Marked by {rule.title}", found.funnel.flagged, _all(found.marked, ruleset))
        for rule in marking[:1]
    ]
    return (*dropped, *marked)


def _all(decided: Sequence[tuple[Record, Decision]], ruleset: Ruleset) -> tuple[FirstRecord, ...]:
    return tuple(_first(record, decision, ruleset) for record, decision in decided)


def _settings(rule: str, known: Sequence[Parameter], typed: Mapping[str, str]) -> tuple[Setting, ...]:
    has_both_ends = {"minimum", "maximum"} <= {one.name for one in known}
    shown = {"minimum": "", "maximum": "to"} if has_both_ends else {}
    return tuple(_setting(rule, one, shown.get(one.name), typed) for one in known)


def _setting(rule: str, one: Parameter, shown: str | None, typed: Mapping[str, str]) -> Setting:
    name = f"rule.{rule}.{one.name}"
    value = typed.get(name, as_typed(one))
    if one.kind == "int" and value.isdecimal() and value.isascii():
        value = f"{int(value):,}"
    return Setting(name, name.replace(".", "-").replace("_", "-"), one.label, shown, one.kind, value, one.choices)


def _first(record: Record, decision: Decision, ruleset: Ruleset) -> FirstRecord:
    excerpt = excerpt_of(record, decision)
    kind = "answer" if record.is_top is not None else "record"
    length = sum(len(message.visible) for message in record.responses)
    # "Visible", because the pool and the desk count the Markdown.
    long = f"{length:,} characters of visible text" if record.responses else "a prompt without an answer"
    facts = (f"{kind} {record.external_id[:20]}", record.author and f"by {record.author}", long, _cleaned(record))
    return FirstRecord(
        title=visible(record.title),
        pieces=pieces(excerpt.text, excerpt.marks),
        turns=tuple((message.role, message.content) for message in record.messages),
        raw="\n\n".join(map(visible, raw))
        if (raw := [one.text for one in record.messages if one.markup == "html"])
        else None,
        sign=("warn" if decision.flags else "approved") if decision.kept else "stopped",
        verdict=_verdict(decision, ruleset),
        reason=_reason(decision),
        score=record.score,
        facts=tuple(visible(fact) for fact in (*facts, record.licence) if fact),
    )


def _reason(decision: Decision) -> str | None:
    if decision.kept and not decision.flags:
        return None
    # The verdict beside it says the rest.
    return visible(decision.reason.removeprefix("kept, and marked for "))


def _cleaned(record: Record) -> str | None:
    """What the cleaning takes out of the answers: addresses of links, and images."""
    text = " ".join(one.text for one in record.responses if one.markup == "html")
    counts = {"link": len(re.findall(r"<a\s", text)), "image": len(re.findall(r"<img\s", text))}
    words = [plural(number, noun) for noun, number in counts.items() if number]
    return f"cleaned: {', '.join(words)}" if words else None


def _verdict(decision: Decision, ruleset: Ruleset) -> str:
    if decision.kept:
        return f"Kept, marked: {', '.join(decision.flags)}" if decision.flags else "Would be kept"
    names = [rule.name for rule in ruleset.rules]
    place = f"{names.index(decision.rule) + 1}, " if decision.rule in names else ""
    return f"Dropped by {place}{TITLES.get(decision.rule or '', 'a rule')}"


def _rights(found: Preview) -> Rights:
    record = found.first[0][0] if found.first else None
    asked = record.extra.get("question_author") if record else None
    return Rights(
        licences=", ".join(sorted(found.licences)) or "not named",
        named=100 * found.named / max(1, found.looked_at),
        credit=visible(_credit(record)) if record and (record.author or record.licence) else None,
        asked_by=visible(f"{asked}, {record.extra.get('question_licence')}") if record and asked else None,
    )


def _credit(record: Record) -> str:
    return licences.attribution(
        site="" if record.site == UNNAMED else record.site,
        title=record.title,
        question=record.thread_id,
        url=record.url,
        author=record.author,
        author_url=record.author_url,
        licence=record.licence,
    ).sentence


def _source_options(session: Session, project: Project) -> tuple[tuple[str, str], ...]:
    rows = session.scalars(projects.composition_of(project))
    named = dict.fromkeys((row.source, row.title) for row in rows)
    return (("", "As its exchange or the record says"), *named)
