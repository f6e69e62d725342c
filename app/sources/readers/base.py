"""What a reader is: a format that recognises its files, and what turns them into records."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.sources.readers.files import LARGEST_LINE, Sniffed
from app.sources.readers.settings import Setting, Switch
from app.sources.records import BadInput, BadLine, BadLines, LeftOut, Place, Record

_LISTED = 1000

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PromptChoice:
    """Which part of a post becomes the prompt: `title`, `body`, or `either` by a seeded coin."""

    part: str = "either"
    title_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        if self.part not in {"title", "body", "either"} or not 0 <= self.title_share <= 1:
            raise BadInput("the prompt is title, body or either, and the share of titles lies between 0 and 1")

    def takes_title(self, site: str, post: int | str) -> bool:
        """Toss the coin of one post: the same for the same seed, site and id, on every machine."""
        if self.part != "either":
            return self.part == "title"
        digest = hashlib.sha256(f"{self.seed}:{site}:{post}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.title_share * (1 << 64)


@dataclass(frozen=True)
class ReadOptions:
    """How to read: bad records left out or refused, encoding, the prompt's part, names, licence of the whole.

    `name` is the set that a file's own ids belong to where no site is given; `longest` is in bytes. With
    `sample_bytes` a reader ends after that many bytes of its input, without a complaint that there is more.
    `settings` are the format's own (a table's columns, wikiHow's sections), as its module says.
    """

    site: str | None = None
    skip_bad: bool = False
    encoding: str = "auto"
    prompt: PromptChoice = field(default_factory=PromptChoice)
    name: str | None = None
    licence: str | None = None
    longest: int = LARGEST_LINE
    sample_bytes: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    on_progress: Progress | None = None


class Reader(ABC):
    """Turns files into records; what is wrong with a record is noted, with its line, and the rest goes on.

    `prepare` learns what only the whole input tells, and may do nothing. `records` yields the records in file
    order; after the last it raises BadLines (422) if any were bad and bad ones are not to be left out, so that
    nothing may be shown before it has ended. `bytes_read` of `total_bytes` is the progress of the present `phase`.
    """

    format: str
    site: str

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take the files of one input, all of this reader's format."""
        self.files = tuple(files)
        self.options = options
        self.total_bytes = sum(file.path.stat().st_size for file in files)
        self.bytes_read = 0
        self.phase = "reading"
        self.errors: list[BadLine] = []
        self.error_count = 0
        # Told of every bad record as it is met; `errors` are the first of them.
        self.on_bad: Callable[[BadLine], None] | None = None
        # Files and sheets of the input that nothing is read of.
        self.left_out: tuple[LeftOut, ...] = ()
        # Files beside these that should be read and cannot be: each counts as a bad record of the whole.
        self.broken: tuple[BadLine, ...] = ()
        # Pairs of ids that the source itself calls duplicates.
        self.known_duplicates: tuple[tuple[int, int], ...] = ()
        # What a person should know of the whole input, in sentences; nothing was dropped for it.
        self.notes: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Learn what only the whole input tells; raises BadInput and BadLines (422)."""
        return

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Yield the sound records in file order."""

    @abstractmethod
    def record_at(self, place: Place) -> Record:
        """Read one record again from its place. Raises BadInput (422) when it is not there any more."""

    def note(self, line: int, reason: str, file: Sniffed | None = None) -> None:
        """Remember a record that cannot be read; of several files it names its own."""
        self.remember(BadLine(line, reason, file.name if file is not None and len(self.files) > 1 else ""))

    def name_of(self, record: Record) -> str:
        """The name of the file that a record is in; empty where there is one alone."""
        return self.files[record.place.member].name if len(self.files) > 1 else ""

    def remember(self, bad: BadLine) -> None:
        """The same, of one that says itself where it stands."""
        self.error_count += 1
        if len(self.errors) < _LISTED:
            self.errors.append(bad)
        if self.on_bad is not None:
            self.on_bad(bad)

    def settle(self, records: int, noun: str = "row") -> None:
        """End a reading of that many sound records. Raises BadLines, or BadInput where there was nothing at all."""
        for bad in self.broken:
            self.remember(bad)
        if self.errors and not self.options.skip_bad:
            raise BadLines(self.errors, self.error_count)
        if not records and not self.errors:
            raise BadInput(f"the file holds no {noun}")

    def progress(self, done: int) -> None:
        """Tell how far the reading is, after each 64 KB."""
        step = done >> 16 != self.bytes_read >> 16 or done == self.total_bytes
        self.bytes_read = done
        if self.options.on_progress is not None and step:
            self.options.on_progress(self.phase, done, self.total_bytes)


Claim = Callable[[Sequence[Sniffed]], list[list[Sniffed]]]


@dataclass(frozen=True)
class Format:
    """A kind of source. `claim` picks from an input's files those that it reads, in groups of one reader each."""

    name: str
    title: str
    claim: Claim
    reader: Callable[[Sequence[Sniffed], ReadOptions], Reader]
    # Kinds of files (see Sniffed) that it may be told to read, recognised or not.
    kinds: frozenset[str]
    # The preset of rules that an import begins with, and what one record is called.
    rules: str = "none"
    noun: str = "record"
    needs_site: bool = False
    # What the page of an import asks for besides; a reader finds it in ReadOptions.settings.
    settings: tuple[Setting | Switch, ...] = ()


def each(wanted: Callable[[Sniffed], bool]) -> Claim:
    """A claim on every file that is wanted, each by itself."""
    return lambda files: [[file] for file in files if wanted(file)]


def together(wanted: Callable[[Sniffed], bool]) -> Claim:
    """A claim on all files that are wanted, as one input."""

    def claim(files: Sequence[Sniffed]) -> list[list[Sniffed]]:
        found = [file for file in files if wanted(file)]
        return [found] if found else []

    return claim
