"""What people send to "Add next": which of the suggestions, and what they say to one."""

from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from app.selection.adding.models import NextVerdict
from app.selection.adding.suggesting import By, Wish
from app.selection.areas import Area
from app.selection.forms import Lasso, RegionNumber
from app.web.forms import Form, Text

TEN = 10


class NextQuery(Form):
    """Which suggestions: in which order, past how many, and the chosen one's number."""

    by: By = By.NEED
    skip: int = Field(0, ge=0, le=1000)
    at: int | None = Field(None, ge=1, le=2**53)
    region: RegionNumber = None
    lasso: Lasso = ""

    def as_wish(self) -> Wish:
        """The same for the advice: ten."""
        return Wish(self.by, TEN, self.skip, Area(self.region, self.lasso))

    def as_query(self, **other: object) -> str:
        """The same for an address, with some of it otherwise; what is as usual is left out."""
        said = self.model_copy(update=other)
        return urlencode(said.model_dump(mode="json", exclude_defaults=True))


class NextAsk(Form):
    """How many suggestions, in which order, past how many."""

    by: By = By.NEED
    count: int = Field(TEN, ge=1, le=100)
    skip: int = Field(0, ge=0, le=1000)
    region: RegionNumber = None
    lasso: Lasso = ""

    def as_wish(self) -> Wish:
        """The same for the advice."""
        return Wish(self.by, self.count, self.skip, Area(self.region, self.lasso))


class NextForm(Form):
    """What somebody says to a suggestion; the reason is that of a rejection."""

    verdict: NextVerdict
    reason: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class RequestForm(Form):
    """Of what the set needs more."""

    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=1000)]
