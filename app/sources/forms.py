"""The forms of this room: an import's settings and its rules, an upload by API, where an exchange counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request
from pydantic import Field, Json, StringConstraints
from starlette.datastructures import UploadFile

from app.sources import rulesets
from app.sources.excerpts import visible
from app.sources.formats import BY_NAME, MIXED
from app.sources.models import Into
from app.sources.readers.base import PromptChoice
from app.sources.readers.files import ENCODINGS
from app.sources.rulefiles import LARGEST
from app.sources.rules import ALL
from app.sources.rulesets import BadRules, Parameter, Ruleset, parameters, ruleset_from
from app.web.forms import Form, Storable, Text

RULE = "rule."
ORDER = "rule.order"
MOVE = "move"
# A column of a table and what it is; a setting of the format's own.
MAP = "map."
SET = "set."
RULES_FILE = "rules."
# A form with its rules file and their multipart, in bytes.
LARGEST_POST = 1_000_000
RULES = [kind.name for kind in ALL]
SEED = 2**31

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120), Storable]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), Storable]
Prompt = Annotated[str, Field(pattern="^(title|body|either)$")]
Encoding = Annotated[str, Field(pattern=f"^({'|'.join(ENCODINGS)})$", description="Of text files; auto is UTF-8.")]
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
    encoding: Encoding = "auto"
    skip_bad: bool = False

    @property
    def prompt_choice(self) -> PromptChoice:
        """Which part of a question becomes the prompt."""
        return PromptChoice(part=self.prompt, seed=self.seed)


class ImportForm(SetupForm):
    """An import in one request: the settings, and the rules as the name of a preset or as a JSON document."""

    name: Annotated[Words, Field(description="What the import is called; the file's name if it is left out.")] = ""
    path: Annotated[Text, Field(max_length=4000, description="Instead of files, for leads: a path on the server.")] = ""
    hub: Annotated[
        Text, Field(max_length=400, description="Instead of files: a data set of the Hub, hf://owner/name[@revision].")
    ] = ""
    upload: Annotated[Text, Field(max_length=40, description="Instead of files: the key of an upload in pieces.")] = ""
    settings: Annotated[
        Json[dict[str, Any]],
        Field(
            description='The format\'s own settings, as JSON; of a table {"columns": {"prompt": "title", "response": '
            '"text"}}.'
        ),
    ] = {}  # noqa: RUF012 - a default of pydantic's, which copies it
    columns: Annotated[
        Words,
        Field(description="Of a table, instead of settings: a saved mapping of columns, by its name."),
    ] = ""
    rules: Annotated[
        Text,
        Field(
            max_length=100_000,
            description="A preset, or a document: JSON, TOML or YAML; by the format if it is left out.",
        ),
    ] = ""


class ExchangeForm(Form):
    """Where an exchange counts."""

    site: Title
    group: Annotated[str, Field(pattern="^(stem|other|discarded)$")]


@dataclass(frozen=True)
class RulesFile:
    """A rules file as it was posted: its text, how a message calls it, and the other fields of the set-up."""

    text: str
    name: str
    typed: dict[str, str]


async def posted_rules(request: Request) -> RulesFile:
    """Read the form with its rules file; a file counts before pasted text."""
    async with request.form(max_files=1) as data:
        typed = {key: value.replace("\r\n", "\n") for key, value in data.multi_items() if isinstance(value, str)}
        file = data.get("rules.file")
        if isinstance(file, UploadFile) and file.filename:
            content = await file.read(LARGEST + 1)
            return RulesFile(content.decode("utf-8", "replace"), visible(file.filename[:80]), typed)
    return RulesFile(typed.get("rules.text", ""), "the text", typed)


def plain_fields(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields that are no rule's and no setting of the format's own."""
    return {key: value for key, value in typed.items() if not key.startswith((RULE, RULES_FILE, MAP, SET))}


def chosen_in(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields of a set-up that say what is chosen: not what was pressed, nor a rules file that is not used."""
    return {
        key: value for key, value in typed.items() if key in SetupForm.model_fields or key.startswith((RULE, MAP, SET))
    }


def order_of(typed: Mapping[str, str]) -> list[str]:
    """The rules of the form's table in their order; one that was just switched on stands where it usually does."""
    listed = [name for name in dict.fromkeys(typed.get(ORDER, "").split()) if name in RULES]
    for name in RULES:
        if name not in listed and f"{RULE}{name}.on" in typed:
            before = [one for one in RULES[: RULES.index(name)] if one in listed]
            listed.insert(listed.index(before[-1]) + 1 if before else 0, name)
    return listed


def moved(typed: Mapping[str, str]) -> dict[str, str]:
    """The form after a rule was moved by one place: `move` names it and whether `up` or `down`."""
    order = order_of(typed)
    name, _, way = typed.get(MOVE, "").partition(":")
    if name in order and way in {"up", "down"}:
        place = order.index(name)
        order.insert(max(0, place + (1 if way == "down" else -1)), order.pop(place))
    return {key: value for key, value in typed.items() if key != MOVE} | {ORDER: " ".join(order)}


def rules_from(typed: Mapping[str, str]) -> Ruleset:
    """The rules as the form has them: a rule is on if its switch was sent. Raises BadRules naming rule and field."""
    try:
        return ruleset_from({"rules": _named_rules(typed)})
    except BadRules as refusal:
        rule, _, name = refusal.field.partition(".")
        if not refusal.message.startswith(f"{refusal.field} ") or not name:
            raise
        label = next(one.label for one in parameters(rulesets.BY_NAME[rule]) if one.name == name)
        words = refusal.message.replace(refusal.field, "it", 1)
        raise BadRules(f"{rulesets.BY_NAME[rule].title}, {label.lower()}: {words}") from None


def faults_of(typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the parameters of rules, by the field of the form; of each rule the first."""
    faults = {}
    for name, setting in _named_rules(typed).items():
        try:
            ruleset_from({"rules": {name: setting}})
        except BadRules as refusal:
            # What is wrong with no single field is said above all of them.
            faults[f"{RULE}{refusal.field}"] = refusal.message.replace(f"{refusal.field} ", "It ", 1)
    return faults


def _named_rules(typed: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    named: dict[str, dict[str, Any]] = {name: {"on": False} for name in order_of(typed)}
    kinds = {f"{kind.name}.{one.name}": one.kind for kind in ALL for one in parameters(kind)}
    for key, value in typed.items():
        if not key.startswith(RULE) or key == ORDER:
            continue
        rule, _, field = key.removeprefix(RULE).partition(".")
        if rule in named or rule not in RULES:
            setting = named.setdefault(rule, {})
            setting[field] = True if field == "on" else _parsed(value, kinds.get(f"{rule}.{field}", ""))
    return named


def _parsed(value: str, kind: str) -> Any:
    digits = value.replace(",", "").replace("\u202f", "").strip()
    is_number = kind == "int" and digits.isascii() and digits.removeprefix("-").isdigit() and len(digits) < 12
    return int(digits) if is_number else value


def typed_rules(ruleset: Ruleset) -> dict[str, str]:
    """A set of rules as the fields of the form."""
    fields = {ORDER: " ".join(rule.name for rule in (*ruleset.rules, *ruleset.off))}
    fields |= {f"{RULE}{rule.name}.on": "on" for rule in ruleset.rules}
    for rule in (*ruleset.rules, *ruleset.off):
        fields |= {f"{RULE}{rule.name}.{one.name}": as_typed(one) for one in parameters(rule)}
    return fields


def as_typed(one: Parameter) -> str:
    """A parameter's value as a control of the form has it."""
    if isinstance(one.value, tuple):
        return ("\n" if one.kind == "phrases" else ", ").join(one.value)
    return str(one.value)
