"""A project's house style: which rules are on and how they are set; read from a document, asked about messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from app.examples.style import RULES
from app.examples.style.base import MOST, Draft, Habit, Remark, Rule
from app.sources.rulesets import BadRules, checked, parameters

BY_NAME = {kind.name: kind for kind in RULES}


@dataclass(frozen=True)
class About:
    """What is known of an example beside its words."""

    language: str | None = None
    habit: Habit | None = None


NOTHING_KNOWN = About()


@dataclass(frozen=True)
class Sheet:
    """The rules that are on, in their order; those that are off keep how they were set."""

    rules: tuple[Rule, ...] = field(default_factory=lambda: tuple(kind() for kind in RULES))
    off: tuple[Rule, ...] = ()

    def remarks(self, messages: Sequence[Mapping[str, Any]], about: About = NOTHING_KNOWN) -> tuple[Remark, ...]:
        """Everything that the rules say of these messages, in the order of the words."""
        found = [
            remark
            for draft in drafts(messages, about)
            for rule in self.rules
            if draft.role in rule.roles and draft.text.strip()
            for remark in islice(rule.remarks(draft), MOST)
        ]
        return tuple(sorted(found, key=lambda remark: (remark.message, remark.start, remark.end)))

    def as_dict(self) -> dict[str, Any]:
        """The same as a document: {rule: {"on", parameter: value, …}, …} in the order of the page."""
        rows = {rule.name: {"on": True, **_values(rule)} for rule in self.rules}
        rows |= {rule.name: {"on": False, **_values(rule)} for rule in self.off}
        return {kind.name: rows[kind.name] for kind in RULES if kind.name in rows}


def drafts(messages: Sequence[Mapping[str, Any]], about: About) -> list[Draft]:
    """Each message as the rules read it: a response with the prompt before it."""
    found, prompt = [], ""
    for index, message in enumerate(messages):
        text = str(message["content"])
        found.append(Draft(text, message["role"], prompt, about.language, about.habit, index))
        prompt = text if message["role"] == "user" else prompt
    return found


def sheet_from(document: Mapping[str, Any]) -> Sheet:
    """Read {rule: {"on": bool, parameter: value, …} | bool, …}; a rule that is not named is on, as it is by itself.

    Raises BadRules (422) that names the rule and the field.
    """
    for name in document:
        if name not in BY_NAME:
            raise BadRules(f"There is no rule of style called {str(name)[:60]!r}; there are {', '.join(BY_NAME)}.")
    read = [_rule_from(kind, document.get(kind.name, True)) for kind in RULES]
    return Sheet(tuple(rule for rule, on in read if on), tuple(rule for rule, on in read if not on))


def _rule_from(kind: type[Rule], setting: Any) -> tuple[Rule, bool]:
    if isinstance(setting, bool):
        return kind(), setting
    if not isinstance(setting, Mapping) or not isinstance(setting.get("on", True), bool):
        raise BadRules(f"The rule {kind.name} takes true, false, or a table of parameters with `on`.")
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {name: value for name, value in setting.items() if name != "on"}
    for name in values:
        if name not in fields:
            raise BadRules(f"The rule {kind.name} has no parameter {str(name)[:60]!r}.")
    rule = kind(**{name: checked(kind.name, fields[name], value) for name, value in values.items()})
    return rule, bool(setting.get("on", True))


def _values(rule: Rule) -> dict[str, Any]:
    values = {item.name: item.value for item in parameters(rule)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
