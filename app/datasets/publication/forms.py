"""What is posted to publish a version, and to keep a token."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.datasets.formats import Format
from app.datasets.publication.models import Visibility, Way
from app.datasets.publication.operations import DEFAULT, Wanted
from app.web.forms import Form, Text

Repository = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=250)]


class PublishQuery(Form):
    """Where a version would go, as the address of its preview says it; without a repository there is none."""

    repository: Repository = Field("", description="owner/name, or its address at the Hub.")
    visibility: Visibility = Field(Visibility.PRIVATE, description="Who can read the repository, now and there.")
    way: Way = Field(Way.COMMIT, description="Straight to main, or proposed.")
    format: Format = Field(DEFAULT, description="What the data files hold.")

    def as_wanted(self) -> Wanted:
        """The same for the operation."""
        return Wanted(self.repository, self.visibility, self.way, self.format)


class PublishAddress(PublishQuery):
    """The same, and the page of what was published before."""

    page: int = Field(1, ge=1, le=10_000_000)


class PublishForm(PublishQuery):
    """The same, let go by somebody who saw the files whose list has this hash."""

    shown: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="From the preview: where the files would be others by then, nothing is sent."
    )
    confirmed: bool = Field(False, description="The cautions that ask were read.")


class TokenForm(Form):
    """A token of the Hub; empty takes it away."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
