"""What a format is: the columns of its files, how an example becomes a record of them, and what of it is kept."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from app.datasets.canonical import read_json
from app.text.canonical import is_plain

Record = dict[str, Any]
# Bytes that a file of lines collects before it writes: a line is some thousand.
BUFFER = 1 << 18
Feature = Mapping[str, Any]

TEXT: Feature = {"dtype": "string"}
TEXTS: Feature = {"list": "string"}
PAIRS: Feature = {"list": {"list": "string"}}


def turns_of(*names: str) -> Feature:
    """The feature of a list of objects with these texts in them."""
    return {"list": [{"name": name, **TEXT} for name in names]}


@dataclass(frozen=True)
class Column:
    """A column of a format's files; `feature` is its type as the head of a card on the Hugging Face Hub writes it."""

    name: str
    about: str
    feature: Feature = field(default_factory=lambda: TEXT)


# Columns that several formats have.
ID = Column("id", "the SHA-256 of the example's line in examples.jsonl")
SOURCE = Column("source", "the key of its source")
LICENCE = Column("licence", "the licence of its words, empty where none is stated")
AUTHOR = Column("author", "who wrote the words, where that is known")
URL = Column("url", "where they stand")
GROUP = Column("group", "the group of authors that the prompt belongs to")
FLAGS = Column("flags", "what people said of the prompt", TEXTS)
FLAGS_AS_TEXT = Column("flags", "what people said of the prompt, with blanks between")
MESSAGES = Column("messages", "role and content of each message", turns_of("role", "content"))


class Writer(Protocol):
    """Takes the records of one file."""

    def add(self, record: Record) -> None:
        """Take one more record."""

    def close(self) -> None:
        """End the file."""


class Layout(ABC):
    """A format for one version; `told` says whether any of its examples has a group or flags."""

    # Its name in words; what its files hold; who reads them, both as parts of a sentence.
    title: ClassVar[str]
    holds: ClassVar[str]
    read_by: ClassVar[str]
    suffix: ClassVar[str] = "jsonl"
    # Of what an example has besides its messages, that which its records keep: source, licence, author, attribution,
    # group, flags. Messages are kept whole by each: system messages, all turns, prompts without a response.
    keeps: ClassVar[frozenset[str]] = frozenset()
    # What a reader of tables is to be told besides, by the Hub's names for it.
    reading: ClassVar[Mapping[str, Any]] = {}
    # How Axolotl and LLaMA-Factory are told to read the files; None where they cannot read them without loss.
    axolotl: ClassVar[Mapping[str, Any] | None] = None
    llamafactory: ClassVar[Mapping[str, Any] | None] = None

    def __init__(self, *, told: bool = False) -> None:
        """Take whether there are columns for group and flags."""
        self.told = told

    @classmethod
    def path_of(cls, split: str) -> str:
        """Where in an export the file of a split stands."""
        return f"{split}.{cls.suffix}"

    @property
    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns in their order; in JSON a record may leave one out where it has nothing to say."""

    @abstractmethod
    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example of examples.jsonl, whose line has that hash, as a record."""

    def writer(self, path: Path) -> Writer:
        """Open a new file."""
        return JsonLines(path)

    def records(self, path: Path) -> Iterator[Record]:
        """Read a file; raises ValueError or OSError where it is none."""
        with path.open("rb") as file:
            for line in file:
                yield read_json(line)

    def _told(self, flags: Column = FLAGS_AS_TEXT) -> tuple[Column, ...]:
        return (GROUP, flags) if self.told else ()


def told_columns(example: Mapping[str, Any], *, told: bool) -> Record:
    """Group and flags of an example for a format in which each record has the same columns, as texts.

    Of an empty list nobody can tell what it is a list of, and readers that guess columns from the first rows would stop
    at the first flag.
    """
    return {"group": example.get("group", ""), "flags": " ".join(example.get("flags", ()))} if told else {}


def turns_in(example: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The system message, empty where there is none, and the turns of user and assistant."""
    messages = example["messages"]
    if messages and messages[0]["role"] == "system":
        return messages[0]["content"], [said["content"] for said in messages[1:]]
    return "", [said["content"] for said in messages]


def pairs_of(turns: Sequence[str]) -> tuple[list[list[str]], str, str | None]:
    """Turns as the pairs of prompt and response before the last prompt, that prompt, and its response if there is."""
    *history, last = [list(turns[at : at + 2]) for at in range(0, len(turns), 2)]
    return history, last[0], last[1] if len(last) > 1 else None


class JsonLines:
    """One JSON object a line, keys in the order of the record."""

    def __init__(self, path: Path) -> None:
        """Open the file anew."""
        self._file = path.open("xb", buffering=BUFFER)

    def add(self, record: Record) -> None:
        """Write the record as a line."""
        self._file.write(_line(record).encode())

    def close(self) -> None:
        """End the file."""
        self._file.close()


_ENCODER = json.JSONEncoder(ensure_ascii=False)
_PLAIN_ENCODER = json.JSONEncoder()


def _line(record: Record) -> str:
    # Both write plain text alike, the second in two thirds of the time.
    return (_PLAIN_ENCODER if _is_plain(record) else _ENCODER).encode(record) + "\n"


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return is_plain(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_plain, parts))
