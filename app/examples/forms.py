"""What people send while they write: the desk as a whole, a filter in the address."""

import re
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints, model_validator

from app.accounts.models import User
from app.examples.models import ExampleState
from app.examples.queries import ExampleFilter
from app.projects.models import Split
from app.web.forms import Form, Storable, Text

MOST_TURNS = 100
TURN = re.compile(r"turn_([1-9][0-9]{0,2})")
MINE = re.compile(r"mine_([1-9][0-9]{0,2})")
TAKE = re.compile(r"take_([1-9][0-9]{0,2})")

Language = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}$", max_length=16)
]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Flag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), Storable]
Typing = Annotated[str, StringConstraints(max_length=1000), Storable]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), Storable]


def new_key() -> str:
    """A key for one form: sent twice, it acts once."""
    return secrets.token_urlsafe(16)


class DeskForm(Form):
    """Everything on the desk. Turns are posted as turn_1, turn_2, …: odd ones are prompts, even ones responses."""

    act: Literal["save", "submit", "add_turn", "remove_turn", "preview", "join"] = "save"
    split: Split = Split.TRAIN
    source: Source
    language: Language = "en"
    flags: Annotated[Text, StringConstraints(max_length=1000)] = ""
    based_on: int = Field(0, ge=0, le=10**9)
    key: Key
    shown_as: Literal["write", "preview"] = Field("write", alias="as")
    system: Text = ""
    turns: tuple[Text, ...] = Field((), max_length=MOST_TURNS)
    note: Note = ""
    counter: int = Field(0, ge=0, le=10**9, description="Where one's working copy stands.")
    joining: "Joining | None" = None

    @model_validator(mode="before")
    @classmethod
    def _gather_turns(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "turns" in data or "joining" in data:
            return data
        joining = joining_in(data)
        rest = {key: value for key, value in data.items() if not TURN.fullmatch(key) and not _of_joining(key)}
        return {**rest, "turns": turns_in(data), "joining": joining}

    @property
    def messages(self) -> list[dict[str, str]]:
        """The texts as messages; empty places stay empty."""
        return messages_of(self.system, self.turns)

    @property
    def flag_list(self) -> list[str]:
        """The flags, each once."""
        return list(dict.fromkeys(flag.strip()[:40] for flag in self.flags.split(",") if flag.strip()))


class Joining(Form):
    """Two people's words on the desk: one's own as they were, the revisions, what was taken and is to be taken."""

    base: int = Field(ge=0, le=10**9)
    theirs: int = Field(ge=1, le=10**9)
    system: Text = ""
    mine: tuple[Text, ...] = Field((), max_length=MOST_TURNS)
    taken: Annotated[str, StringConstraints(pattern=r"^[mtb]{0,999}$")] = ""
    takes: dict[int, Literal["mine", "theirs", "both"]] = Field(default_factory=dict)

    @property
    def taken_before(self) -> dict[int, str]:
        """The choices that the texts on the desk were made with."""
        names = {"m": "mine", "t": "theirs", "b": "both"}
        return {number: names[letter] for number, letter in enumerate(self.taken, start=1)}


def _of_joining(key: str) -> bool:
    return key in {"base", "theirs", "mine_system", "taken"} or bool(MINE.fullmatch(key) or TAKE.fullmatch(key))


def joining_in(typed: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of a desk on which two texts are being joined, if this is one."""
    if "theirs" not in typed:
        return None
    takes = {int(found[1]): value for key, value in typed.items() if (found := TAKE.fullmatch(key))}
    numbers = {key: typed[key] for key in ("base", "theirs", "taken") if key in typed}
    return {**numbers, "system": typed.get("mine_system", ""), "mine": _numbered(typed, MINE), "takes": takes}


def turns_in(typed: Mapping[str, Any]) -> tuple[str, ...]:
    """The turns of a posted form in their order."""
    return _numbered(typed, TURN)


def _numbered(typed: Mapping[str, Any], pattern: re.Pattern[str]) -> tuple[str, ...]:
    numbered = sorted((int(found[1]), value) for key, value in typed.items() if (found := pattern.fullmatch(key)))
    return tuple(value for _, value in numbered)


def messages_of(system: str, turns: tuple[str, ...]) -> list[dict[str, str]]:
    """A system message and turns as messages."""
    spoken = [{"role": "user" if index % 2 == 0 else "assistant", "content": turn} for index, turn in enumerate(turns)]
    return [{"role": "system", "content": system}, *spoken] if system.strip() else spoken


class KeepForm(Form):
    """What stands on the desk while somebody types: kept as it is, be it right or not."""

    counter: int = Field(0, ge=0, le=10**9, description="Of the copy that this follows; 0 where there is none yet.")
    copy_key: Key = Field(description="Sent twice with the same key, it is kept once.")
    key: Key
    based_on: int = Field(0, ge=0, le=10**9)
    split: Typing = ""
    source: Typing = ""
    language: Typing = ""
    flags: Typing = ""
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
        return {"split": self.split, "source": self.source, "language": self.language, "flags": self.flags}


class ThrowAwayForm(Form):
    """Which copy somebody throws away: that of the page, not a newer one."""

    counter: int = Field(ge=1, le=10**9)


class RestoreForm(Form):
    """Which revision stood last when somebody asked for an older one back."""

    based_on: int = Field(ge=1, le=10**9)
    key: Key


class HistoryQuery(Form):
    """A page of the history, and which two to compare: numbers of revisions, 0 for the post it came from."""

    page: int = Field(1, ge=1, le=10_000_000)
    left: int | None = Field(None, ge=0, le=10**9)
    right: int | None = Field(None, ge=1, le=10**9)


class ExampleQuery(Form):
    """Filter and page of the list; an unknown field is refused."""

    state: Literal["", "draft", "review", "returned", "approved", "rejected"] = ""
    split: Literal["", "train", "dev", "test"] = ""
    source: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)] = ""
    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    whose: Literal["", "mine"] = ""
    page: int = Field(1, ge=1, le=10_000_000)

    def as_filter(self, person: User) -> ExampleFilter:
        """The same for the query."""
        return ExampleFilter(
            state=ExampleState(self.state) if self.state else None,
            split=Split(self.split) if self.split else None,
            source=self.source or None,
            words=self.words,
            mine=person if self.whose else None,
        )

    def as_query(self, *, without_page: bool = False) -> str:
        """The same for an address; what is as usual is left out."""
        left_out = {"page"} if without_page else set()
        return urlencode(self.model_dump(mode="json", exclude_defaults=True, exclude=left_out))

    @property
    def narrows(self) -> bool:
        """Whether anything but the usual is asked for."""
        return bool(self.model_dump(exclude_defaults=True))


class MessageIn(Form):
    """One message."""

    role: Literal["system", "user", "assistant"]
    content: Text


Messages = Annotated[list[MessageIn], Field(max_length=2 * MOST_TURNS + 1)]


class ExampleIn(Form):
    """A new example."""

    split: Split = Split.TRAIN
    source: Source
    language: Language = "en"
    flags: list[Flag] = Field([], max_length=20)
    messages: Messages
    note: Note = ""
    key: Key | None = Field(None, description="Sent twice with the same key, it makes one example.")


class RevisionIn(Form):
    """New words, based on the revision that was read."""

    based_on: int = Field(ge=1, le=10**9)
    messages: Messages
    note: Note = ""
    key: Key | None = Field(None, description="Sent twice with the same key, it makes one revision.")


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

    @property
    def description(self) -> dict[str, str]:
        """What it is for, as it was typed."""
        return {"split": self.split, "source": self.source, "language": self.language, "flags": self.flags}


class DescriptionIn(Form):
    """What an example is for."""

    split: Split
    source: Source
    language: Language
    flags: list[Flag] = Field([], max_length=20)
