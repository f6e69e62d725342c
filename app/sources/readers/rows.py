"""Rows as records: one reader for every form whose records are rows of a file, whatever file holds them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.sources.readers import chat_rows
from app.sources.readers.base import Format, Reader, ReadOptions, each
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.containers import CONTAINERS, Item, first_items, item_at, items_of
from app.sources.readers.files import Sniffed
from app.sources.readers.times import in_utc
from app.sources.readers.told import COLUMNS, TOLD, told_by_export
from app.sources.records import BadInput, LeftOut, Message, Place, Record
from app.text.canonical import quoted, sha256_hex
from app.text.wellformed import first_fault

LONGEST_ID = 120
# Of what a row has besides its messages and what it says of itself, so many characters are kept.
MOST_BESIDE = 20_000
# Records that one row may stand for; a place keeps the line and the part in one number.
MOST_PARTS = 10_000
_PARTS = 1 << 20
_WORDS = (1 << 64) - 1
_SPLIT_NAMES = "train|validation|valid|val|dev|test"
_SHARD = re.compile(rf"(?:.*/)?({_SPLIT_NAMES})-\d{{5}}-of-\d{{5}}(?:-[0-9a-f]+)?\.\w+", re.IGNORECASE)
_IN_FOLDER = re.compile(rf".*/({_SPLIT_NAMES})\.\w+", re.IGNORECASE)


@dataclass(frozen=True)
class Shape:
    """A form of rows: how a row of it is known, and how one becomes a record.

    `read` gives a row's record (see `conversation` for the common one) and raises BadRow with a sentence part.
    `parts` are the rows that one row stands for, where it stands for more; `split` is that of a row of which neither
    the row nor its file says it.
    """

    name: str
    title: str
    recognises: Callable[[Row], bool]
    read: Callable[[Item, ReadOptions], Record]
    rules: str = "none"
    parts: Callable[[Row], Sequence[Row]] | None = None
    split: Callable[[Row], str | None] = lambda _: None

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
        super().__init__(on_sheet(files, options.settings), options)
        self.left_out = tuple(sheet for file in self.files for sheet in _other_sheets(file))
        self._splits = [split_in(file.name, in_folder=file.in_folder) for file in self.files]
        self.shape = shape
        self.format = shape.name
        self.site = options.site or shape.name
        self.own_site = (options.site or options.name or shape.name)[:LONGEST_ID]

    def records(self) -> Iterator[Record]:
        """Yield the sound rows in file order."""
        seen: dict[bytes, int] = {}
        self.errors, self.error_count = [], 0
        count, before = 0, 0
        for number, file in enumerate(self.files):
            for item in items_of(file, self.options.longest):
                self.progress(before + item.end)
                try:
                    found = [_compared(record, seen) for record in self._read(number, item)]
                except BadRow as error:
                    self.note(item.line, str(error), file)
                else:
                    count += len(found)
                    yield from found
                if self.options.sample_bytes is not None and before + item.end >= self.options.sample_bytes:
                    return
            before += file.path.stat().st_size
            self.progress(before)
        self.settle(count)

    def record_at(self, place: Place) -> Record:
        """Read one row again. Raises BadInput (422) where it is not there any more, or is bad by now."""
        item = item_at(self.files[place.member], place.position, self.options.longest)
        line, part = divmod(place.beside or 0, _PARTS)
        try:
            return self._read(place.member, replace(item, line=line))[part]
        except (BadRow, IndexError):
            raise BadInput(f"{self.files[place.member].name} changed since it was imported") from None

    def _read(self, number: int, item: Item) -> list[Record]:
        if item.fault is not None:
            raise BadRow(item.fault)
        if not isinstance(item.value, dict):
            raise BadRow("the row is not a JSON object")
        if self.shape.parts is None:
            return [self._record(number, item)]
        rows = self.shape.parts(item.value)
        if len(rows) > MOST_PARTS:
            raise BadRow(f"the row holds more than {MOST_PARTS:,} instances")
        records = [self._record(number, replace(item, value=row)) for row in rows]
        for part, record in enumerate(records[1:], start=1):
            place = replace(record.place, beside=(record.place.beside or 0) + part)
            own_id = f"{record.external_id}/{part + 1}" if record.site == self.own_site else record.external_id
            _fill_in(record, external_id=_short(own_id), place=place)
        return records

    def _record(self, number: int, item: Item) -> Record:
        record = self.shape.read(item, self.options)
        site = record.site or (self.own_site if record.external_id else self.site)
        external_id = _short(record.external_id) if record.external_id else words_of(record)
        # The line goes with the place, for a row that is found by its byte does not know how many lines come before.
        place = Place(number, item.position, item.line * _PARTS)
        split = record.split or self._splits[number] or self.shape.split(item.value)
        _fill_in(record, site=site, external_id=external_id, split=split, place=place)
        return record


def _fill_in(record: Record, **fields: Any) -> None:
    # It was made a moment ago and nobody has seen it yet; a copy would cost as much as reading the row.
    vars(record).update(fields)


def on_sheet(files: Sequence[Sniffed], settings: Mapping[str, Any]) -> list[Sniffed]:
    """The files, spreadsheets among them opened at the sheet that the settings name."""
    sheet = settings.get("sheet")
    return [replace(file, memo={"sheet": str(sheet)}) if file.kind == "xlsx" and sheet else file for file in files]


def _other_sheets(file: Sniffed) -> list[LeftOut]:
    """The sheets of a spreadsheet that are not read, with the reason."""
    if file.kind != "xlsx":
        return []
    from app.sources.readers.spreadsheet import sheets  # as in containers: a large library, for those who need it

    found = sheets(file.path)
    read = file.memo.get("sheet") or next((name for name, visible in found if visible), None)
    others = [(name, "not the one that is read" if visible else "hidden") for name, visible in found if name != read]
    return [LeftOut(f"{file.name}, sheet {name}", f"The sheet is {why}.") for name, why in others]


def split_in(name: str, *, in_folder: bool = False) -> str | None:
    """The split that a name says, as data sets on the Hub have it: train-00000-of-00004.parquet, data/test.jsonl.

    A file test.jsonl outside of any folder may be anything; `in_folder` says that it lies in one that was brought.
    """
    found = _SHARD.fullmatch(name) or _IN_FOLDER.fullmatch(f"./{name}" if in_folder else name)
    return chat_rows.SPLITS[found[1].lower()] if found else None


def conversation(
    messages: Callable[[Row], Sequence[Message]],
    columns: Iterable[str],
    extra: Callable[[Row], dict[str, Any]] | None = None,
) -> Callable[[Item, ReadOptions], Record]:
    """Read rows whose messages `messages` makes of these columns, with what any row may say of itself, and `extra`."""
    used = chat_rows.ABOUT.union(columns)

    def read(item: Item, options: ReadOptions) -> Record:
        row = item.value
        record = record_of(item, chat_rows.in_turn(messages(row)), options)
        more = extra(row) if extra is not None else {}
        if others := row.keys() - used:
            told = told_by_export(row) if COLUMNS & others else None
            if told is not None:
                more, others = more | ({TOLD: told} if told else {}), others - COLUMNS
            more |= _kept(row, others)
        return replace(record, extra=record.extra | more) if more else record

    return read


def _kept(row: Row, names: set[str]) -> dict[str, Any]:
    """What a row has besides, under `columns`: what can be stored and says something, up to MOST_BESIDE characters."""
    found: dict[str, Any] = {}
    room = MOST_BESIDE
    for name, value in row.items():
        if name in names and value not in (None, "", [], {}) and 0 < (size := _stored_size(name, value)) <= room:
            found[name] = value
            room -= size
    return {"columns": found} if found else {}


def _stored_size(name: str, value: Any) -> int:
    """How long a column is as JSON; 0 for what a database cannot keep."""
    try:
        text = json.dumps({name: value}, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return 0
    return 0 if first_fault(text) or "\\u0000" in text else len(text)


def record_of(item: Item, messages: tuple[Message, ...], options: ReadOptions, title: str | None = None) -> Record:
    """A record of these messages with what its row says of itself; without an id of its own it has none yet."""
    row: Row = item.value
    # Most rows say nothing but their words, and then there is nothing to look for.
    if not row.keys() & chat_rows.ABOUT:
        title = title or first_line(messages)
        return Record("", "", title, messages, licence=options.licence, line=item.line)
    return Record(
        site="",
        external_id=chat_rows.text_field(row, "id", "external_id", "question_id") or "",
        title=title or chat_rows.text_field(row, "title") or first_line(messages),
        messages=messages,
        line=item.line,
        **_about(row, options),
    )


def _about(row: Row, options: ReadOptions) -> dict[str, Any]:
    return {
        "split": chat_rows.split_of(row),
        "source": chat_rows.text_field(row, "source"),
        "language": chat_rows.text_field(row, "language", "lang"),
        "author": chat_rows.text_field(row, "author"),
        "author_url": web_address(row, "author_url"),
        "url": web_address(row, "url", "link"),
        "licence": chat_rows.text_field(row, "licence", "license") or options.licence,
        "posted_at": moment(chat_rows.text_field(row, "posted_at", "created_at", "date")),
        "extra": _category(row),
    }


def _category(row: Row) -> dict[str, Any]:
    category = row.get("category")
    return {"category": category} if isinstance(category, str) and 0 < len(category) <= LONGEST_ID else {}


def words_of(record: Record) -> str:
    """The hash of a record's words, by which it is known where it has no id."""
    # content_hash([[role, text], …]) written out.
    turns = [f'["{message.role}",{_quoted(message)}]' for message in record.messages]
    return sha256_hex(f"[{','.join(turns)}]")[:32]


def _quoted(message: Message) -> str:
    # What it keeps is asked for again by the other hash and by the database.
    return message.quoted if message.markup == "markdown" else quoted(message.text)


def _short(own_id: str) -> str:
    return own_id if len(own_id) <= LONGEST_ID else hashlib.sha256(own_id.encode()).hexdigest()


def _compared(record: Record, seen: dict[bytes, int]) -> Record:
    """Mark a row that repeats another; one that reuses an id for other words is bad, for one of them would be lost.

    What is kept of each row is one number, its line above a hash of its words: some 200 bytes with its id's hash.
    """
    digest = hashlib.blake2b(f"{record.site}\0{record.external_id}".encode(), digest_size=16).digest()
    words = hash(tuple([message.text for message in record.messages])) & _WORDS
    own = record.line << 64 | words
    first = seen.setdefault(digest, own)
    if first is own:
        return record
    if (first ^ own) & _WORDS:
        raise BadRow(f"the id {record.external_id!r} is that of line {first >> 64}, with other words")
    return replace(record, repeats=first >> 64)


def first_line(messages: Iterable[Message]) -> str:
    """The first line of what is asked, as a title."""
    asked = next((message.text for message in messages if message.role == "user"), "")
    line: str = asked.lstrip()[:600].split("\n", 1)[0].strip()
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
        return in_utc(value)
    except ValueError:
        raise BadRow(f"the date {value[:30]!r} is not written as 2026-01-31T12:00:00") from None
