"""JSONL and JSON arrays of conversations as records, each conversation kept whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.sources import chat_rows
from app.sources.chat_rows import BadRow
from app.sources.files import LARGEST_LINE, chunks, lines
from app.sources.records import BadInput, BadLine, BadLines, Record
from app.sources.strict_json import BadJson, parse, parse_from
from app.text.canonical import content_hash

Progress = Callable[[str, int, int], None]

_LISTED = 10_000
_LONGEST_ID = 120


@dataclass(frozen=True, slots=True)
class _Item:
    """One value of the file: its line, the bytes read by then, and the value or what is wrong with it."""

    line: int
    end: int
    value: Any
    fault: str | None = None


@dataclass(frozen=True)
class ChatCounts:
    """What the first pass saw."""

    rows: int
    bad: int


class ChatReader:
    """Reads one file of conversations; `validate` first, then `records` as often as wanted.

    `bytes_read` of `total_bytes` in the present `phase` ("checking", "reading") is the progress. `errors`
    lists lines that were skipped (at most 10,000; `error_count` has all).
    """

    def __init__(  # noqa: PLR0913 - a file of conversations can be read in that many ways
        self,
        path: Path,
        *,
        form: str,
        is_array: bool,
        encoding: str = "utf-8-sig",
        site: str | None = None,
        name: str | None = None,
        licence: str | None = None,
        skip_bad: bool = False,
        longest: int = LARGEST_LINE,
        on_progress: Progress | None = None,
    ) -> None:
        """Take a file in one of the four forms; `site` names the set that its ids are unique in.

        Without a site, rows that bring an id of their own belong to the set `name` (a file's name), for "1" of
        one file is not "1" of another; rows without are known by their words, whichever file they stand in.
        `longest` is the size in bytes up to which a row is read.
        """
        self.path = path
        self.format = form
        self.is_array = is_array
        self.encoding = encoding
        self.site = site or form
        self.own_site = (site or name or form)[:_LONGEST_ID]
        self.longest = longest
        self.licence = licence
        self.skip_bad = skip_bad
        self.on_progress = on_progress
        self.total_bytes = path.stat().st_size
        self.bytes_read = 0
        self.phase = "checking"
        self.errors: list[BadLine] = []
        self.error_count = 0
        self.counts: ChatCounts | None = None

    def validate(self) -> ChatCounts:
        """Read the whole file once and check every row.

        Raises BadLines (422) with the first twenty bad lines, unless bad lines are to be skipped; BadInput
        for an array that breaks off, which leaves nothing to skip to.
        """
        if self.counts is None:
            self.errors, self.error_count = [], 0
            rows = sum(1 for _ in self._records("checking", self._note))
            if self.errors and not self.skip_bad:
                raise BadLines(self.errors, self.error_count)
            if not rows and not self.errors:
                raise BadInput("the file holds no row")
            self.counts = ChatCounts(rows, self.error_count)
        return self.counts

    def records(self) -> Iterator[Record]:
        """Yield the sound rows in file order."""
        self.validate()
        yield from self._records("reading", lambda _line, _reason: None)

    def _records(self, phase: str, note: Callable[[int, str], None]) -> Iterator[Record]:
        self.phase = phase
        seen: dict[str, tuple[int, bytes]] = {}
        items = _array_items if self.is_array else _line_items
        for item in items(self.path, self.encoding, self.longest):
            self._progress(item.end)
            try:
                yield _compared(self._record(item), seen)
            except BadRow as error:
                note(item.line, str(error))

    def _record(self, item: _Item) -> Record:
        record = _record(item, self.format, self.site, self.licence)
        own_id = chat_rows.text_field(item.value, "id", "external_id")
        return record if own_id is None else replace(record, site=self.own_site, external_id=_short(own_id))

    def _note(self, line: int, reason: str) -> None:
        self.error_count += 1
        if len(self.errors) < _LISTED:
            self.errors.append(BadLine(line, reason))

    def _progress(self, done: int) -> None:
        step = done >> 16 != self.bytes_read >> 16 or done == self.total_bytes
        self.bytes_read = done
        if self.on_progress is not None and step:
            self.on_progress(self.phase, done, self.total_bytes)


def first_form(path: Path, encoding: str, *, is_array: bool) -> str | None:
    """Name the form of the first row that has one, among the first hundred."""
    items = _array_items(path, encoding) if is_array else _line_items(path, encoding)
    for _, item in zip(range(100), items, strict=False):
        form = chat_rows.recognise(item.value) if isinstance(item.value, dict) else None
        if form is not None:
            return form
    return None


def first_fault(path: Path, encoding: str, *, is_array: bool) -> BadLine | None:
    """Give the first line that cannot be read, among the first hundred."""
    items = _array_items(path, encoding) if is_array else _line_items(path, encoding)
    hundred = (item for _, item in zip(range(100), items, strict=False))
    return next((BadLine(item.line, item.fault) for item in hundred if item.fault is not None), None)


def _record(item: _Item, form: str, site: str, licence: str | None) -> Record:
    if item.fault is not None:
        raise BadRow(item.fault)
    row = item.value
    messages = chat_rows.messages_of(row, form)
    posted = chat_rows.text_field(row, "posted_at", "created_at", "date")
    title = chat_rows.text_field(row, "title") or _first_line(messages)
    return Record(
        site=site,
        external_id=content_hash([[message.role, message.text] for message in messages])[:32],
        title=title,
        messages=messages,
        split=chat_rows.split_of(row),
        source=chat_rows.text_field(row, "source"),
        language=chat_rows.text_field(row, "language", "lang"),
        author=chat_rows.text_field(row, "author"),
        author_url=_web_address(row, "author_url"),
        url=_web_address(row, "url", "link"),
        licence=chat_rows.text_field(row, "licence", "license") or licence,
        posted_at=_moment(posted),
        line=item.line,
    )


def _short(own_id: str) -> str:
    return own_id if len(own_id) <= _LONGEST_ID else hashlib.sha256(own_id.encode()).hexdigest()


def _compared(record: Record, seen: dict[str, tuple[int, bytes]]) -> Record:
    """Mark a row that repeats another; one that reuses an id for other words is bad, for one of them would be lost."""
    words = [[message.role, message.text] for message in record.messages]
    own = record.line, bytes.fromhex(content_hash(words))[:16]
    first = seen.setdefault(record.external_id, own)
    if first is own:
        return record
    if first[1] != own[1]:
        raise BadRow(f"the id {record.external_id[:40]!r} is that of line {first[0]}, with other words")
    return replace(record, repeats=first[0])


def _first_line(messages: tuple[Any, ...]) -> str:
    asked = next(message.text for message in messages if message.role == "user")
    line: str = asked.strip().split("\n", 1)[0].strip()
    return line if len(line) <= 150 else f"{line[:149].rstrip()}…"


def _web_address(row: chat_rows.Row, *names: str) -> str | None:
    value = chat_rows.text_field(row, *names)
    if value is not None and not value.lower().startswith(("http://", "https://")):
        raise BadRow(f"{names[0]} is not an http or https address")
    return value


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadRow(f"the date {value[:30]!r} is not written as 2026-01-31T12:00:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _line_items(path: Path, encoding: str, longest: int = LARGEST_LINE) -> Iterator[_Item]:
    """Yield one item a line, blank lines left out."""
    for line in lines(path, encoding, longest):
        if line.fault is None and not line.text.strip(" \t\r\n"):
            continue
        if line.fault is not None:
            yield _Item(line.number, line.end, None, line.fault)
            continue
        try:
            yield _Item(line.number, line.end, parse(line.text))
        except BadJson as error:
            cut = "; the file seems to be cut off" if error.unfinished and not line.text.endswith("\n") else ""
            yield _Item(line.number, line.end, None, f"{error}{cut}")


def _array_items(path: Path, encoding: str, longest: int = LARGEST_LINE) -> Iterator[_Item]:
    """Yield the elements of one JSON array, holding one element and a chunk at a time.

    Raises BadInput where the array itself is broken: nothing tells where its next element begins.
    """
    text = _Buffer(path, encoding, longest)
    if text.peek() != "[":
        raise BadInput("the file does not begin with [", text.line)
    text.take(1)
    separator = ""
    while text.peek() != "]" or separator == ",":
        line = text.line
        value = text.value()
        yield _Item(line, text.done, value)
        separator = text.peek()
        if separator not in {",", "]"}:
            raise BadInput(_ended("a comma or ] is missing after this element", separator), text.line)
        if separator == ",":
            text.take(1)
    text.take(1)
    if text.peek():
        raise BadInput("there is more after the array ends", text.line)


def _ended(reason: str, character: str) -> str:
    return reason if character else "the array does not end; the file seems to be cut off"


class _Buffer:
    """The text of a file from the place that was read, filled as needed; knows its line."""

    def __init__(self, path: Path, encoding: str, longest: int) -> None:
        self._chunks = chunks(path, encoding)
        self._longest = longest
        self._text = ""
        self._at = 0
        self.line = 1
        self.done = 0

    def peek(self) -> str:
        """Give the next character that is no blank, empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self.take(1)
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def take(self, count: int) -> None:
        """Step over characters."""
        self.line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def value(self) -> Any:
        """Parse the value that begins here, reading on for as long as more text might mend it."""
        self.peek()
        while True:
            try:
                value, end = parse_from(self._text, self._at)
            except BadJson as error:
                if len(self._text) - self._at > self._longest:
                    raise BadInput(f"an element is broken or longer than {self._longest >> 20} MB", self.line) from None
                # Twice as much each time, so that a long element is not parsed once for each chunk of it.
                if not error.syntax or not self._fill(len(self._text) - self._at):
                    cut = "; the file seems to be cut off" if error.unfinished else ""
                    raise BadInput(f"{error}{cut}", self.line) from None
            else:
                self.take(end - self._at)
                return value

    def _fill(self, wanted: int = 1) -> bool:
        """Read on by at least `wanted` characters; say whether there was anything."""
        parts, size = [self._text[self._at :]], 0
        for text, end in self._chunks:
            parts.append(text)
            size += len(text)
            self.done = end
            if size >= wanted:
                break
        self._text, self._at = "".join(parts), 0
        return size > 0
