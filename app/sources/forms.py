"""The forms of this room: an import's settings and its rules, an upload by API, where an exchange counts."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.sources.formats import BY_NAME, MIXED
from app.sources.models import Into
from app.sources.readers.base import PromptChoice
from app.sources.rules import ALL
from app.sources.rulesets import Ruleset, parameters, ruleset_from
from app.web.forms import Form, Storable, Text

RULE = "rule."
SEED = 2**31

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120), Storable]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), Storable]
Prompt = Annotated[str, Field(pattern="^(title|body|either)$")]
Seed = Annotated[int, Field(ge=0, le=SEED)]


class SetupForm(Form):
    """All fields of the set-up but those of the rules."""

    name: Title
    site: Words = ""
    source: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), Storable] = ""
    licence: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), Storable] = ""
    format: Annotated[str, Field(pattern=f"^({'|'.join((*BY_NAME, MIXED))})?$")] = ""
    into: Into = Into.POOL
    prompt: Prompt = "either"
    seed: Seed = 0
    skip_bad: bool = False

    @property
    def prompt_choice(self) -> PromptChoice:
        """Which part of a question becomes the prompt."""
        return PromptChoice(part=self.prompt, seed=self.seed)


class ImportForm(SetupForm):
    """An import in one request: the settings, and the rules as the name of a preset or as a JSON document."""

    name: Annotated[Words, Field(description="What the import is called; the file's name if it is left out.")] = ""
    path: Annotated[Text, Field(max_length=4000, description="Instead of files, for leads: a path on the server.")] = ""
    rules: Annotated[
        Text, Field(max_length=100_000, description="lima, none, or a JSON document; by the format if it is left out.")
    ] = ""


class ExchangeForm(Form):
    """Where an exchange counts."""

    site: Title
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
    is_number = kind == "int" and digits.isascii() and digits.removeprefix("-").isdigit() and len(digits) < 12
    return int(digits) if is_number else value


def typed_rules(ruleset: Ruleset) -> dict[str, str]:
    """A set of rules as the fields of the form."""
    fields: dict[str, str] = {}
    for rule, settings in ruleset.as_dict()["rules"].items():
        for name, value in settings.items():
            if name != "on":
                fields[f"{RULE}{rule}.{name}"] = "\n".join(value) if isinstance(value, list) else str(value)
            elif value:
                fields[f"{RULE}{rule}.on"] = "on"
    return fields
