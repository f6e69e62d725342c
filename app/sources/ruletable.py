"""The table of rules on the set-up of an import: switches, settings, what each one keeps of the sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sources.forms import RULE, as_typed, faults_of, order_of
from app.sources.preview import Preview
from app.sources.rules import ALL, Rule
from app.sources.rulesets import (
    BY_NAME,
    EMPTY,
    NO_QUESTION,
    REPEATED,
    Parameter,
    Ruleset,
    parameters,
)
from app.sources.rulewords import TITLES

FIXED = {
    REPEATED: "The same words twice in the file.",
    NO_QUESTION: "Without one there is nothing to answer.",
    EMPTY: "Of the others nothing is left.",
}


@dataclass(frozen=True)
class Setting:
    """One parameter of a rule as a control: its name and id in the form, its value as typed.

    `shown` is its label where the whole one is for screen readers only: 1,200 to 4,096. `error` is what is wrong with
    the value.
    """

    name: str
    id: str
    label: str
    shown: str | None
    kind: str
    value: str
    choices: Sequence[str]
    error: str | None


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


def rule_rows(ruleset: Ruleset, typed: Mapping[str, str], found: Preview | None) -> tuple[RuleRow, ...]:
    """The rules of the table in their order, and among them what drops records whatever the rules."""
    on = {rule.name: rule for rule in ruleset.rules}
    faults = faults_of(typed)
    counts = {row["rule"]: row for row in found.funnel.rows()} if found else {}
    names = order_of(typed)
    names[:0] = [name for name in (REPEATED,) if name in counts]
    names += [name for name in (NO_QUESTION, EMPTY) if name in counts]
    return tuple(
        _fixed_row(name, counts[name])
        if name in FIXED
        else _rule_row(BY_NAME[name], on.get(name), counts.get(name), typed, found, faults)
        for name in names
    )


def more_rows(typed: Mapping[str, str], found: Preview | None) -> tuple[RuleRow, ...]:
    """The other rules, those first that have something to look at."""
    listed = order_of(typed)
    rows = [_rule_row(kind, None, None, typed, found, {}) for kind in ALL if kind.name not in listed]
    return tuple(sorted(rows, key=lambda row: not row.fits))


def _rule_row(
    kind: type[Rule],
    rule: Rule | None,
    count: Mapping[str, Any] | None,
    typed: Mapping[str, str],
    found: Preview | None,
    faults: Mapping[str, str],
) -> RuleRow:
    # As the form has it: a limit that is none counts nothing, but it switches no rule off.
    names = [name for name in order_of(typed) if f"{RULE}{name}.on" in typed]
    return RuleRow(
        name=kind.name,
        title=kind.title,
        hint=kind.hint,
        sentence=kind.sentence,
        applies=kind.applies,
        on=kind.name in names,
        place=names.index(kind.name) + 1 if kind.name in names else None,
        fits=found is None or kind.name in found.fitting,
        fixed=False,
        settings=_settings(kind.name, parameters(rule or kind), typed, faults),
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


def _settings(
    rule: str, known: Sequence[Parameter], typed: Mapping[str, str], faults: Mapping[str, str]
) -> tuple[Setting, ...]:
    has_both_ends = {"minimum", "maximum"} <= {one.name for one in known}
    shown = {"minimum": "", "maximum": "to"} if has_both_ends else {}
    return tuple(_setting(rule, one, shown.get(one.name), typed, faults) for one in known)


def _setting(
    rule: str, one: Parameter, shown: str | None, typed: Mapping[str, str], faults: Mapping[str, str]
) -> Setting:
    name = f"rule.{rule}.{one.name}"
    value = typed.get(name, as_typed(one))
    if one.kind == "int" and value.isdecimal() and value.isascii():
        value = f"{int(value):,}"
    control = name.replace(".", "-").replace("_", "-")
    return Setting(name, control, one.label, shown, one.kind, value, one.choices, faults.get(name))
