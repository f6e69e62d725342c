"""The pages of house style: the rules with what they would say, the guide with its models, and the voices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.errors import Refusal
from app.examples import style_queries
from app.examples.labels import SourceLabel, SourceLabels, shown_title
from app.examples.style import RULES
from app.examples.style.counting import lint
from app.examples.style.layout import HEADING, ITEM
from app.examples.style.sheet import About, Sheet, sheet_from
from app.examples.style_forms import as_field, field_name, rules_typed
from app.examples.style_queries import COUNTED, OF_EACH, Written
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.sources.rulesets import Parameter, parameters
from app.text.counting import count_words

MODELS = 12


@dataclass(frozen=True)
class SettingView:
    """A setting of a rule as a control."""

    name: str
    id: str
    label: str
    kind: str
    value: str
    choices: Sequence[str]


@dataclass(frozen=True)
class StyleRow:
    """One rule: its switch, its reason, its settings; `count` remarks on the examples counted, None where it is off."""

    name: str
    title: str
    why: str
    suspects: bool
    on: bool
    settings: Sequence[SettingView]
    count: int | None
    examples: int


@dataclass(frozen=True)
class StylePage:
    """The project's rules with what they say of its latest examples."""

    slug: str
    rows: Sequence[StyleRow]
    counted: int
    most: int
    may_change: bool
    problem: str

    @property
    def on(self) -> int:
        """How many rules are on."""
        return sum(row.on for row in self.rows)

    @property
    def remarks(self) -> int:
        """How many remarks they make."""
        return sum(row.count or 0 for row in self.rows)


@dataclass(frozen=True)
class ModelRow:
    """A model example, whole."""

    id: int
    source: SourceLabel
    messages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class GuidePage:
    """The style guide and the models."""

    slug: str
    name: str
    guide: str
    models: Sequence[ModelRow]
    rules: Sequence[str]
    may_change: bool
    typed: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Voice:
    """How somebody writes: counts over their latest examples, lengths in words of a response."""

    name: str
    examples: int
    words: int
    shortest: int
    longest: int
    headings: int
    lists: int
    remarks: float
    most: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class VoicesPage:
    """The people by name, and all of them together."""

    slug: str
    voices: Sequence[Voice]
    together: Voice | None
    of_each: int


def style_page(
    session: Session, access: ProjectAccess, typed: Mapping[str, str] | None = None, problem: str = ""
) -> StylePage:
    """The rules as they are saved, or as they are typed, with what they say of the project's latest examples."""
    saved = style_queries.sheet_of(session, access.project.id)
    sheet, problem = _typed_sheet(saved, typed, problem)
    texts = list(islice(style_queries.linted(session, access.project.id, sheet, COUNTED), COUNTED))
    report = lint(sheet, texts)
    spread = Counter(rule for rule, _ in {(item["rule"], item["example"]) for item in report.items})
    on = {rule.name: rule for rule in sheet.rules}
    known = on | {rule.name: rule for rule in sheet.off}
    rows = [
        StyleRow(
            name=kind.name,
            title=kind.title,
            why=kind.why,
            suspects=kind.suspects,
            on=kind.name in on,
            settings=[_setting(kind.name, one, typed) for one in parameters(known[kind.name])],
            count=report.counts[kind.name] if kind.name in on else None,
            examples=spread[kind.name],
        )
        for kind in RULES
    ]
    lead = access.role is Role.ADMIN and access.project.archived_at is None
    return StylePage(access.project.slug, rows, report.texts, COUNTED, lead, problem)


def _typed_sheet(saved: Sheet, typed: Mapping[str, str] | None, problem: str) -> tuple[Sheet, str]:
    if typed is None:
        return saved, problem
    try:
        return sheet_from(rules_typed(typed)), problem
    except Refusal as refusal:
        return saved, problem or refusal.message


def _setting(rule: str, one: Parameter, typed: Mapping[str, str] | None) -> SettingView:
    name = field_name(rule, one.name)
    value = (typed or {}).get(name, as_field(one))
    return SettingView(name, name.replace(".", "-").replace("_", "-"), one.label, one.kind, value, one.choices)


def guide_page(session: Session, access: ProjectAccess, typed: str = "", problem: str = "") -> GuidePage:
    """The guide as its lead wrote it, and the examples that are shown as models; what was typed, if it does not fit."""
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    found = session.execute(style_queries.models_of(access.project.id).limit(MODELS)).all()
    sheet = style_queries.sheet_of(session, access.project.id)
    return GuidePage(
        slug=access.project.slug,
        name=shown_title(access.project.name),
        guide=access.project.guide,
        models=[ModelRow(example.id, labels.of(example.source), revision.messages) for example, revision in found],
        rules=[rule.title for rule in sheet.rules],
        may_change=access.role is Role.ADMIN and access.project.archived_at is None,
        typed=typed,
        problem=problem,
    )


def voices_page(session: Session, access: ProjectAccess) -> VoicesPage:
    """Each person's latest examples, counted; sorted by name, for nobody is first in style."""
    project = access.project
    sheet = style_queries.sheet_of(session, project.id)
    written = style_queries.written(session, project.id)
    voices = [_voice(author, list(theirs), sheet) for author, theirs in groupby(written, key=lambda one: one.author)]
    together = _voice("All together", written, sheet) if len(voices) > 1 else None
    return VoicesPage(project.slug, voices, together, OF_EACH)


def _voice(name: str, written: Sequence[Written], sheet: Sheet) -> Voice:
    counts: Counter[str] = Counter()
    for one in written:
        counts.update(remark.rule for remark in sheet.remarks(one.messages, About(one.language)))
    responses = [str(one["content"]) for text in written for one in text.messages if one["role"] == "assistant"]
    lengths = [count_words(text) for text in responses] or [0]
    titles = {kind.name: kind.title for kind in RULES}
    return Voice(
        name=shown_title(name),
        examples=len(written),
        words=round(median(lengths)),
        shortest=min(lengths),
        longest=max(lengths),
        headings=_share(responses, HEADING),
        lists=_share(responses, ITEM),
        remarks=sum(counts.values()) / max(1, len(written)),
        most=[(titles[rule], count) for rule, count in counts.most_common(3)],
    )


def _share(responses: Sequence[str], sign: Any) -> int:
    """In how many of a hundred responses some line begins so."""
    hits = sum(any(sign.match(line) for line in text.split("\n")) for text in responses)
    return round(100 * hits / max(1, len(responses)))
