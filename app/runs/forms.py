"""Posted data: a run's choices, a question to a checkpoint, a base model."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.runs.decoding import Decoding
from app.runs.models import ModelKind
from app.web.forms import Form, Name, Text
from training.spec import RECIPES, settings

SETTING = "set."

Key = Annotated[Text, StringConstraints(max_length=64)]
Value = Annotated[Text, StringConstraints(max_length=200)]


def _known(recipe: str) -> str:
    if recipe not in RECIPES:
        raise ValueError(f"Choose one of {', '.join(RECIPES)}.")
    return recipe


Recipe = Annotated[str, AfterValidator(_known)]


class RunForm(Form):
    """Which version, from which model, by which recipe; the settings come beside it (`changed_settings`)."""

    version: Name
    model: Name
    recipe: Recipe = "lima"
    defaults_of: Recipe = "lima"
    then: Annotated[str, Field(pattern="^(plan|start)$")] = "plan"


class StartForm(Form):
    """A run over JSON; settings are the recipe's, but for those named here."""

    version: Name
    model: Name
    recipe: Annotated[Recipe, Field(description="lima, lima-small or smoke.")] = "lima"
    settings: Annotated[
        dict[Key, Value], Field(max_length=40, description='Values as words, such as {"epochs": "3"}.')
    ] = Field(default_factory=dict)


def plain_fields(typed: Mapping[str, str]) -> dict[str, str]:
    """The fields that are no settings."""
    return {key: value for key, value in typed.items() if not key.startswith(SETTING)}


def changed_settings(typed: Mapping[str, str]) -> dict[str, str]:
    """The settings that were changed by hand.

    The form comes filled with one recipe's values and names it in `defaults_of`: what still stands so is not a
    change, and another recipe chosen on the same form brings its own.
    """
    recipe = typed.get("defaults_of", "lima")
    filled = {one.name: one.default for one in settings(recipe if recipe in RECIPES else "lima")}
    sent = {key.removeprefix(SETTING): value.strip() for key, value in typed.items() if key.startswith(SETTING)}
    return {name: value for name, value in sent.items() if value and value != filled.get(name)}


class AskForm(Decoding):
    """A prompt for a checkpoint, 0 for the newest; on the page an answer is short unless asked to be longer."""

    prompt: Annotated[Text, StringConstraints(min_length=1, max_length=100_000)]
    checkpoint: Annotated[int, Field(ge=0, lt=2**62)] = 0
    max_new_tokens: Annotated[int, Field(ge=1, le=131_072)] = 512

    @property
    def decoding(self) -> Decoding:
        """The decoding settings alone."""
        return Decoding.model_validate(self.model_dump(include=set(Decoding.model_fields)))


class AskManyForm(Form):
    """Prompts over JSON, for the newest checkpoint if none is named."""

    prompts: Annotated[list[Annotated[Text, StringConstraints(min_length=1)]], Field(min_length=1, max_length=10_000)]
    epoch: Annotated[int | None, Field(ge=1, description="Of this epoch; else the newest.")] = None
    decoding: Decoding = Decoding()


class TokenizerForm(Form):
    """Count by a base model's tokenizer, by one in a folder on the server, or by neither: estimate."""

    model: Annotated[Text, StringConstraints(max_length=64)] = ""
    folder: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=4000)] = ""


class ModelForm(Form):
    """A base model to register; `path` for a folder on the server."""

    name: Name
    kind: ModelKind
    path: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=4000)] = ""
