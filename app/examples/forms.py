"""What people send while they write: the desk as a whole, a filter in the address."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, Json, StringConstraints, model_validator

from app.accounts.models import User
from app.examples.describing import Purpose, flags_in
from app.examples.models import ExampleState
from app.examples.narrowing import Also
from app.examples.queries import ExampleFilter
from app.examples.roles import FLAGS
from app.projects.models import Split
from app.web.forms import Form, Language, Storable, Text

MOST_TURNS = 100
MOST_TYPED = 20_000
TURN = re.compile(r"turn_([1-9][0-9]{0,2})")
MINE = re.compile(r"mine_([1-9][0-9]{0,2})")
TAKE = re.compile(r"take_([1-9][0-9]{0,2})")

Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Flag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), Storable]
Typing = Annotated[str, StringConstraints(max_length=1000), Storable]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), Storable]
Was = Annotated[str, StringConstraints(max_length=20_000), Storable]


# Numbers of examples, each with why both may stay.
NotDuplicates = Annotated[
    dict[Annotated[int, Field(ge=1, le=10**15)], Annotated[Text, StringConstraints(max_length=1000)]],
    Field(max_length=100),
]


def new_key() -> str:
    """A key for one form: sent twice, it acts once."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Followed:
    """What a page knows of the working copy that its words follow: its counter, the key of the save it sent last."""

    counter: int = 0
    copy_key: str = ""
    based_on: int = 0


UNKNOWN = Followed()


class DeskForm(Form):
    """Everything on the desk. Turns are posted as turn_1, turn_2, …: odd ones are prompts, even ones responses."""

    act: Literal["save", "submit", "leave", "add_turn", "remove_turn", "preview", "join"] = "save"
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
    was: Was = Field("", description="What the page showed the example to be for: a `Purpose.canonical`.")
    counter: int = Field(0, ge=0, le=10**9, description="Where one's working copy stands.")
    copy_key: Key | Literal[""] = Field("", description="Of the copy that the page sent last.")
    writer: Typing = Field("", description="The number of the person whose page it is.")
    not_duplicates: Json[NotDuplicates] = Field({}, description="Of one that is not made yet.")
    sensitive: bool = False
    format_constraint: bool = False
    acknowledges_first: bool = False
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
    def followed(self) -> Followed:
        """The copy that these words follow."""
        return Followed(self.counter, self.copy_key, self.based_on)

    @property
    def roles(self) -> dict[str, bool]:
        """The flags that have a meaning of their own, as they are ticked on the desk of an example not made yet."""
        return {flag: getattr(self, flag) for flag in FLAGS}

    @property
    def flag_list(self) -> list[str]:
        """The flags, each once."""
        return list(flags_in(self.flags))

    @property
    def purpose(self) -> Purpose:
        """What the example is for, as it is typed."""
        return Purpose(self.split.value, self.source, self.language, flags_in(self.flags))


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
    return {**numbers, "system": typed.get("mine_system", ""), "mine": numbered(typed, MINE), "takes": takes}


def turns_in(typed: Mapping[str, Any]) -> tuple[str, ...]:
    """The turns of a posted form in their order."""
    return numbered(typed, TURN)


def numbered(typed: Mapping[str, Any], pattern: re.Pattern[str]) -> tuple[str, ...]:
    """The fields of a posted form whose names are a word and a number, in the order of their numbers."""
    found = sorted((int(match[1]), value) for key, value in typed.items() if (match := pattern.fullmatch(key)))
    return tuple(value for _, value in found)


def messages_of(system: str, turns: tuple[str, ...]) -> list[dict[str, str]]:
    """A system message and turns as messages."""
    spoken = [{"role": "user" if index % 2 == 0 else "assistant", "content": turn} for index, turn in enumerate(turns)]
    return [{"role": "system", "content": system}, *spoken] if system.strip() else spoken


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
    """Filter and page of the list; an unknown field is refused. Of the words so many count as `parse` takes."""

    state: Literal["", "draft", "review", "returned", "approved", "rejected"] = ""
    split: Literal["", "train", "dev", "test"] = ""
    source: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)] = ""
    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=MOST_TYPED)] = ""
    whose: Annotated[str, StringConstraints(pattern=r"^(?:mine|[1-9][0-9]{0,17})?$")] = Field(
        "", description="mine, or the number of a person: examples that they made or wrote last."
    )
    language: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=16)] = ""
    licence: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    also: Also | Literal[""] = Field("", description="What else it is: a flag, its author's group, a translation.")
    page: int = Field(1, ge=1, le=10_000_000)

    def as_filter(self, person: User) -> ExampleFilter:
        """The same for the query."""
        return ExampleFilter(
            state=ExampleState(self.state) if self.state else None,
            split=Split(self.split) if self.split else None,
            source=self.source or None,
            words=self.words,
            mine=person if self.whose == "mine" else None,
            author=int(self.whose) if self.whose.isdecimal() else None,
            language=self.language or None,
            licence=self.licence or None,
            also=Also(self.also) if self.also else None,
        )

    def as_query(self, *, without_page: bool = False) -> str:
        """The same for an address; what is as usual is left out."""
        left_out = {"page"} if without_page else set()
        return urlencode(self.model_dump(mode="json", exclude_defaults=True, exclude=left_out))

    @property
    def narrows(self) -> bool:
        """Whether anything but the usual is asked for."""
        return bool(self.model_dump(exclude_defaults=True))

    @property
    def filters(self) -> int:
        """How many filters narrow the list, words and page aside."""
        return len(self.model_dump(exclude_defaults=True, exclude={"words", "page"}))

    @property
    def further(self) -> int:
        """How many of them stand folded."""
        return len(self.model_dump(exclude_defaults=True, include={"split", "language", "licence", "also"}))


class SearchQuery(ExampleQuery):
    """The same for the API, where `q` says the same as `words`."""

    q: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=MOST_TYPED)] = Field(
        "", description="Words that must all occur in the newest revision, “a phrase”, -not."
    )

    def as_filter(self, person: User) -> ExampleFilter:
        """The same for the query."""
        both = " ".join(typed for typed in (self.q, self.words) if typed)
        return replace(super().as_filter(person), words=both)


class MessageIn(Form):
    """One message."""

    role: Literal["system", "user", "assistant"]
    content: Text


Messages = Annotated[list[MessageIn], Field(max_length=2 * MOST_TURNS + 1)]


class ExampleIn(Form):
    """A new example."""

    split: Split = Split.TRAIN
    source: Source
    language: Language | None = Field(None, description="Left out, the project's, else English.")
    flags: list[Flag] = Field([], max_length=20)
    messages: Messages
    note: Note = ""
    key: Key | None = Field(None, description="Sent twice with the same key, it makes one example.")
    not_duplicates: NotDuplicates = Field(
        {}, description="Numbers of examples that it is near to and no duplicate of, each with why both may stay."
    )


class RevisionIn(Form):
    """New words, based on the revision that was read."""

    based_on: int = Field(ge=1, le=10**9)
    messages: Messages
    note: Note = ""
    key: Key | None = Field(None, description="Sent twice with the same key, it makes one revision.")


class DescriptionIn(Form):
    """What an example is for."""

    split: Split
    source: Source
    language: Language
    flags: list[Flag] = Field([], max_length=20)
