"""What is asked of the rule that draws dev and test."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from app.datasets.splits.splitting import Asked
from app.web.forms import Form

MOST = 1_000_000_000


def _nothing(typed: Any) -> Any:
    return None if typed == "" else typed


Count = Annotated[int | None, BeforeValidator(_nothing)]


class SplitForm(Form):
    """How many examples dev and test are to have in all; left out, their share of the project's target."""

    dev: Count = Field(None, ge=0, le=MOST)
    test: Count = Field(None, ge=0, le=MOST)
    seed: int = Field(1, ge=0, le=MOST)
    by: Literal["source", "chance"] = Field("source", description="Whether each source gives its share.")
    redraw: bool = Field(False, description="Whether what stands in dev and test already may move as well.")

    def asked(self, usual: dict[str, int]) -> Asked:
        """The same for the rule; `usual` says how many where nothing is typed, by split."""
        dev, test = (
            usual[split] if typed is None else typed for split, typed in (("dev", self.dev), ("test", self.test))
        )
        return Asked(dev, test, self.seed, by_source=self.by == "source", redraw=self.redraw)


def address_of(asked: Asked) -> str:
    """What was asked as the query of the page, so that a move or taking it back leaves it as it was."""
    by = "source" if asked.by_source else "chance"
    fields = {"dev": asked.dev, "test": asked.test, "seed": asked.seed, "by": by}
    return urlencode(fields | ({"redraw": "true"} if asked.redraw else {}))


class ApplyForm(SplitForm):
    """The same with the fingerprint of the preview; other moves than those are refused."""

    fingerprint: str | None = Field(None, max_length=64)
