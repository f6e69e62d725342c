"""Rules as a file: JSON, TOML or YAML in, TOML with a sentence above each rule out."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from app.sources.rules import Rule
from app.sources.rulesets import BadRules, Ruleset, ruleset_from

LARGEST = 100_000
"""Characters of a rules file; the longest that a page writes is a tenth of it."""


def ruleset_from_file(path: Path) -> Ruleset:
    """Read a set from a file. Raises BadRules (422)."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise BadRules(f"The rules in {path.name} cannot be read: {error}.") from error
    return ruleset_from_text(text, path.name)


def ruleset_from_text(text: str, name: str = "the text") -> Ruleset:
    """Read a set from the text of a file: in the form that its name says, else that it looks like.

    A text that is the name of a preset means that. Raises BadRules (422) with `name` and what is wrong.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > LARGEST:
        raise BadRules(f"The rules in {name} are longer than {LARGEST:,} characters.")
    if re.fullmatch(r"\s*[\w-]{1,40}\s*", text):
        return ruleset_from(text.strip())
    try:
        value = _parsed(text, name)
    except RecursionError as error:
        raise BadRules(f"The rules in {name} cannot be read: they are nested too deep.") from error
    if isinstance(value, list):
        value = {"rules": value}
    if not isinstance(value, dict):
        raise BadRules(f"The rules in {name} must be one table, or a list of rules.")
    try:
        return ruleset_from(value)
    except BadRules as error:
        raise BadRules(f"In {name}: {error.message}") from error


def _parsed(text: str, name: str) -> Any:
    ending = Path(name).suffix.lower()
    if ending not in _PARSERS:
        ending = next(form for form, looks in _LOOKS.items() if looks.search(text))
    kind, parse = _PARSERS[ending]
    return _read_as(kind, parse, text, name)


def _read_as(kind: str, parse: Callable[[str], Any], text: str, name: str) -> Any:
    try:
        return parse(text)
    except (ValueError, yaml.YAMLError) as error:
        words = " ".join(str(error).split())[:300]
        raise BadRules(f"The rules in {name} cannot be read as {kind}: {words.removesuffix('.')}.") from error


class _Plain(yaml.SafeLoader):  # type: ignore[misc]
    """Reads plain values; `on` is a word, which YAML 1.1 takes for true, and only true and false are truth values."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias, by which a few lines grow without end."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"line {self.peek_event().start_mark.line + 1} has an alias, which rules do not need")
        return super().compose_node(parent, index)


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=_Plain)  # noqa: S506 - a safe loader of ours


_PARSERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    ".json": ("JSON", json.loads),
    ".toml": ("TOML", tomllib.loads),
    ".yaml": ("YAML", _yaml),
    ".yml": ("YAML", _yaml),
}
# How a text looks whose name says nothing of its form.
_LOOKS = {
    ".json": re.compile(r"\A\s*(?:\{|\[\s*\{)"),
    ".toml": re.compile(r'^\s*(?:\[|[\w."-]+\s*=)', re.MULTILINE),
    ".yaml": re.compile(r""),
}


def rules_as_toml(ruleset: Ruleset) -> str:
    """Write a set as a file that reads back to the same set, with each rule's sentence above it."""
    tables = [_table(rule, on=True) for rule in ruleset.rules] + [_table(rule, on=False) for rule in ruleset.off]
    head = f"# Rules for `handpicked import --rules FILE`, in their order. What they decide: sha256 {ruleset.sha256}\n"
    return "\n".join([head, *tables]) if tables else f"{head}\nrules = []\n"


def _table(rule: Rule, *, on: bool) -> str:
    (row,) = Ruleset((rule,)).as_dict()["rules"]
    words = textwrap.wrap(rule.sentence, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    lines = [f"{name} = {_value(value)}" for name, value in (row | {"on": on}).items()]
    return "\n".join([*words, "[[rules]]", *lines]) + "\n"


def _value(value: Any) -> str:
    # JSON's strings are TOML's but for the one control character that JSON may leave as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
