"""How the API says no: one shape for every refusal, described in openapi.json."""

from typing import Any

from pydantic import BaseModel, Field


class Refused(BaseModel):
    """What happened, what was kept, what to do."""

    message: str = Field(description="One sentence for people.")
    problems: list[str] = Field(description="One sentence a field that does not fit.")
    request_id: str = Field(description="Stands in the server's log as well.")


class Problem(BaseModel):
    """A refusal."""

    error: Refused


WORDS = {
    401: "No token, or one that does not work any more.",
    403: "The token's owner, or its scope, may not do this; nothing was changed.",
    404: "There is nothing under that name, or it is not yours to see.",
    409: "It clashes with what somebody else did; nothing was overwritten.",
    422: "Something of what was sent does not fit; nothing was changed.",
}

# For an APIRouter: every operation may be refused in these ways.
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words} for status, words in WORDS.items()
}
