"""What an admin posts about model servers."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.endpoints.operations import Wanted
from app.web.forms import Form, Line, Name

Key = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Seconds = Annotated[int, Field(ge=1, le=600, description="How long to wait for an answer, in all.")]


class EndpointForm(Form):
    """A model server."""

    name: Name
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
    model: Line
    api_key: Key = ""
    timeout_seconds: Seconds = 60
    inside: bool = Field(False, description="It stands in the installation's own network: private addresses are fine.")

    def as_wanted(self) -> Wanted:
        """The same for the operation."""
        return Wanted(self.name, self.url, self.model, self.api_key, self.inside, self.timeout_seconds)


class ChangeForm(Form):
    """Another model at the same address, or another patience; what is left out stays as it is."""

    model: Line | None = None
    timeout_seconds: Seconds | None = None


class KeyForm(Form):
    """Another API key; empty takes it away."""

    api_key: Key = ""
