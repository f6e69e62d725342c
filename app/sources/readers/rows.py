"""Rows as records: one reader for every form whose records are rows of a file, whatever file holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.sources.readers import chat_rows
from app.sources.readers.base import Format, Reader, ReadOptions, each
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.containers import CONTAINERS, Item, first_items, item_at, items_of
from app.sources.readers.files import Sniffed
from app.sources.records import Message, Place, Record
from app.text.canonical import content_hash

LONGEST_ID = 120


@dataclass(frozen=True)
class Shape:
    """A form of rows: how a row of it is known, and how one becomes a record.

    `read` gives a row's record (see `conversation` for the common one) and raises BadRow with a sentence part.
    """

    name: str
    title: str
    recognises: Callable[[Row], bool]
    read: Callable[[Item, ReadOptions], Record]
    rules: str = "none"

    def format(self) -> Format:
        """The format that reads each file of such rows by itself."""
        return Format(
            self.name,
            self.title,
            each(self.claims),
            lambda files, options: RowReader(files, options, self),
            kinds=frozenset(CONTAINERS),
            rules=self.rules,
        )

    def claims(self, file: Sniffed) -> bool:
        """Whether the first row that has any form has this one, among the first hundred."""
        rows = (item.value for item in first_items(file) if isinstance(item.value, dict))
        return any(self.recognises(row) for row in rows)


class RowReader(Reader):
    """Reads files of rows of one shape.

    Without a site, rows that bring an id of their own belong to the set `name` (a file's name), for "1" of one
    file is not "1" of another; rows without are known by their words, whichever file they stand in.
    """

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions, shape: Shape) -> None:
        """Take files whose rows have that shape."""
        super().__init__(files, options)
        self.shape = shape
        self.format = shape.name
        self.site = options.site or shape.name
        self.own_site = (options.site or options.name or shape.name)[:LONGEST_ID]

    def records(self) -> Iterator[Record]:
        """Yield the sound rows in file order."""
        seen: dict[str, tuple[int, bytes]] = {}
        self.errors, self.error_count = [], 0
        count, before = 0, 0
        for number, file in enumerate(self.files):
            for item in items_of(file, self.options.longest):
                self.progress(before + item.end)
                try:
                    record = _compared(self._record(number, item), seen)
                except BadRow as error:
                    self.note(item.line, str(error), file)
                else:
                    count += 1
                    yield record
                if self.options.sample_bytes is not None and before + item.end >= self.options.sample_bytes:
                    return
            before += file.path.stat().st_size
            self.progress(before)
        self.settle(count)

    def record_at(self, place: Place) -> Record:
        """Read one row again."""
        return self._record(place.member, item_at(self.files[place.member], place.position, self.options.longest))

    def _record(self, number: int, item: Item) -> Record:
        if item.fault is not None:
            raise BadRow(item.fault)
        if not isinstance(item.value, dict):
            raise BadRow("the row is not a JSON object")
        record = self.shape.read(item, self.options)
        own_id = chat_rows.text_field(item.value, "id", "external_id")
        site, external_id = self.site, record.external_id
        if own_id is not None:
            site, external_id = self.own_site, _short(own_id)
        return replace(record, site=record.site or site, external_id=external_id, place=Place(number, item.position))


def conversation(messages: Callable[[Row], Sequence[Message]]) -> Callable[[Item, ReadOptions], Record]:
    """Read rows whose messages `messages` gives, with the fields about them that any row may have."""

    def read(item: Item, options: ReadOptions) -> Record:
        row = item.value
        turns = chat_rows.in_turn(messages(row))
        return record_of(item, turns, options)

    return read


def record_of(item: Item, messages: tuple[Message, ...], options: ReadOptions, title: str | None = None) -> Record:
    """A record of these messages with what its row says of itself; its id is the hash of its words."""
    row = item.value
    return Record(
        site="",
        external_id=content_hash([[message.role, message.text] for message in messages])[:32],
        title=title or chat_rows.text_field(row, "title") or first_line(messages),
        messages=messages,
        split=chat_rows.split_of(row),
        source=chat_rows.text_field(row, "source"),
        language=chat_rows.text_field(row, "language", "lang"),
        author=chat_rows.text_field(row, "author"),
        author_url=web_address(row, "author_url"),
        url=web_address(row, "url", "link"),
        licence=chat_rows.text_field(row, "licence", "license") or options.licence,
        posted_at=moment(chat_rows.text_field(row, "posted_at", "created_at", "date")),
        line=item.line,
    )


def _short(own_id: str) -> str:
    return own_id if len(own_id) <= LONGEST_ID else hashlib.sha256(own_id.encode()).hexdigest()


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


def first_line(messages: Iterable[Message]) -> str:
    """The first line of what is asked, as a title."""
    asked = next((message.text for message in messages if message.role == "user"), "")
    line: str = asked.strip().split("\n", 1)[0].strip()
    return line if len(line) <= 150 else f"{line[:149].rstrip()}…"


def web_address(row: Row, *names: str) -> str | None:
    """Give the first of the named fields as an address. Raises BadRow for what is none."""
    value = chat_rows.text_field(row, *names)
    if value is not None and not value.lower().startswith(("http://", "https://")):
        raise BadRow(f"{names[0]} is not an http or https address")
    return value


def moment(value: str | None) -> datetime | None:
    """Read an ISO date, in UTC where it names no zone. Raises BadRow."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise BadRow(f"the date {value[:30]!r} is not written as 2026-01-31T12:00:00") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
