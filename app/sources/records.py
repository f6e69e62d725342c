"""What every importer yields: one record, its messages and where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from json.encoder import encode_basestring_ascii
from typing import Any, Literal

from app.errors import Refusal
from app.sources.cleaning import html_to_markdown, visible_text
from app.sources.once import once
from app.text.canonical import is_plain, quoted, sha256_hex

Role = Literal["system", "user", "assistant"]
Markup = Literal["markdown", "html"]


@dataclass(frozen=True)
class Message:
    """One turn. `text` is what was imported; `content` is the Markdown of it, made when first asked for.

    Most answers of a dump are dropped by the first rules, so the cost of cleaning is paid for the rest only.
    """

    role: Role
    text: str
    markup: Markup = "markdown"

    @once
    def content(self) -> str:
        """The message as Markdown."""
        return html_to_markdown(self.text) if self.markup == "html" else self.text

    @once
    def visible(self) -> str:
        """The text that a reader sees before any cleaning: what lengths are counted in."""
        return visible_text(self.text) if self.markup == "html" else self.text

    @once
    def quoted(self) -> str:
        """The content as canonical JSON: hashes and the database ask for it, one after the other."""
        return quoted(self.content)

    @property
    def escaped(self) -> str:
        """The content as json.dumps writes it."""
        return self.quoted if is_plain(self.quoted) else encode_basestring_ascii(self.content)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its input: the file's number, a position in it (often a byte), and a second one.

    What the numbers mean is the reader's; given back to the same reader over the same input they find the record.
    """

    member: int = 0
    position: int = 0
    beside: int | None = None


@dataclass(frozen=True)
class Record:
    """One prompt with its response, or a conversation, with all that its licence asks to keep.

    `external_id` is unique within `site`. `is_top` says whether an answer is the best of its question and
    is None where there is no such thing, as `score` is; `barred` is why it can never be. `line` is where the record
    begins in its file; `repeats` is the line of an earlier record of the file with the same id and the same words,
    if there is one; `place` is where its reader finds it again.
    """

    site: str
    external_id: str
    title: str
    messages: tuple[Message, ...]
    split: str | None = None
    source: str | None = None
    language: str | None = None
    score: int | None = None
    is_top: bool | None = None
    barred: str | None = None
    thread_id: str | None = None
    author: str | None = None
    author_url: str | None = None
    url: str | None = None
    licence: str | None = None
    posted_at: datetime | None = None
    line: int = 0
    repeats: int | None = None
    place: Place = Place()
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def responses(self) -> tuple[Message, ...]:
        """The assistant's turns, none for a prompt alone."""
        return tuple(message for message in self.messages if message.role == "assistant")

    @property
    def is_answered(self) -> bool:
        """Whether the last word is the assistant's; else a response is still to be written."""
        return bool(self.messages) and self.messages[-1].role == "assistant"

    @property
    def has_question(self) -> bool:
        """Whether anybody asks anything; a reader that knows without the words says so itself."""
        return any(message.role == "user" for message in self.messages)

    @property
    def prompt(self) -> str:
        """The last thing the user says, as Markdown; empty when nobody asks."""
        asked = [message for message in self.messages if message.role == "user"]
        return asked[-1].content if asked else ""

    @once
    def content_hash(self) -> str:
        """SHA-256 of the messages in canonical JSON: equal for equal conversations."""
        # canonical_json(messages_as_json()) written out, which is asked for once a record: keys are known and sorted.
        turns = [f'{{"content":{one.quoted},"role":"{one.role}"}}' for one in self.messages]
        return sha256_hex(f"[{','.join(turns)}]")

    def at(self, place: Place) -> Record:
        """Give the same record with another place, which is how a reader of several files counts them through."""
        return replace(self, place=place)

    def messages_as_json(self) -> list[dict[str, str]]:
        """Give the messages as they are stored and exported."""
        return [{"role": message.role, "content": message.content} for message in self.messages]

    def messages_as_text(self) -> str:
        """Give the same as the JSON text that a column of the database holds: json.dumps of it, written out."""
        turns = [f'{{"role": "{one.role}", "content": {one.escaped}}}' for one in self.messages]
        return f"[{', '.join(turns)}]"


@dataclass(frozen=True)
class Decision:
    """What the rules made of one record: kept, or dropped by the first rule that it fails, and why.

    `flags` are the words under which a kept one is marked for a person to look at.
    """

    kept: bool
    rule: str | None
    reason: str
    flags: tuple[str, ...] = ()


Decided = tuple[Record, Decision]


class BadInput(Refusal):
    """The file has an error; nothing was imported."""

    def __init__(self, reason: str, line: int | None = None, file: str = "") -> None:
        """Say what is wrong (`reason`, a sentence part), on which line (1-based), and of several files in which."""
        told = reason if line is None else told_at([line], reason, file)
        words = told if file and line is not None else told[:1].upper() + told[1:]
        super().__init__(
            f"{words}. Nothing was imported.", line=line, reason=reason, **({"file": file} if file else {})
        )
        self.line = line
        self.reason = reason


class BadRecord(BadInput):
    """A record cannot be kept where it was to go; nothing was imported."""

    def __init__(self, reason: str, record: Record, file: str = "") -> None:
        """Say what is wrong with it; whoever knows the files names the one that it is in."""
        super().__init__(reason, record.line or None, file)
        self.record = record


@dataclass(frozen=True)
class BadLine:
    """One line that could not be read, and why; `file` is its file's name where the input has several."""

    line: int
    reason: str
    file: str = ""

    @classmethod
    def from_stored(cls, line: int, stored: str) -> BadLine:
        """Read again what `stored` gave."""
        found = _IN_FILE.fullmatch(stored)
        return cls(line, found[2], _name_in(found[1])) if found else cls(line, stored)

    @property
    def stored(self) -> str:
        """The reason with the file's name, as one text for a database that has a column for the line alone."""
        return f"in {_named(self.file)}, {self.reason}" if self.file else self.reason

    def document(self) -> dict[str, Any]:
        """The same for JSON; without a file there is no `file`."""
        return {"line": self.line, "reason": self.reason} | ({"file": self.file} if self.file else {})

    def __str__(self) -> str:
        """Where and why in words: “line 4: …”, “train.csv, line 4: …”."""
        return told_at([self.line], self.reason, self.file)


@dataclass(frozen=True)
class LeftOut:
    """A file or sheet of an input that is not read, and why, as one sentence."""

    path: str
    reason: str


# A file's name in a sentence: in quotes, as JSON has them, where it could be taken for more than that.
_PLAIN_NAME = r"[^,;:\"\n]*\.\w{1,8}"
_NAME = rf'{_PLAIN_NAME}|"(?:[^"\\]|\\.)*"'
_IN_FILE = re.compile(rf"in ({_NAME}), (.*)", re.DOTALL)


def _named(file: str) -> str:
    return file if re.fullmatch(_PLAIN_NAME, file) else json.dumps(file, ensure_ascii=False)


def _name_in(said: str) -> str:
    return str(json.loads(said)) if said.startswith('"') else said


def told_at(lines: Sequence[int], reason: str, file: str = "") -> str:
    """Where and why in words: “line 4: …”, “train.csv, lines 4, 7: …”."""
    where = f"{_named(file)}, " if file else ""
    return f"{where}{'lines' if len(lines) > 1 else 'line'} {', '.join(map(str, lines))}: {reason}"


class BadLines(BadInput):
    """The file has lines that cannot be read; nothing was imported."""

    SHOWN = 20
    # The end of its message; what speaks to somebody says where that can be asked for.
    WAY_OUT = "mend the file, or leave its unreadable records out."

    def __init__(self, lines: list[BadLine], total: int) -> None:
        """List the first twenty of `total` bad lines, those with one reason together."""
        shown = lines[: self.SHOWN]
        alike: dict[tuple[str, str], list[int]] = {}
        for bad in shown:
            alike.setdefault((bad.reason, bad.file), []).append(bad.line)
        listed = "; ".join(told_at(at, reason, file) for (reason, file), at in alike.items())
        more = f"; and {total - len(shown):,} more" if total > len(shown) else ""
        noun = "1 line cannot" if total == 1 else f"{total:,} lines cannot"
        super().__init__(f"{noun} be read: {listed}{more}", shown[0].line if total == 1 else None)
        self.message = f"{self.reason}. Nothing was imported; {self.WAY_OUT}"
        self.args = (self.message,)
        self.line = shown[0].line
        self.problems = tuple(shown)
        self.total = total


_REFUSAL = re.compile(
    r"([\d,]+) lines? cannot be read: (.+?)(?:; and [\d,]+ more)?\. Nothing was imported; "
    + re.escape(BadLines.WAY_OUT),
    re.DOTALL,
)
_LINE = re.compile(rf"(?:^|; )(?:({_NAME}), )?lines? (\d+(?:, \d+)*): ")


def bad_lines_in(message: str) -> tuple[tuple[BadLine, ...], int]:
    """The lines that the message of a BadLines lists, and how many there were; none where it is another one's."""
    found = _REFUSAL.fullmatch(message)
    if found is None:
        return (), 0
    parts = _LINE.split(found[2])
    groups = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    lines = tuple(BadLine(int(line), why, _name_in(name or "")) for name, at, why in groups for line in at.split(", "))
    return lines, int(found[1].replace(",", ""))
