"""What every importer yields: one record, its messages and where it came from."""

from __future__ import annotations

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

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say what is wrong (`reason`, a sentence part) and on which line (1-based)."""
        words = reason[:1].upper() + reason[1:] if line is None else f"Line {line}: {reason}"
        super().__init__(f"{words}. Nothing was imported.", line=line, reason=reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class BadLine:
    """One line that could not be read, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """A file or sheet of an input that is not read, and why, as one sentence."""

    path: str
    reason: str


# A reason that names its file, because its input has several (`Reader.note`).
_IN_FILE = re.compile(r"in ([^,;:]*\.\w{1,8}), (.*)", re.DOTALL)


def told_at(lines: Sequence[int], reason: str) -> str:
    """Where and why in words: “line 4: …”, and “train.csv, line 4: …” where the reason names its file."""
    found = _IN_FILE.fullmatch(reason)
    where, why = (f"{found[1]}, ", found[2]) if found else ("", reason)
    return f"{where}{'lines' if len(lines) > 1 else 'line'} {', '.join(map(str, lines))}: {why}"


class BadLines(BadInput):
    """The file has lines that cannot be read; nothing was imported."""

    SHOWN = 20
    # The end of its message; what speaks to somebody says where that can be asked for.
    WAY_OUT = "mend the file, or leave its unreadable records out."

    def __init__(self, lines: list[BadLine], total: int) -> None:
        """List the first twenty of `total` bad lines, those with one reason together."""
        shown = lines[: self.SHOWN]
        by_reason: dict[str, list[int]] = {}
        for bad in shown:
            by_reason.setdefault(bad.reason, []).append(bad.line)
        listed = "; ".join(told_at(at, reason) for reason, at in by_reason.items())
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
_LINE = re.compile(r"(?:^|; )(?:([^,;:]*\.\w{1,8}), )?lines? (\d+(?:, \d+)*): ")


def bad_lines_in(message: str) -> tuple[tuple[BadLine, ...], int]:
    """The lines that the message of a BadLines lists, and how many there were; none where it is another one's."""
    found = _REFUSAL.fullmatch(message)
    if found is None:
        return (), 0
    parts = _LINE.split(found[2])
    groups = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    lines = tuple(
        BadLine(int(line), f"in {name}, {why}" if name else why) for name, at, why in groups for line in at.split(", ")
    )
    return lines, int(found[1].replace(",", ""))
