"""What people send to the pool: a filter in the address, a reason to reject."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from app.projects.models import Split
from app.selection.queries import Order, PoolFilter
from app.sources.models import CandidateStatus
from app.web.forms import Form, Text

Short = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=200)]


class PoolQuery(Form):
    """Filter, order and page; an unknown field is refused, so that no filter walks where it should not."""

    status: Literal["open", "rejected", "used", "all"] = "open"
    source: Short = ""
    site: Short = ""
    licence: Short = ""
    split: Literal["", "train", "dev", "test"] = ""
    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    order: Order = Order.SCORE
    page: int = Field(1, ge=1, le=10_000_000)

    def as_filter(self) -> PoolFilter:
        """The same for the query."""
        return PoolFilter(
            status=None if self.status == "all" else CandidateStatus(self.status),
            source=self.source,
            site=self.site,
            licence=self.licence,
            split=Split(self.split) if self.split else None,
            words=self.words,
            order=self.order,
        )

    def as_query(self, *, without_page: bool = False) -> str:
        """The same for an address; what is as usual is left out."""
        left_out = {"page"} if without_page else set()
        return urlencode(self.model_dump(mode="json", exclude_defaults=True, exclude=left_out))

    @property
    def narrows(self) -> bool:
        """Whether anything but the usual is asked for."""
        return bool(self.model_dump(exclude={"page", "order"}, exclude_defaults=True))


class RejectForm(Form):
    """Why a candidate is set aside."""

    reason: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=300)] = ""
