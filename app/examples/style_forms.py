"""What people post about house style."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.examples.forms import Messages, Source
from app.examples.style import RULES
from app.sources.rulesets import Parameter, parameters
from app.web.forms import Form, Language

RemarkKey = Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,30}:[0-9a-f]{16}$")]


class LeaveForm(Form):
    """Leave a remark as it is, or speak of it again."""

    remark: RemarkKey
    leave: Literal["yes", "no"] = "yes"


class ModelForm(Form):
    """Show an example as a model, or no longer."""

    example: int = Field(ge=1, le=10**15)
    shown: Literal["yes", "no"] = "yes"
    back: Literal["guide", "desk", "history"] = Field("guide", description="Where a browser goes on.")


class StyleForm(Form):
    """What to do with the rules that are posted beside it."""

    act: Literal["save", "count"] = "save"


class RemarksIn(Form):
    """A text to remark upon: its messages, and what is known of it."""

    messages: Messages = Field(min_length=1)
    source: Source = "unsorted"
    language: Language = "en"


class StyleIn(Form):
    """The house style: {rule: {"on", parameter: value, …}}; what is not named is on, as it is by itself."""

    rules: dict[str, Any]


def field_name(rule: str, parameter: str = "on") -> str:
    """The name of a rule's switch or of one of its settings on the form."""
    return f"rule.{rule}.{parameter}"


def rules_typed(typed: Mapping[str, str]) -> dict[str, Any]:
    """The document that a posted form stands for; a setting that is left out stays as it is by itself."""
    document: dict[str, Any] = {}
    for kind in RULES:
        row: dict[str, Any] = {"on": field_name(kind.name) in typed}
        for one in parameters(kind):
            if (value := typed.get(field_name(kind.name, one.name))) is not None:
                row[one.name] = _value(one, value)
        document[kind.name] = row
    return document


def _value(one: Parameter, value: str) -> Any:
    plain = value.replace(",", "").strip() if one.kind == "int" else value
    return int(plain) if one.kind == "int" and plain.isdecimal() and plain.isascii() and len(plain) < 10 else plain


def as_field(one: Parameter) -> str:
    """A setting's value as its control shows it."""
    return "\n".join(one.value) if isinstance(one.value, tuple) else str(one.value)
