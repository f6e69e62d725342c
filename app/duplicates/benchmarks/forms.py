"""What people post about lists of benchmark prompts."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.duplicates.benchmarks.models import MatchVerdict
from app.duplicates.benchmarks.operations import LONGEST_LICENCE, LONGEST_REASON, LONGEST_URL
from app.web.forms import Form, Storable

Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_REASON), Storable]
Decided = Literal[MatchVerdict.STAYS, MatchVerdict.REJECTED]


class ListForm(Form):
    """What is said of a file of prompts."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable] = Field(
        description="Letters, digits, blanks, dots, dashes and underscores."
    )
    licence: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_LICENCE), Storable] = ""
    url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_URL), Storable] = ""


class MatchForm(Form):
    """A decision about an example that is near to a listed prompt, and the page to go back to."""

    verdict: Decided
    reason: Reason = ""
    page: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    benchmark: Annotated[int, Field(ge=0, le=10**15)] = 0


class MatchIn(Form):
    """A decision about an example that is near to a listed prompt."""

    verdict: Decided
    reason: Reason = Field("", description="Why it may stay; needed for that.")
