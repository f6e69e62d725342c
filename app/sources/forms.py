"""The form that sets an import up: where it goes, and the rules with their parameters."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from app.sources.models import Into
from app.sources.rules import ALL
from app.sources.rulesets import Ruleset, parameters, ruleset_from
from app.sources.stackexchange import PromptChoice
from app.web.forms import Form, Text

RULE = "rule."


class SetupForm(Form):
    """All fields but those of the rules."""

    name: Annotated[Text, Field(min_length=1, max_length=120)]
    site: Annotated[Text, Field(max_length=120)] = ""
    source: Annotated[Text, Field(max_length=64)] = ""
    licence: Annotated[Text, Field(max_length=80)] = ""
    into: Into = Into.POOL
    prompt: Annotated[str, Field(pattern="^(title|body|either)$")] = "either"
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    skip_bad: bool = False

    @property
    def prompt_choice(self) -> PromptChoice:
        """Which part of a question becomes the prompt."""
        return PromptChoice(part=self.prompt, seed=self.seed)


class ExchangeForm(Form):
    """Where an exchange counts."""

    site: Annotated[Text, Field(min_length=3, max_length=120)]
    group: Annotated[str, Field(pattern="^(stem|other|discarded)$")]


def plain_fields(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields that are no rule's."""
    return {key: value for key, value in typed.items() if not key.startswith(RULE)}


def rules_from(typed: Mapping[str, str]) -> Ruleset:
    """The rules as the form has them: a rule is on if its switch was sent. Raises BadRules naming the field."""
    named: dict[str, dict[str, Any]] = {kind.name: {"on": False} for kind in ALL}
    kinds = {f"{kind.name}.{one.name}": one.kind for kind in ALL for one in parameters(kind)}
    for key, value in typed.items():
        if not key.startswith(RULE):
            continue
        rule, _, field = key.removeprefix(RULE).partition(".")
        setting = named.setdefault(rule, {})
        setting[field] = True if field == "on" else _parsed(value, kinds.get(f"{rule}.{field}", ""))
    return ruleset_from({"rules": named})


def _parsed(value: str, kind: str) -> Any:
    digits = value.replace(",", "").replace("\u202f", "").strip()
    return int(digits) if kind == "int" and digits.lstrip("-").isdigit() else value
