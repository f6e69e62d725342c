"""What people send about the queue: what they go on from, why they skip, whom they hand to."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from app.examples.models import SkipReason
from app.examples.skips import LONGEST
from app.web.forms import Address, Form, Storable, Text

Number = Annotated[int, Field(ge=1, le=10**17)]
Word = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=LONGEST), Storable]
Reason = Literal["not my field", "not worth it", "unclear", "sensitive", "duplicate", "other"]


class NextForm(Form):
    """The example that one goes on from, if any."""

    after: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_is_none(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value != ""} if isinstance(data, dict) else data


class LeaveForm(Form):
    """What stands beside the desk: why somebody skips, to which member they hand it, a word with either."""

    reason: Reason = "other"
    person: Number | None = None
    words: Word = ""

    @property
    def as_reason(self) -> SkipReason:
        """The reason for the operation."""
        return SkipReason(self.reason)


class SkipIn(Form):
    """Why somebody leaves an example to the others."""

    reason: Reason
    words: Word = ""


class HandIn(Form):
    """To which member, by address, and a word for them."""

    to: Address
    words: Word = ""


class OverlapForm(Form):
    """How many people may answer the same prompt."""

    overlap: Annotated[int, Field(ge=1, le=9)]
