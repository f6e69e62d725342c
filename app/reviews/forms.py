"""What reviewers send: a verdict on one revision, with words."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.web.forms import Form, Storable, Text

Words = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=4000)]
RevisionNumber = Annotated[int, Field(ge=1, le=10**9)]


class VerdictForm(Form):
    """One decision on the revision that was read."""

    verdict: Literal["approved", "returned", "rejected"]
    revision: RevisionNumber
    words: Words = ""


class WithdrawForm(Form):
    """Which verdict to take back, in the address: the undo button has no fields."""

    revision: RevisionNumber


class ImportedForm(Form):
    """Where an imported set was approved."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), Storable]
