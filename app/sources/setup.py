"""What the set-up of an import shows: its rules with their counts, the first records, where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.errors import Refusal
from app.projects import queries as projects
from app.projects.models import Project
from app.sources import licences
from app.sources.excerpts import Piece, excerpt_of, pieces, visible
from app.sources.exchanges import site_host
from app.sources.formats import needs_site, rules_of, title_of
from app.sources.forms import rules_from, typed_rules
from app.sources.models import ImportRun
from app.sources.preview import Preview, preview
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, Decision, Record
from app.sources.rules import ALL, Rule
from app.sources.rulesets import NONE, Parameter, Ruleset, parameters, ruleset_from
from app.sources.shell import import_command

# Counting needs no site: it only names the records. The import insists on the real one.
UNNAMED = "unnamed.example.org"
HINTS = {
    "top_answer": "The highest score of its question.",
    "score": "What its readers thought of it.",
    "length": "In characters, both limits included.",
    "first_person": "Whole words, not in code or quotes.",
    "references": "The text must stand by itself.",
}
PLACES = {kind.name: place for place, kind in enumerate(ALL, start=1)}


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
    """One rule: its switch, its settings, what it keeps of what reaches it (None where nothing was counted)."""

    name: str
    title: str
    hint: str
    sentence: str
    on: bool
    settings: Sequence[Setting]
    kept: int | None
    dropped: int | None
    share: float | None


@dataclass(frozen=True)
class FirstRecord:
    """A record as it will look, and what the rules say of it."""

    title: str
    pieces: Sequence[Piece]
    turns: Sequence[tuple[str, str]]
    kept: bool
    verdict: str
    reason: str | None
    score: int | None
    facts: Sequence[str]


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
class SetupPage:
    """An import before it starts; `unreadable` where the file itself is what errors["form"] speaks of."""

    id: int
    heading: str
    format: str
    format_title: str
    is_dump: bool
    files: Sequence[tuple[str, int]]
    rules: Sequence[RuleRow]
    counted: Counted | None
    first: Sequence[FirstRecord]
    rights: Rights | None
    sources: Sequence[tuple[str, str]]
    command: str
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    unreadable: bool = False


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
    return typed | ({"skip_bad": "true"} if run.skip_bad else {}) | typed_rules(ruleset)


def setup_page(session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], longest: int) -> SetupPage:
    """The set-up with counts for the rules as typed; what is wrong with the file or the rules is said instead."""
    errors: dict[str, str] = {}
    counted: Preview | None = None
    site = typed.get("site", "").strip()
    if site and needs_site(run.format):
        try:
            site = site_host(site)
        except Refusal as refusal:
            errors["site"], site = refusal.message, ""
    unreadable = False
    try:
        ruleset = rules_from(typed)
        counted = _look(run, typed, site, ruleset, longest)
    except Refusal as refusal:
        errors["form"], ruleset = refusal.message, NONE
        unreadable = isinstance(refusal, BadInput)
    page = _page(session, project, run, typed, errors, ruleset, counted)
    return replace(page, unreadable=unreadable)


def refused_page(
    session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], errors: Mapping[str, str]
) -> SetupPage:
    """The set-up as it was typed, with what does not fit; nothing is counted, so that it is there at once."""
    try:
        ruleset = rules_from(typed)
    except Refusal:
        ruleset = NONE
    return _page(session, project, run, typed, errors, ruleset, None)


def _look(run: ImportRun, typed: Mapping[str, str], site: str, ruleset: Ruleset, longest: int) -> Preview:
    seed = typed.get("seed", "")
    options = ReadOptions(
        site=site or (UNNAMED if needs_site(run.format) else None),
        skip_bad="skip_bad" in typed,
        prompt=PromptChoice(typed.get("prompt", "either"), seed=int(seed) if seed.isdecimal() else 0),
        name=run.options.get("file"),
        licence=typed.get("licence") or None,
        longest=longest,
    )
    format = run.format if needs_site(run.format) else typed.get("format") or run.format
    return preview(Path(run.path), format, ruleset, options)


def _page(
    session: Session,
    project: Project,
    run: ImportRun,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    ruleset: Ruleset,
    found: Preview | None,
) -> SetupPage:
    return SetupPage(
        id=run.id,
        heading=visible(run.name),
        format=run.format,
        format_title=title_of(run.format),
        is_dump=needs_site(run.format),
        files=_files(run),
        rules=_rule_rows(ruleset, typed, found),
        counted=_counted(found) if found else None,
        first=tuple(_first(record, decision) for record, decision in found.first) if found else (),
        rights=_rights(found) if found else None,
        sources=_source_options(session, project),
        command=import_command(
            project.slug,
            run.options.get("file") or run.name,
            typed.get("site", ""),
            typed.get("source"),
            typed.get("into", "pool"),
            ruleset,
        ),
        typed=typed,
        errors=errors,
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
    on = {rule.name: rule for rule in ruleset.rules}
    counts = {row["rule"]: row for row in found.funnel.rows()} if found else {}
    return tuple(_rule_row(kind, on.get(kind.name), counts.get(kind.name), typed) for kind in ALL)


def _rule_row(
    kind: type[Rule], rule: Rule | None, count: Mapping[str, Any] | None, typed: Mapping[str, str]
) -> RuleRow:
    reached = count["kept"] + count["dropped"] if count else 0
    return RuleRow(
        name=kind.name,
        title=kind.title,
        hint=HINTS.get(kind.name, kind.sentence),
        sentence=kind.sentence,
        on=f"rule.{kind.name}.on" in typed,
        settings=_settings(kind.name, parameters(rule or kind), typed),
        kept=count["kept"] if count else None,
        dropped=count["dropped"] if count else None,
        share=(100 * count["kept"] / reached if reached else 100.0) if count else None,
    )


def _settings(rule: str, known: Sequence[Parameter], typed: Mapping[str, str]) -> tuple[Setting, ...]:
    has_both_ends = {"minimum", "maximum"} <= {one.name for one in known}
    shown = {"minimum": "", "maximum": "to"} if has_both_ends else {}
    return tuple(_setting(rule, one, shown.get(one.name), typed) for one in known)


def _setting(rule: str, one: Parameter, shown: str | None, typed: Mapping[str, str]) -> Setting:
    name = f"rule.{rule}.{one.name}"
    default = "\n".join(one.value) if one.kind == "phrases" else str(one.value)
    value = typed.get(name, default)
    if one.kind == "int" and value.isdecimal() and value.isascii():
        value = f"{int(value):,}"
    return Setting(name, name.replace(".", "-").replace("_", "-"), one.label, shown, one.kind, value, one.choices)


def _first(record: Record, decision: Decision) -> FirstRecord:
    excerpt = excerpt_of(record, decision)
    kind = "answer" if record.is_top is not None else "record"
    length = sum(len(message.visible) for message in record.responses)
    # "Visible", because the pool and the desk count the Markdown.
    long = f"{length:,} characters of visible text"
    facts = (f"{kind} {record.external_id[:20]}", record.author and f"by {record.author}", long)
    return FirstRecord(
        title=visible(record.title),
        pieces=pieces(excerpt.text, excerpt.marks),
        turns=tuple((message.role, message.content) for message in record.messages),
        kept=decision.kept,
        verdict=_verdict(decision),
        reason=None if decision.kept else decision.reason,
        score=record.score,
        facts=tuple(visible(fact) for fact in (*facts, record.licence) if fact),
    )


def _verdict(decision: Decision) -> str:
    if decision.kept:
        return "Would be kept"
    place = PLACES.get(decision.rule or "")
    return f"Dropped by {place}, {ALL[place - 1].title}" if place else "Dropped"


def _rights(found: Preview) -> Rights:
    record = found.first[0][0] if found.first else None
    asked = record.extra.get("question_author") if record else None
    return Rights(
        licences=", ".join(sorted(found.licences)) or "not named",
        named=100 * found.named / max(1, found.records),
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
