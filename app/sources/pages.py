"""What the pages of this room show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.errors import Refusal
from app.projects import queries as projects
from app.projects.models import Project
from app.sources import exchanges, queries
from app.sources.formats import FORMATS
from app.sources.forms import rules_from
from app.sources.models import ImportRecord, ImportRun, ImportState
from app.sources.preview import Preview, preview
from app.sources.rules import ALL, Rule
from app.sources.rulesets import LIMA, NONE, Parameter, Ruleset, parameters, ruleset_from
from app.sources.stackexchange import PromptChoice
from app.web.paging import Pager, page_of

TITLES = {kind.name: kind.title for kind in ALL} | {"question": "Answers with a question"}


@dataclass(frozen=True)
class ImportRow:
    """One import in the list."""

    id: int
    name: str
    format: str
    site: str
    state: str
    records: int | None
    created: int | None
    at: datetime
    error: str | None


@dataclass(frozen=True)
class SourcesPage:
    """All imports of a project."""

    rows: Sequence[ImportRow]
    pager: Pager
    may_import: bool


@dataclass(frozen=True)
class NewPage:
    """The form to bring a file in."""

    formats: Sequence[str]
    may_name_folder: bool
    folders: Sequence[str]
    errors: Mapping[str, str]
    typed: Mapping[str, str]


@dataclass(frozen=True)
class RuleRow:
    """One rule of the set-up: its switch, its parameters, what it keeps of what reaches it."""

    name: str
    title: str
    sentence: str
    on: bool
    parameters: Sequence[Parameter]
    kept: int | None
    dropped: int | None
    share: float | None


@dataclass(frozen=True)
class FirstRecord:
    """A record as it will look, and what the rules say of it."""

    title: str
    prompt: str
    response: str
    kept: bool
    verdict: str
    facts: Sequence[str]


@dataclass(frozen=True)
class SetupPage:
    """An import before it starts."""

    id: int
    format: str
    is_dump: bool
    file: str
    bytes: int
    rules: Sequence[RuleRow]
    records: int | None
    would_keep: int | None
    seconds: float | None
    first: Sequence[FirstRecord]
    sources: Sequence[tuple[str, str]]
    typed: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class FunnelRow:
    """A row of the funnel; its numbers open the records behind them."""

    title: str
    hint: str | None
    kept: int
    dropped: int | None
    share: float
    rule: str
    at: bool


@dataclass(frozen=True)
class RecordRow:
    """A record behind a number."""

    external_id: str
    title: str
    excerpt: str
    url: str | None
    kept: bool
    verdict: str


@dataclass(frozen=True)
class ImportPage:
    """An import that runs, failed, or ended in its funnel."""

    id: int
    name: str
    state: str
    error: str | None
    job_id: int | None
    facts: Sequence[tuple[str, str]]
    funnel: Sequence[FunnelRow]
    records: int
    kept: int
    created: int
    into_set: bool
    unreadable: Sequence[tuple[int, str]]
    opened: str | None
    opened_title: str | None
    rows: Sequence[RecordRow]
    pager: Pager | None


@dataclass(frozen=True)
class ExchangesPage:
    """Every known exchange and where it counts in this project."""

    rows: Sequence[tuple[str, str, bool]]
    may_edit: bool


def sources_page(session: Session, project: Project, page_number: int, *, may_import: bool) -> SourcesPage:
    """One page of imports."""
    runs, pager = page_of(session, queries.imports_of(project.id), page_number)
    return SourcesPage(tuple(map(_import_row, runs)), pager, may_import)


def _import_row(run: ImportRun) -> ImportRow:
    return ImportRow(
        run.id,
        run.name,
        FORMATS.get(run.format, run.format),
        run.site,
        run.state.value,
        run.result.get("records"),
        run.result.get("created"),
        run.created_at,
        run.error,
    )


def default_typed(session: Session, project: Project, run: ImportRun) -> dict[str, str]:
    """What the set-up form says before anybody touched it."""
    typed = {"name": run.name, "prompt": "either", "seed": "0", "site": "", "source": "", "into": "pool"}
    ruleset = LIMA if run.format == "stackexchange" else NONE
    latest = next(iter(session.scalars(queries.imports_of(project.id).where(ImportRun.site != "").limit(1))), None)
    if latest is not None and run.format == "stackexchange":
        typed["site"] = latest.site
    return typed | typed_rules(ruleset)


def typed_rules(ruleset: Ruleset) -> dict[str, str]:
    """A ruleset as the fields of the form."""
    fields: dict[str, str] = {}
    for name, setting in ruleset.as_dict()["rules"].items():
        for key, value in setting.items():
            if key == "on":
                if value:
                    fields[f"rule.{name}.on"] = "on"
            else:
                fields[f"rule.{name}.{key}"] = "\n".join(value) if isinstance(value, list) else str(value)
    return fields


def setup_page(
    session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], errors: Mapping[str, str]
) -> SetupPage:
    """The set-up with counts for the rules as typed; a fault in the file is said instead of counts."""
    problems = dict(errors)
    counted: Preview | None = None
    try:
        ruleset = rules_from(typed)
        counted = _count(run, typed, ruleset)
    except Refusal as refusal:
        ruleset = NONE
        problems.setdefault("form", refusal.message)
    path = Path(run.path)
    return SetupPage(
        id=run.id,
        format=FORMATS.get(run.format, run.format),
        is_dump=run.format == "stackexchange",
        file=run.name,
        bytes=sum(file.stat().st_size for file in ([path] if path.is_file() else path.glob("*.*"))),
        rules=_rule_rows(ruleset, typed, counted),
        records=counted.funnel.records if counted else None,
        would_keep=_kept(counted) if counted else None,
        seconds=counted.seconds if counted else None,
        first=_first(counted) if counted else (),
        sources=_source_options(session, project),
        typed=typed,
        errors=problems,
    )


def _count(run: ImportRun, typed: Mapping[str, str], ruleset: Ruleset) -> Preview | None:
    seed = typed.get("seed", "0")
    prompt = PromptChoice(typed.get("prompt", "either"), seed=int(seed) if seed.isdigit() else 0)
    # Counting needs no site; it only names the records. The import insists on the real one.
    site = typed.get("site") or ("unnamed.example.org" if run.format == "stackexchange" else "")
    return preview(Path(run.path), run.format, site, ruleset, prompt, skip_bad="skip_bad" in typed)


def _kept(counted: Preview) -> int:
    return counted.funnel.records - sum(counted.funnel.dropped.values())


def _rule_rows(ruleset: Ruleset, typed: Mapping[str, str], counted: Preview | None) -> tuple[RuleRow, ...]:
    on = {rule.name: rule for rule in ruleset.rules}
    counts = {row["rule"]: row for row in counted.funnel.rows()} if counted else {}
    return tuple(_rule_row(kind, on.get(kind.name), counts.get(kind.name), typed) for kind in ALL)


def _rule_row(
    kind: type[Rule], rule: Rule | None, count: Mapping[str, Any] | None, typed: Mapping[str, str]
) -> RuleRow:
    reached = count["kept"] + count["dropped"] if count else 0
    return RuleRow(
        name=kind.name,
        title=kind.title,
        sentence=kind.sentence,
        on=f"rule.{kind.name}.on" in typed,
        parameters=parameters(rule or kind),
        kept=count["kept"] if count else None,
        dropped=count["dropped"] if count else None,
        share=(100 * count["kept"] / reached if reached else 100.0) if count else None,
    )


def _first(counted: Preview) -> tuple[FirstRecord, ...]:
    return tuple(
        FirstRecord(
            title=record.title,
            prompt=record.prompt,
            response=record.responses[-1].content if record.responses else "",
            kept=decision.kept,
            verdict="Would be kept" if decision.kept else f"Dropped: {decision.reason}",
            facts=tuple(fact for fact in (_score(record.score), record.author, record.licence) if fact),
        )
        for record, decision in counted.first
    )


def _score(score: int | None) -> str | None:
    return None if score is None else f"score {score}"


def _source_options(session: Session, project: Project) -> tuple[tuple[str, str], ...]:
    rows = session.scalars(projects.composition_of(project))
    named = dict.fromkeys((row.source, row.title) for row in rows)
    return (("", "As the record says, or by its exchange"), *named)


def import_page(
    session: Session, run: ImportRun, *, rule: str | None, after: str | None, page_number: int
) -> ImportPage:
    """The funnel, and the records behind the number that was opened."""
    rows: tuple[RecordRow, ...] = ()
    pager, title = None, None
    order = [row["rule"] for row in run.result.get("funnel", ())]
    if run.state is ImportState.PUBLISHED and (rule or after):
        statement, title = _opened(run, order, rule, after)
        found, pager = page_of(session, statement, page_number, 20)
        rows = tuple(
            RecordRow(
                row.external_id,
                row.title,
                row.excerpt,
                row.url,
                row.rule is None,
                "Kept" if row.rule is None else f"{TITLES.get(row.rule, row.rule)}: {row.reason}",
            )
            for row in found
        )
    return ImportPage(
        id=run.id,
        name=run.name,
        state=run.state.value,
        error=run.error,
        job_id=run.job_id,
        facts=_facts(session, run),
        funnel=_funnel(run, rule),
        records=run.result.get("records", 0),
        kept=_funnel_end(run),
        created=run.result.get("created", 0),
        into_set=run.into.value == "set",
        unreadable=tuple((bad["line"], bad["reason"]) for bad in run.result.get("errors", ())[:20]),
        opened=rule or after,
        opened_title=title,
        rows=rows,
        pager=pager,
    )


def _opened(run: ImportRun, order: list[str], rule: str | None, after: str | None) -> tuple[Select[ImportRecord], str]:
    if rule:
        return queries.records_dropped_by(run, rule), f"Dropped by “{TITLES.get(rule, rule)}”"
    if after == "read" or after not in order:
        return queries.records_of(run), "All records read"
    later = order[order.index(after) + 1 :]
    return queries.records_left_after(run, later), f"Left after “{TITLES.get(after, after)}”"


def _funnel_end(run: ImportRun) -> int:
    funnel = run.result.get("funnel") or []
    return int(funnel[-1]["kept"]) if funnel else int(run.result.get("records", 0))


def _funnel(run: ImportRun, opened: str | None) -> tuple[FunnelRow, ...]:
    if not run.result:
        return ()
    hints = {rule.name: _hint(rule) for rule in ruleset_from(run.ruleset).rules}
    rows = [FunnelRow("Read", FORMATS.get(run.format), run.result["records"], None, 100.0, "read", at=False)]
    for row in run.result["funnel"]:
        reached = row["kept"] + row["dropped"]
        share = 100 * row["kept"] / reached if reached else 0.0
        title, name = TITLES.get(row["rule"], row["rule"]), row["rule"]
        rows.append(FunnelRow(title, hints.get(name), row["kept"], row["dropped"], share, name, at=name == opened))
    return tuple(rows)


def _hint(rule: Rule) -> str | None:
    values = [f"{one.label.lower()} {one.value}" for one in parameters(rule) if one.kind != "phrases"]
    return ", ".join(values) or None


def _facts(session: Session, run: ImportRun) -> tuple[tuple[str, str], ...]:
    starter = session.get(User, run.created_by) if run.created_by else None
    result = run.result
    facts = [
        ("Format", FORMATS.get(run.format, run.format)),
        ("Site", run.site or "–"),
        ("Counts towards", run.source or "as each record says"),
        ("Started by", starter.name if starter else "–"),
    ]
    if result:
        facts += [
            ("Took", f"{result['seconds']:.1f} s"),
            ("Peak memory", f"{result['peak_rss_mb']:.0f} MB"),
            ("New", f"{result['created']:,}"),
            ("There already", f"{result['unchanged']:,}"),
            ("Unreadable", f"{len(result['errors']):,}"),
            ("Rules", run.ruleset_hash[:12]),
        ]
    return tuple(facts)


def exchanges_page(session: Session, project: Project, *, may_edit: bool) -> ExchangesPage:
    """Known exchanges by name, with the project's own decisions marked."""
    own = queries.exchange_groups(session, project)
    groups = {**{site: kind.value for site, kind in exchanges.DEFAULT_EXCHANGES.items()}, **own}
    return ExchangesPage(tuple((site, group, site in own) for site, group in sorted(groups.items())), may_edit)
