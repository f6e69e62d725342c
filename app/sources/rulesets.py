"""A set of rules with its parameters: read from JSON, TOML or a form, hashed, and applied in order."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import Refusal
from app.sources.records import Decision, Record
from app.sources.rules import ALL, KEPT, Rule
from app.text.canonical import content_hash
from app.text.wellformed import first_fault

NO_QUESTION = "question"
"""Drops, whatever the rules, an answer whose question is not in the file: it has nothing to answer."""

REPEATED = "repeated"
"""Drops, whatever the rules, a record that stands in its file already, word for word."""

EMPTY = "empty"
"""Drops, whatever the rules, what has no words once images are gone."""


class BadRules(Refusal):
    """The rules cannot be read."""


@dataclass(frozen=True)
class Parameter:
    """One field of a rule as a form shows it; `kind` is int, choice or phrases."""

    name: str
    label: str
    kind: str
    value: Any
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Ruleset:
    """The rules that are switched on, in their order."""

    rules: tuple[Rule, ...]

    def decide(self, record: Record) -> Decision:
        """Keep a record, or drop it by the first rule that objects."""
        if record.repeats is not None:
            return Decision(kept=False, rule=REPEATED, reason=f"the same words stand in line {record.repeats} already")
        if not any(message.role == "user" for message in record.messages):
            return Decision(kept=False, rule=NO_QUESTION, reason="its question is not in the file")
        for rule in self.rules:
            reason = rule.objection(record)
            if reason is not None:
                return Decision(kept=False, rule=rule.name, reason=reason)
        if not all(message.content.strip() for message in record.messages):
            return Decision(kept=False, rule=EMPTY, reason="nothing is left of a message without its images")
        return KEPT

    def objections(self, record: Record) -> dict[str, str | None]:
        """Ask every rule, whatever the ones before it say: rule name -> reason or None."""
        return {rule.name: rule.objection(record) for rule in self.rules}

    def as_dict(self) -> dict[str, Any]:
        """Give the set as plain JSON: each rule with `on` and its parameters."""
        on = {rule.name: rule for rule in self.rules}
        return {"rules": {kind.name: _rule_as_dict(on.get(kind.name), kind) for kind in ALL}}

    @property
    def sha256(self) -> str:
        """The hash of what this set decides: parameters of rules that are off do not count."""
        return content_hash({rule.name: _parameters_of(rule) for rule in self.rules})


@dataclass
class Funnel:
    """Counts decisions: how many records each rule kept and dropped, in order."""

    ruleset: Ruleset
    records: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        """Count one decision."""
        self.records += 1
        if decision.rule is not None:
            self.dropped[decision.rule] = self.dropped.get(decision.rule, 0) + 1

    def rows(self) -> list[dict[str, Any]]:
        """Give one row a rule: {"rule", "kept", "dropped"}; kept falls from row to row."""
        names = [rule.name for rule in self.ruleset.rules]
        names[:0] = [name for name in (REPEATED, NO_QUESTION) if name in self.dropped]
        if EMPTY in self.dropped:
            names.append(EMPTY)
        kept = self.records
        out = []
        for name in names:
            dropped = self.dropped.get(name, 0)
            kept -= dropped
            out.append({"rule": name, "kept": kept, "dropped": dropped})
        return out


LIMA = Ruleset(tuple(kind() for kind in ALL))
NONE = Ruleset(())
PRESETS = {"lima": LIMA, "none": NONE}


def parameters(rule: Rule | type[Rule]) -> tuple[Parameter, ...]:
    """Describe a rule's parameters with their present values (the defaults, for a class)."""
    chosen = rule() if isinstance(rule, type) else rule
    return tuple(
        Parameter(
            name=item.name,
            label=item.metadata["label"],
            kind=_kind_of(item),
            value=getattr(chosen, item.name),
            choices=item.metadata["choices"],
        )
        for item in dataclasses.fields(chosen)  # type: ignore[arg-type]
    )


def ruleset_from(value: str | Mapping[str, Any]) -> Ruleset:
    """Read a set: `lima`, `none`, or {"rules": {name: false | true | {"on", parameter: value}}}.

    A rule that is not named is off. Raises BadRules (422) that names the rule and the field.
    """
    if isinstance(value, str):
        if value not in PRESETS:
            raise BadRules(f"There are no rules called {value!r}; there are {' and '.join(PRESETS)}.")
        return PRESETS[value]
    named = value.get("rules", value)
    if not isinstance(named, Mapping):
        raise BadRules("The rules must be a table of rule names.")
    known = {kind.name: kind for kind in ALL}
    for name in named:
        if name not in known:
            raise BadRules(f"There is no rule called {name!r}; there are {', '.join(known)}.")
    chosen = (_rule_from(kind, named.get(name, False)) for name, kind in known.items())
    return Ruleset(tuple(rule for rule in chosen if rule is not None))


def ruleset_from_file(path: Path) -> Ruleset:
    """Read a set from a JSON or TOML file. Raises BadRules (422)."""
    try:
        text = path.read_text("utf-8-sig")
        value = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise BadRules(f"The rules in {path.name} cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise BadRules(f"The rules in {path.name} must be one table.")
    return ruleset_from(value)


def _rule_from(kind: type[Rule], setting: Any) -> Rule | None:
    if isinstance(setting, bool):
        return kind() if setting else None
    if not isinstance(setting, Mapping):
        raise BadRules(f"The rule {kind.name} takes true, false or a table of parameters.")
    values = dict(setting)
    on = values.pop("on", True)
    if not isinstance(on, bool):
        raise BadRules(f"The rule {kind.name} takes true or false as `on`.")
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise BadRules(f"The rule {kind.name} has no parameter {name!r}.")
    checked = {name: _checked(kind.name, fields[name], item) for name, item in values.items()}
    rule = kind(**checked)
    if getattr(rule, "minimum", 0) > getattr(rule, "maximum", float("inf")):
        raise BadRules(f"The rule {kind.name} has a minimum above its maximum.")
    return rule if on else None


def _checked(rule: str, item: dataclasses.Field[Any], value: Any) -> Any:
    kind, low = _kind_of(item), item.metadata["low"]
    if kind == "int":
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
            raise BadRules(f"{rule}.{item.name} must be a whole number, not {value!r}.")
        if low is not None and value < low:
            raise BadRules(f"{rule}.{item.name} must be at least {low}.")
        return value
    if kind == "choice":
        if value not in item.metadata["choices"]:
            raise BadRules(f"{rule}.{item.name} must be one of {', '.join(item.metadata['choices'])}.")
        return value
    return _phrases(f"{rule}.{item.name}", value)


def _phrases(name: str, value: Any) -> tuple[str, ...]:
    items: Iterable[Any] = value.splitlines() if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise BadRules(f"{name} must be a list of phrases.")
    if fault := first_fault("\n".join(items)):
        raise BadRules(f"{name} holds {fault}, which cannot be stored.")
    phrases = tuple(dict.fromkeys(" ".join(item.split()) for item in items if item.strip()))
    if len(phrases) > 200 or any(len(phrase) > 200 for phrase in phrases):
        raise BadRules(f"{name} takes at most 200 phrases of 200 characters.")
    return phrases


def _kind_of(item: dataclasses.Field[Any]) -> str:
    if item.metadata["choices"]:
        return "choice"
    return "int" if isinstance(item.default, int) else "phrases"


def _rule_as_dict(rule: Rule | None, kind: type[Rule]) -> dict[str, Any]:
    return {"on": rule is not None, **_parameters_of(rule or kind())}


def _parameters_of(rule: Rule) -> dict[str, Any]:
    values = {item.name: item.value for item in parameters(rule)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
