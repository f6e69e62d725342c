"""What people post about duplicates."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.duplicates.lexical import LOWEST_WORDING
from app.duplicates.models import SCANNED, Method, On, Verdict
from app.duplicates.operations import LOWEST_THRESHOLD, THRESHOLD, WORDING
from app.web.forms import Form, Storable

Threshold = Annotated[float, Field(ge=LOWEST_THRESHOLD, le=1, allow_inf_nan=False)]
Wording = Annotated[float, Field(ge=LOWEST_WORDING, le=1, allow_inf_nan=False)]
Looked = Literal[Method.EXACT, Method.LEXICAL, Method.EMBEDDING]
Key = Annotated[str, StringConstraints(min_length=1, max_length=260), Storable]
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
    lexical: bool = False
    embedding: bool = False
    on: On = On.PROMPT
    threshold: Threshold = THRESHOLD
    wording: Wording = WORDING

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

    methods: Annotated[tuple[Looked, ...], Field(min_length=1)] = (
        Method.EXACT,
        Method.LEXICAL,
        Method.EMBEDDING,
    )
    on: On = On.PROMPT
    threshold: Threshold = Field(THRESHOLD, description="The least cosine of a pair found by `embedding`.")
    lexical_threshold: Wording = Field(
        WORDING, description="The least share of the wording of a pair found by `lexical`."
    )


class DecisionForm(Form):
    """A decision, and the threshold in percent that the list goes on with."""

    verdict: Decided
    reason: Reason = ""
    t: Percent = 0


class DecisionIn(Form):
    """A decision."""

    verdict: Decided
    reason: Reason = Field("", description="Kept with the decision; needed where both sides of a leak stay.")


class ClusterForm(Form):
    """A decision on a whole cluster: the key of the text to keep, none for all; `seen` names what was shown."""

    keep: Annotated[str, StringConstraints(max_length=260), Storable] = ""
    reason: Reason = ""
    seen: Annotated[str, StringConstraints(max_length=16)] = ""
    t: Percent = 0


class ClusterIn(Form):
    """A decision on a whole cluster."""

    keep: Key | None = Field(None, description="The key of the text to keep; null keeps all of them.")
    reason: Reason = Field("", description="Kept with the decision; needed where all of a leak stay.")
    seen: str | None = Field(None, max_length=16, description="As the list of clusters gave it: refused if it changed.")


class JudgementForm(Form):
    """Whether two texts are the same; `t` is the threshold in percent to go on with."""

    left: Key
    right: Key
    on: On = On.PROMPT
    verdict: Literal["same", "different"]
    method: Literal[Method.EMBEDDING, Method.LEXICAL] = Method.EMBEDDING
    t: Percent = 0


class JudgementIn(Form):
    """Whether two texts are the same."""

    left: Key
    right: Key
    on: On = On.PROMPT
    verdict: Literal["same", "different"]
