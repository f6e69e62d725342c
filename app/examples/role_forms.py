"""What people send about roles of prompts and translations."""

from typing import Any, Literal

from pydantic import Field

from app.web.forms import Form, Language


class RolesForm(Form):
    """Group and flags as a page posts them: a flag that is not ticked is not sent, a group only by leads."""

    author_group: Literal["", "A", "B"] | None = None
    sensitive: bool = False
    format_constraint: bool = False
    acknowledges_first: bool = False


class RolesIn(Form):
    """Group and flags; what is left out stays as it is."""

    author_group: Literal["", "A", "B"] | None = Field(None, description="Empty for none; leads alone change it.")
    sensitive: bool | None = None
    format_constraint: bool | None = Field(None, description="Whether the prompt fixes the structure of its answer.")
    acknowledges_first: bool | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What is not left out."""
        return self.model_dump(exclude_none=True)


class TranslateForm(Form):
    """Into which language."""

    language: Language


class SeenForm(Form):
    """The revision of the original that the translator has looked at."""

    revision: int = Field(ge=1, le=10**9)


class LinkForm(Form):
    """The original that an example translates, and the revision of it that it fits; without one, what stands there."""

    example: int = Field(ge=1, le=10**9)
    revision: int | None = Field(None, ge=1, le=10**9)
