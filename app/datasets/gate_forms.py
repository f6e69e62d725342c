"""What is posted to the gates of a project."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.datasets.gates import Policy
from app.examples.licensing import LONGEST_AUTHOR, LONGEST_LICENCE
from app.web.forms import Form, Text

Key = Annotated[Text, StringConstraints(max_length=260)]


class PolicyForm(Form):
    """One gate and what its findings mean, or the rules whose remarks count."""

    gate: Annotated[Text, StringConstraints(max_length=40)]
    policy: Policy


class PairForm(Form):
    """Two texts that a gate found, by their keys."""

    left: Key
    right: Key


class LicenceForm(Form):
    """A licence for what has none, an author for what names nobody; one of them may be empty."""

    licence: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=LONGEST_LICENCE)] = ""
    author: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=LONGEST_AUTHOR)] = ""


class GatesBody(Form):
    """Policies by gate, and the rules of style whose remarks count; what is left out stays."""

    policies: dict[str, Policy] = Field({}, description="block, warn or off, by gate; gates left out stay.")
    style_rules: list[str] | None = Field(None, description="Rules of house style whose remarks count; null: as it is.")
