"""What people send to the map: what is chosen on it, how it is coloured, whether it is drawn anew."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from app.selection.forms import Lasso, RegionNumber
from app.web.forms import Form, Text


class MapQuery(Form):
    """What is chosen and by what points are coloured; `seen` is the map that a part of the page waits beside."""

    region: RegionNumber = None
    lasso: Lasso = ""
    by: Literal["source", "state", "region", "split"] = "source"
    seen: int | None = Field(None, ge=0, le=2**53)

    def as_query(self) -> str:
        """The same for an address; what is as usual is left out."""
        return urlencode(self.model_dump(mode="json", exclude_defaults=True, exclude={"seen"}))


class DrawForm(Form):
    """Whether everything is laid out from the beginning; else only what is new is placed."""

    anew: bool = False


class NameForm(Form):
    """What a region is to be called; empty, by its own words again."""

    name: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=60)]


class TitlesQuery(Form):
    """Candidates by number, such as 3-17-20."""

    ids: Annotated[str, StringConstraints(pattern=r"^\d{1,16}(-\d{1,16}){0,49}$")]

    def as_ids(self) -> list[int]:
        """The same as numbers."""
        return [int(one) for one in self.ids.split("-")]
