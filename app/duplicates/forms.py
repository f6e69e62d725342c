"""What people post about duplicates."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.duplicates.models import SCANNED, Method, On, Verdict
from app.duplicates.operations import LOWEST_THRESHOLD, THRESHOLD
from app.web.forms import Form, Storable

Threshold = Annotated[float, Field(ge=LOWEST_THRESHOLD, le=1, allow_inf_nan=False)]
Percent = Annotated[int, Field(ge=0, le=100)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), Storable]


def _decided(verdict: Verdict) -> Verdict:
    if verdict is Verdict.OPEN:
        raise ValueError("Open is no decision; undo one to open a pair again")
    return verdict


Decided = Annotated[Verdict, AfterValidator(_decided)]


class ScanForm(Form):
    """How to look, as a browser posts it: a box a method."""

    exact: bool = False
    embedding: bool = False
    on: On = On.PROMPT
    threshold: Threshold = THRESHOLD

    @model_validator(mode="after")
    def _some_method(self) -> "ScanForm":
        if not self.methods:
            raise ValueError("Choose at least one way of looking")
        return self

    @property
    def methods(self) -> list[Method]:
        """The ticked ones."""
        return [method for method in SCANNED if getattr(self, method.value)]


class ScanIn(Form):
    """How to look, as JSON."""

    methods: Annotated[tuple[Literal[Method.EXACT, Method.EMBEDDING], ...], Field(min_length=1)] = (
        Method.EXACT,
        Method.EMBEDDING,
    )
    on: On = On.PROMPT
    threshold: Threshold = THRESHOLD


class DecisionForm(Form):
    """A decision, and the threshold in percent that the list goes on with."""

    verdict: Decided
    reason: Reason = ""
    t: Percent = 0


class DecisionIn(Form):
    """A decision."""

    verdict: Decided
    reason: Reason = Field("", description="Why both sides of a leak may stay; needed for that alone.")
