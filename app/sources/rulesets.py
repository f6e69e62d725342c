"""A set of rules with its parameters and its order: read from a document, hashed, and applied."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.errors import Refusal
from app.sources.records import Decision, Record
from app.sources.rules import (
    ALL,
    KEPT,
    DuplicateTitles,
    FirstPerson,
    Length,
    Over18,
    References,
    Remark,
    Removed,
    Rule,
    Score,
    TopAnswer,
)
from app.text.canonical import content_hash
from app.text.wellformed import first_fault

NO_QUESTION = "question"
"""Drops, whatever the rules, an answer whose question is not in the file: it has nothing to answer."""

REPEATED = "repeated"
"""Drops, whatever the rules, a record that stands in its file already, word for word."""

EMPTY = "empty"
"""Drops, whatever the rules, what has no words once images are gone."""

BY_NAME = {kind.name: kind for kind in ALL}


class BadRules(Refusal):
    """The rules cannot be read."""

    # The parameter that it is about, as length.minimum, where it is about one.
    field = ""


@dataclass(frozen=True)
class Parameter:
    """One field of a rule as a form shows it; `kind` is int, choice, phrases (one a line) or codes (short words)."""

    name: str
    label: str
    kind: str
    value: Any
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Ruleset:
    """The rules that are switched on, in their order; `off` are those that a document names and switches off.

    Rules that compare records need a memory: `begin` gives the same set with judges that have seen nothing yet.
    """

    rules: tuple[Rule, ...]
    off: tuple[Rule, ...] = field(default=(), compare=False)
    judges: tuple[Rule, ...] | None = field(default=None, compare=False, repr=False)

    def begin(self) -> Ruleset:
        """Give this set for one reading of one input."""
        return dataclasses.replace(self, judges=tuple(rule.begin() for rule in self.rules))

    def decide(self, record: Record) -> Decision:
        """Keep a record, or drop it by the first rule that objects; what is kept may be marked for a person."""
        if record.repeats is not None:
            return Decision(kept=False, rule=REPEATED, reason=f"the same words stand in line {record.repeats} already")
        judges = self.rules if self.judges is None else self.judges
        for rule in judges:
            reason = rule.objection(record)
            if reason is not None:
                return Decision(kept=False, rule=rule.name, reason=reason)
        # After the rules: of a file of comments alone the funnel still tells what they say of each.
        if not record.has_question:
            return Decision(kept=False, rule=NO_QUESTION, reason="its question is not in the file")
        if not all(message.content.strip() for message in record.messages):
            return Decision(kept=False, rule=EMPTY, reason="nothing is left of a message without its images")
        remarks = [remark for rule in judges if rule.marks for remark in rule.remarks(record)]
        return _marked(remarks) if remarks else KEPT

    def as_dict(self) -> dict[str, Any]:
        """Give the set as plain JSON: a list of rules in their order, each with `on` and its parameters."""
        on = [{"rule": rule.name, "on": True, **_parameters_of(rule)} for rule in self.rules]
        return {"rules": on + [{"rule": rule.name, "on": False, **_parameters_of(rule)} for rule in self.off]}

    @property
    def sha256(self) -> str:
        """The hash of what this set decides: order and parameters of the rules that are on."""
        return content_hash([{"rule": rule.name, **_parameters_of(rule)} for rule in self.rules])


def _marked(remarks: Sequence[Remark]) -> Decision:
    flags = tuple(dict.fromkeys(remark.word for remark in remarks))
    return Decision(kept=True, rule=None, reason=f"kept, and marked for {remarks[0].reason}", flags=flags)


@dataclass
class Funnel:
    """Counts the decisions of one import: how many records each rule kept and dropped, in order."""

    ruleset: Ruleset
    records: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    flagged: int = 0

    def __post_init__(self) -> None:
        """Give the rules a fresh memory."""
        self.ruleset = self.ruleset.begin()

    def add(self, decision: Decision) -> None:
        """Count one decision."""
        self.records += 1
        self.flagged += bool(decision.flags)
        if decision.rule is not None:
            self.dropped[decision.rule] = self.dropped.get(decision.rule, 0) + 1

    def rows(self) -> list[dict[str, Any]]:
        """Give one row a rule: {"rule", "kept", "dropped"}; kept falls from row to row."""
        names = [rule.name for rule in self.ruleset.rules]
        names[:0] = [name for name in (REPEATED,) if name in self.dropped]
        names += [name for name in (NO_QUESTION, EMPTY) if name in self.dropped]
        kept = self.records
        out = []
        for name in names:
            dropped = self.dropped.get(name, 0)
            kept -= dropped
            out.append({"rule": name, "kept": kept, "dropped": dropped})
        return out


LIMA = Ruleset((TopAnswer(), Score(), Length(), FirstPerson(), References()))
NONE = Ruleset(())
PRESETS = {
    # What lima.md's sources ask for; how they are sampled is a plan of the pool.
    "lima": LIMA,
    "lima-wikihow": Ruleset((DuplicateTitles(),)),
    "lima-reddit": Ruleset((Removed(), Over18(), TopAnswer(), Score(), DuplicateTitles())),
    "none": NONE,
}
PRESET_WORDS = {
    "lima": "Stack Exchange as LIMA's authors filtered it",
    "lima-wikihow": "wikiHow: each title once",
    "lima-reddit": "Reddit: what is there still and fit for everybody, the best of each thread, each title once",
    "none": "everything is kept",
}


def parameters(rule: object) -> tuple[Parameter, ...]:
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


def described() -> dict[str, Any]:
    """Everything that a rules file may name: {"rules": [name, sentence, parameters with defaults, …], "presets"}."""
    rules = [
        {
            "rule": kind.name,
            "title": kind.title,
            "sentence": kind.sentence,
            "applies": kind.applies,
            "marks": kind.marks,
            "parameters": [_described(one) for one in parameters(kind)],
        }
        for kind in ALL
    ]
    return {"rules": rules, "presets": {name: ruleset.as_dict() for name, ruleset in PRESETS.items()}}


def _described(one: Parameter) -> dict[str, Any]:
    default = list(one.value) if isinstance(one.value, tuple) else one.value
    kind = "list" if one.kind in {"phrases", "codes"} else one.kind
    return {"name": one.name, "label": one.label, "kind": kind, "default": default, "choices": list(one.choices)}


def ruleset_from(value: str | Mapping[str, Any]) -> Ruleset:
    """Read a set: a preset's name, or {"rules": [{"rule": name, "on": bool, parameter: value, …}, …]} in its order.

    A table {"rules": {name: false | true | {"on", parameter: value}}} is read too, its order being the table's. A
    rule that is not named is off. Raises BadRules (422) that names the rule and the field.
    """
    if isinstance(value, str):
        if value not in PRESETS:
            *others, last = PRESETS
            raise BadRules(f"There are no rules called {value!r}; there are {', '.join(others)} and {last}.")
        return PRESETS[value]
    named: dict[str, tuple[Rule, bool]] = {}
    for name, setting in _settings(value.get("rules", value.get("rule", value))):
        if name not in BY_NAME:
            raise BadRules(f"There is no rule called {name!r}; there are {', '.join(BY_NAME)}.")
        if name in named:
            raise BadRules(f"The rule {name} is named twice.")
        named[name] = _rule_from(BY_NAME[name], setting)
    return Ruleset(
        tuple(rule for rule, on in named.values() if on), off=tuple(rule for rule, on in named.values() if not on)
    )


def _settings(rules: Any) -> Iterator[tuple[str, Any]]:
    """Each rule's name with its settings, from a list or from a table."""
    if isinstance(rules, Mapping):
        yield from rules.items()
    elif isinstance(rules, list):
        for number, one in enumerate(rules, start=1):
            if not isinstance(one, Mapping) or not isinstance(one.get("rule"), str):
                raise BadRules(f'Rule {number} of the list does not say which it is: {{"rule": NAME, …}}.')
            yield one["rule"], {name: item for name, item in one.items() if name != "rule"}
    else:
        raise BadRules("The rules must be a list of rules, or a table of rule names.")


def _rule_from(kind: type[Rule], setting: Any) -> tuple[Rule, bool]:
    if isinstance(setting, bool):
        return kind(), setting
    if not isinstance(setting, Mapping):
        raise BadRules(f"The rule {kind.name} takes true, false or a table of parameters.")
    values = dict(setting)
    on = values.pop("on", True)
    if not isinstance(on, bool):
        raise BadRules(f"The rule {kind.name} takes true or false as `on`.")
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise BadRules(f"The rule {kind.name} has no parameter {str(name)[:60]!r}{_has(fields)}.")
    rule = kind(**{name: _fitting(kind.name, fields[name], item) for name, item in values.items()})
    if getattr(rule, "minimum", 0) > getattr(rule, "maximum", float("inf")):
        raise _about(f"{kind.name}.minimum", BadRules(f"The rule {kind.name} has a minimum above its maximum."))
    return rule, on


def _fitting(rule: str, item: dataclasses.Field[Any], value: Any) -> Any:
    try:
        return checked(rule, item, value)
    except BadRules as refusal:
        raise _about(f"{rule}.{item.name}", refusal) from None


def _about(field: str, refusal: BadRules) -> BadRules:
    refusal.field = field
    return refusal


def _has(fields: Iterable[str]) -> str:
    return f"; it has {', '.join(fields)}" if fields else "; it has none"


def checked(rule: str, item: dataclasses.Field[Any], value: Any) -> Any:
    """Give a parameter's value as its field wants it. Raises BadRules (422) that names rule and field."""
    kind, low = _kind_of(item), item.metadata["low"]
    if kind == "int":
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
            raise BadRules(f"{rule}.{item.name} must be a whole number, not {str(value)[:60]!r}.")
        if low is not None and value < low:
            raise BadRules(f"{rule}.{item.name} must be at least {low}.")
        return value
    if kind == "choice":
        if value not in item.metadata["choices"]:
            raise BadRules(f"{rule}.{item.name} must be one of {', '.join(item.metadata['choices'])}.")
        return value
    return _phrases(f"{rule}.{item.name}", value, item.metadata["pattern"])


def _phrases(name: str, value: Any, pattern: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[\s,;]+", value) if pattern else value.splitlines()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BadRules(f"{name} must be a list of phrases.")
    if fault := first_fault("\n".join(value)):
        raise BadRules(f"{name} holds {fault}, which cannot be stored.")
    phrases = tuple(dict.fromkeys(" ".join(item.split()) for item in value if item.strip()))
    if len(phrases) > 200 or any(len(phrase) > 200 for phrase in phrases):
        raise BadRules(f"{name} takes at most 200 phrases of 200 characters.")
    for phrase in phrases:
        if pattern and not re.fullmatch(pattern, phrase):
            raise BadRules(f"{name} takes two small letters a language, such as en, not {phrase!r}.")
    return phrases


def _kind_of(item: dataclasses.Field[Any]) -> str:
    if item.metadata["choices"]:
        return "choice"
    if isinstance(item.default, int):
        return "int"
    return "codes" if item.metadata["pattern"] else "phrases"


def _parameters_of(rule: Rule) -> dict[str, Any]:
    values = {item.name: item.value for item in parameters(rule)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
