"""What is asked about colleagues' work."""

from typing import Annotated

from fastapi import Query
from pydantic import Field, Json

from app.duplicates.forms import Reason
from app.examples.forms import NotDuplicates
from app.projects.models import Split
from app.web.forms import Form, Text

MOST_TYPED = 300
Sought = Annotated[str, Query(max_length=MOST_TYPED, description="Words, or a sentence that says what is meant.")]


class DismissForm(Form):
    """Why both sides of a leak may stay; for all others nothing is needed."""

    reason: Reason = ""


class DismissedForm(Form):
    """Examples that were said to be no duplicates of one that is not made yet, as its desk carries them."""

    not_duplicates: Json[NotDuplicates]


class NearIn(Form):
    """A prompt to compare with those that are there."""

    text: Text = Field(min_length=1, max_length=1_000_000)
    split: Split = Field(Split.TRAIN, description="What it is for: near a prompt of the other kind it is a leak.")
    example_id: int | None = Field(None, ge=1, le=10**15, description="Which example it is, if it is one already.")
