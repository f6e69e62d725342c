"""Files as rows: JSON a line, JSON arrays, tables; one row after another in bounded memory, each with its place."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from app.sources.readers.array_text import ArrayText, told
from app.sources.readers.files import LARGEST_LINE, Line, Sniffed, chunks, has_places, lines, too_long
from app.sources.readers.separated import Span, delimiter_in, header_of, row_of, spans
from app.sources.readers.strict_json import BadJson, parse
from app.sources.records import BadInput, BadLine

_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One row: its line, the bytes read by then, its place (see its container), and the value or what is wrong."""

    line: int
    end: int
    position: int
    value: Any
    fault: str | None = None


Container = Callable[[Sniffed, int], Iterator[Item]]
"""Rows of a file; the longest row in bytes."""


def items_of(file: Sniffed, longest: int = LARGEST_LINE) -> Iterator[Item]:
    """Yield a file's rows. Raises BadInput where nothing tells where the next one begins."""
    yield from CONTAINERS[file.kind](file, longest)


def item_at(file: Sniffed, position: int, longest: int = LARGEST_LINE) -> Item:
    """Read one row again, at its byte where there is one; its line then counts from itself.

    Raises BadInput (422) when it is not there any more.
    """
    if file.kind in _SOUGHT and has_places(file.encoding):
        found = _SOUGHT[file.kind](file, longest, position)
    else:
        found = next((item for item in items_of(file, longest) if item.position == position), None)
    if found is None:
        raise BadInput(f"{file.name} changed since it was imported")
    return found


def _begins(path: Path, position: int) -> bool:
    """Whether a line begins at this byte."""
    if position <= len(codecs.BOM_UTF8):
        return position in {0, len(codecs.BOM_UTF8)}
    with path.open("rb") as file:
        file.seek(position - 1)
        return file.read(1) == b"\n"


def _sought_line(file: Sniffed, longest: int, position: int) -> Item | None:
    found = lines(file.path, file.encoding, longest, position) if _begins(file.path, position) else iter(())
    return next((_line_item(line) for line in found), None)


def _sought_row(file: Sniffed, longest: int, position: int) -> Item | None:
    path, encoding = file.path, file.encoding
    if not _begins(path, position):
        return None
    delimiter = delimiter_in(path, encoding)
    names = header_of(spans(lines(path, encoding, longest), delimiter, longest), delimiter)
    rows = spans(lines(path, encoding, longest, position), delimiter, longest)
    return next((_table_item(row, names, delimiter) for row in rows), None)


def first_items(file: Sniffed) -> tuple[Item, ...]:
    """The first hundred rows, by which a file's form is recognised; none of a file that holds no rows.

    Where it breaks off among them, the last one is the fault, which is said again when the file is read.
    """
    if file.kind not in CONTAINERS:
        return ()
    if "first" not in file.memo:
        file.memo["first"] = tuple(_until_broken(islice(items_of(file), _LOOKED_AT)))
    found: tuple[Item, ...] = file.memo["first"]
    return found


def _until_broken(items: Iterator[Item]) -> Iterator[Item]:
    try:
        yield from items
    except BadInput as error:
        yield Item(error.line or 1, 0, 0, None, error.reason)


def first_fault(file: Sniffed) -> BadLine | None:
    """Give the first row that cannot be read, among the first hundred."""
    return next((BadLine(item.line, item.fault) for item in first_items(file) if item.fault is not None), None)


def _line_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield one item a line, blank lines left out."""
    for line in lines(file.path, file.encoding, longest):
        if line.fault is not None or line.text.strip(" \t\r\n"):
            yield _line_item(line)


def _line_item(line: Line) -> Item:
    position = line.start if line.start >= 0 else line.number
    if line.fault is not None:
        return Item(line.number, line.end, position, None, line.fault)
    try:
        return Item(line.number, line.end, position, parse(line.text))
    except BadJson as error:
        cut = "; the file seems to be cut off" if error.unfinished and not line.text.endswith("\n") else ""
        return Item(line.number, line.end, position, None, f"{error}{cut}")


def _table_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield the rows of a table after its header. Raises BadInput where the header does not name each column once."""
    delimiter = delimiter_in(file.path, file.encoding)
    rows = spans(lines(file.path, file.encoding, longest), delimiter, longest)
    names = header_of(rows, delimiter)
    for row in rows:
        yield _table_item(row, names, delimiter)


def _table_item(row: Span, names: list[str], delimiter: str) -> Item:
    try:
        return Item(row.number, row.end, row.position, row_of(row, names, delimiter))
    except ValueError as error:
        return Item(row.number, row.end, row.position, None, str(error))


def _array_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield the elements of one JSON array, holding one element and a chunk at a time.

    Raises BadInput where the array itself is broken: nothing tells where its next element begins.
    """
    text = ArrayText(file.path, file.encoding, longest)
    if text.peek() != "[":
        raise BadInput("the file does not begin with [", text.line)
    text.take(1)
    separator, number = "", 0
    while text.peek() != "]" or separator == ",":
        line = text.line
        value, fault = text.value()
        yield Item(line, text.at, number, value, fault)
        number += 1
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


def _object_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield the one object that the file is."""
    parts: list[str] = []
    size = end = 0
    for text, end in chunks(file.path, file.encoding):
        parts.append(text)
        size += len(text)
        if size > longest:
            yield Item(1, end, 0, None, too_long("the object", longest))
            return
    whole = "".join(parts)
    try:
        yield Item(1, end, 0, parse(whole))
    except BadJson as error:
        line, reason = told(error, whole)
        yield Item(line, end, 0, None, reason)


def _parquet_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield the rows of a Parquet file; a row's line is its number, from 1."""
    # A large library, in the memory of those alone who bring such a file.
    from app.sources.readers import parquet

    size, count = file.path.stat().st_size, max(1, parquet.count_of(file.path))
    for number, value, fault in parquet.rows(file.path, longest):
        yield Item(number + 1, size * (number + 1) // count, number, value, fault)


def _sought_parquet(file: Sniffed, longest: int, position: int) -> Item | None:
    from app.sources.readers import parquet

    found = (Item(number + 1, 0, number, *what) for number, *what in parquet.rows(file.path, longest, position))
    return next(found, None)


def _sheet_items(file: Sniffed, longest: int) -> Iterator[Item]:
    """Yield the rows of a spreadsheet's first visible sheet, or of the one that `memo` names."""
    from app.sources.readers import spreadsheet

    size = file.path.stat().st_size
    for number, value, fault in spreadsheet.rows(file.path, longest, file.memo.get("sheet")):
        yield Item(number, size, number, value, fault)


CONTAINERS: dict[str, Container] = {
    "lines": _line_items,
    "array": _array_items,
    "object": _object_items,
    "csv": _table_items,
    "tsv": _table_items,
    "parquet": _parquet_items,
    "xlsx": _sheet_items,
}
"""Kind of a file -> what gives its rows.

The place of a row is the byte at which it begins; its number in an array, in Parquet and in a sheet; its line where
characters are wider.
"""

_SOUGHT: dict[str, Callable[[Sniffed, int, int], Item | None]] = {
    "lines": _sought_line,
    "csv": _sought_row,
    "tsv": _sought_row,
    "parquet": _sought_parquet,
}
