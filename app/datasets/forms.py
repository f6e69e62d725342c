"""What is posted to freeze and to export."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.datasets.formats import Format
from app.web.forms import Form, Line, Name, Text

Reason = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)]


class FreezeForm(Form):
    """A name, and for each gate that blocks the reason to go past it; empty means to stop there."""

    name: Name
    reason_composition: Reason = ""
    reason_approvals: Reason = ""
    reason_duplicates: Reason = ""
    reason_leakage: Reason = ""
    reason_licences: Reason = ""

    @property
    def overrides(self) -> dict[str, str]:
        """The reasons that were given, by gate."""
        fields = self.model_dump(exclude={"name"})
        return {field.removeprefix("reason_"): words for field, words in fields.items() if words}


class FreezeBody(Form):
    """The same in the API."""

    name: Name
    overrides: dict[str, Line] = Field({}, description="Reason by gate, for gates that block.")


class ExportForm(Form):
    """The form in which a version leaves."""

    format: Format
