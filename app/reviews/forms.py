"""What reviewers send: what to look at, a verdict on one revision with words, comments on passages."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints, model_validator

from app.reviews.commenting import Passage
from app.reviews.queries import EVERYTHING, QueueFilter
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


class ReviewQuery(Form):
    """Which part of the queue, and how the example on the screen is shown."""

    view: Literal["diff", "source", "clean"] = "diff"
    markup: bool = False
    source: Annotated[Text, StringConstraints(max_length=64)] = ""
    author: Annotated[int, Field(ge=0, le=10**18)] = 0
    answer: Annotated[int, Field(ge=0, le=10**18)] = 0

    @model_validator(mode="before")
    @classmethod
    def _empty_is_nothing(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value != ""} if isinstance(data, dict) else data

    @property
    def filter(self) -> QueueFilter:
        """The part of the queue."""
        return QueueFilter(self.source, self.author) if self.source or self.author else EVERYTHING

    def as_query(self, **changed: Any) -> str:
        """The address of the same with these changes; an answer that is being written is not carried on."""
        values = {**self.model_dump(), "answer": 0, **changed}
        default = ReviewQuery().model_dump()
        return urlencode({key: value for key, value in values.items() if value != default[key]})


class CommentForm(Form):
    """Words on a passage of the revision that was read, or in answer to a comment."""

    words: Words = ""
    quote: Annotated[Text, StringConstraints(max_length=20_000)] = ""
    message: Annotated[int, Field(ge=0, le=10_000)] = 0
    nth: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    start: Annotated[int, Field(ge=0, le=10**9)] | None = None
    revision: RevisionNumber | None = None
    answer_to: Annotated[int, Field(ge=1, le=10**18)] | None = None
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None

    @property
    def passage(self) -> Passage:
        """What the words speak of."""
        return Passage(self.message, self.quote, self.nth, self.start)


class ReviewsNeededForm(Form):
    """How many second persons an approval takes."""

    reviews: Literal[1, 2]

    @model_validator(mode="before")
    @classmethod
    def _number(cls, data: Any) -> Any:
        # A browser sends every number as text.
        if isinstance(data, dict) and data.get("reviews") in {"1", "2"}:
            return {**data, "reviews": int(data["reviews"])}
        return data
