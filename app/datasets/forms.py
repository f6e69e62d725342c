"""What is posted to freeze and to export."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.datasets.formats import Format
from app.web.forms import Form, Line, Name, Text

Reason = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)]


class FreezeForm(Form):
    """A name, and for each gate that blocks the reason to go past it; empty means to stop there."""

    name: Name
    licences: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    reason_composition: Reason = ""
    reason_approvals: Reason = ""
    reason_duplicates: Reason = ""
    reason_leakage: Reason = ""
    reason_licences: Reason = ""

    @property
    def overrides(self) -> dict[str, str]:
        """The reasons that were given, by gate."""
        fields = self.model_dump(exclude={"name", "licences"})
        return {field.removeprefix("reason_"): words for field, words in fields.items() if words}

    @property
    def limited_to(self) -> list[str]:
        """The licences, which are written with commas between them."""
        return [one for one in map(str.strip, self.licences.split(",")) if one]


class FreezeBody(Form):
    """The same in the API."""

    name: Name
    overrides: dict[str, Line] = Field({}, description="Reason by gate, for gates that block.")
    licences: list[Line] = Field([], description="Only examples under one of these; none means all.")


class ExportForm(Form):
    """The form in which a version leaves."""

    format: Format
