"""What is posted to freeze and to export."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from app.datasets.archive import Packing
from app.datasets.formats import Format
from app.datasets.gates import GATES
from app.web.forms import Form, Line, Name, Text

Reason = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)]
Seen = Annotated[Text, StringConstraints(max_length=10_000)]


class FreezeForm(Form):
    """A name, and as `reason_GATE` for each gate that blocks the reason to go past it; empty means to stop there.

    `seen_GATE` is the fingerprint of what the page showed of the gate: a reason is for that alone.
    """

    name: Name
    licences: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    reasons: dict[str, Reason] = Field({})
    seen: dict[str, Seen] = Field({})

    @model_validator(mode="before")
    @classmethod
    def gather(cls, typed: dict[str, Any]) -> dict[str, Any]:
        """Put what belongs to the gates there are into one field each; an unknown one stays unknown, and is refused."""
        fields = {f"{kind}_{gate}": (kind, gate) for kind in ("reason", "seen") for gate in GATES}
        gathered: dict[str, dict[str, Any]] = {"reason": {}, "seen": {}}
        for name, (kind, gate) in fields.items():
            if name in typed:
                gathered[kind][gate] = typed[name]
        rest = {name: value for name, value in typed.items() if name not in fields}
        return rest | {"reasons": gathered["reason"], "seen": gathered["seen"]}

    @property
    def overrides(self) -> dict[str, str]:
        """The reasons that were given, by gate."""
        return {gate: words for gate, words in self.reasons.items() if words}

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
    """The form in which a version leaves, and what it is packed as."""

    format: Format
    packing: Packing = Packing.ZIP
