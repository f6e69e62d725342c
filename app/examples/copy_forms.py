"""What people send to keep their words before they are a revision: working copies, from the desk and over the API."""

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from app.examples.forms import MINE, MOST_TURNS, TURN, Key, Messages, Typing, Was, messages_of, numbered, turns_in
from app.examples.roles import FLAGS
from app.web.forms import Form, Text

# What a working copy keeps beside the words, as it was typed; `was` as the page had it.
DESCRIBED = ("split", "source", "language", "flags", "note", "was")
BASE = re.compile(r"base_([1-9][0-9]{0,2})")


class KeepForm(Form):
    """What stands on the desk while somebody types: kept as it is, be it right or not."""

    counter: int = Field(0, ge=0, le=10**9, description="Of the copy that this follows; 0 where there is none yet.")
    copy_key: Key = Field(description="Sent twice with the same key, it is kept once.")
    after: Key | Literal[""] = Field("", description="The key of what the page sent before.")
    key: Key
    based_on: int = Field(0, ge=0, le=10**9)
    split: Typing = ""
    source: Typing = ""
    language: Typing = ""
    flags: Typing = ""
    note: Typing = ""
    was: Was = ""
    writer: Typing = ""
    sensitive: Typing = ""
    format_constraint: Typing = ""
    acknowledges_first: Typing = ""
    system: Text = ""
    turns: tuple[Text, ...] = Field((), max_length=MOST_TURNS)

    @model_validator(mode="before")
    @classmethod
    def _gather_turns(cls, data: Any) -> Any:
        rest = {key: value for key, value in data.items() if not TURN.fullmatch(key)}
        return {**rest, "turns": turns_in(data)}

    @property
    def messages(self) -> list[dict[str, str]]:
        """The texts as messages; empty places stay empty."""
        return messages_of(self.system, self.turns)

    @property
    def description(self) -> dict[str, str]:
        """What it is for, as it was typed."""
        return _described(self)


class ChangeForm(Form):
    """The desk's words, and a change to bring into them: from `base` to `mine`, each words or a revision's number."""

    system: Text = ""
    turns: tuple[Text, ...] = Field((), max_length=MOST_TURNS)
    base_revision: int = Field(0, ge=0, le=10**9)
    base_system: Text = ""
    base: tuple[Text, ...] = Field((), max_length=MOST_TURNS)
    mine_revision: int = Field(0, ge=0, le=10**9)
    mine_system: Text = ""
    mine: tuple[Text, ...] = Field((), max_length=MOST_TURNS)

    @model_validator(mode="before")
    @classmethod
    def _gather_turns(cls, data: Any) -> Any:
        rest = {name: value for name, value in data.items() if name in cls.model_fields}
        return {**rest, "turns": turns_in(data), "base": numbered(data, BASE), "mine": numbered(data, MINE)}


class ThrowAwayForm(Form):
    """Which copy somebody throws away: that of the page, not a newer one."""

    counter: int = Field(ge=1, le=10**9)


class CopyIn(Form):
    """Words to keep before they are a revision."""

    counter: int = Field(0, ge=0, le=10**9, description="Of the copy that this follows; 0 where there is none yet.")
    key: Key = Field(description="Sent twice with the same key, it is kept once.")
    based_on: int = Field(0, ge=0, le=10**9, description="The revision that the words began from; 0 for none.")
    messages: Messages
    split: Typing = ""
    source: Typing = ""
    language: Typing = ""
    flags: Typing = Field("", description="Separated by commas.")
    note: Typing = Field("", description="Why this change: it goes beside the revision once the words are saved.")
    was: Was = Field(
        "", description="What the desk showed the example to be for: whoever saves leaves as it is what equals that."
    )
    sensitive: bool = Field(False, description="This and the next two: of an example that is not made yet.")
    format_constraint: bool = False
    acknowledges_first: bool = False

    @property
    def description(self) -> dict[str, str]:
        """What it is for, as it was typed."""
        return _described(self)


def _described(form: KeepForm | CopyIn) -> dict[str, str]:
    ticked = {flag: "true" for flag in FLAGS if getattr(form, flag)}
    return {**{name: getattr(form, name) for name in DESCRIBED}, **ticked}
