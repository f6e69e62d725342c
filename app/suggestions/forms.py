"""What people post about help from a model."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.examples.forms import MOST_TURNS, Messages, turns_in
from app.examples.models import SuggestionKind
from app.web.forms import Form, Name, Text

Instruction = Annotated[Text, StringConstraints(max_length=20_000)]


class HelpForm(Form):
    """Who helps, as a lead chose it on the page, and with what instruction."""

    source: Annotated[str, StringConstraints(pattern=r"^(?:no|(?:endpoint|run)-[1-9][0-9]{0,17})$")] = "no"
    critique: Instruction = ""
    outline: Instruction = ""

    @property
    def endpoint(self) -> int | None:
        """The number of a model server."""
        return self._number("endpoint")

    @property
    def run(self) -> int | None:
        """The number of a run."""
        return self._number("run")

    def _number(self, kind: str) -> int | None:
        chosen, _, number = self.source.partition("-")
        return int(number) if chosen == kind else None


class HelpIn(Form):
    """Who helps: a model server by its name, a run by its number, or nobody; instructions that are null stay."""

    endpoint: Name | None = None
    run: Annotated[int, Field(ge=1, lt=2**62)] | None = None
    critique: Instruction | None = Field(None, description="Empty: the product's own.")
    outline: Instruction | None = Field(None, description="Empty: the product's own.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.endpoint is not None and self.run is not None:
            raise ValueError("Name a model server or a run, not both")
        return self


class AskIn(Form):
    """What to ask for, about these messages; without them about the newest revision."""

    kind: SuggestionKind
    messages: Messages | None = None


class DeskAsk(Form):
    """What the desk asks for, of the text on it; without a text of what is kept."""

    ask: Literal["critique", "outline"]
    system: Text = ""
    turns: tuple[Text, ...] = Field((), max_length=MOST_TURNS)

    @property
    def kind(self) -> SuggestionKind:
        """What is asked for."""
        return SuggestionKind(self.ask)


def asked_in(typed: Mapping[str, str]) -> dict[str, Any]:
    """Of all that stands on the desk, what a model is asked about."""
    wanted: dict[str, Any] = {name: typed[name] for name in ("ask", "system") if name in typed}
    return {**wanted, "turns": turns_in(typed)}
