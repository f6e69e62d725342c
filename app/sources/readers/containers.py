"""Files as rows: JSON a line and JSON arrays, one row after another in bounded memory, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from app.sources.readers.files import LARGEST_LINE, Sniffed, chunks, lines
from app.sources.readers.strict_json import BadJson, parse, parse_from
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


Container = Callable[[Path, str, int], Iterator[Item]]
"""Rows of a file: its path, its encoding, the longest row in bytes."""


def items_of(file: Sniffed, longest: int = LARGEST_LINE) -> Iterator[Item]:
    """Yield a file's rows. Raises BadInput where nothing tells where the next one begins."""
    yield from CONTAINERS[file.kind](file.path, file.encoding, longest)


def item_at(file: Sniffed, position: int, longest: int = LARGEST_LINE) -> Item:
    """Read one row again. Raises BadInput (422) when it is not there any more."""
    found = next((item for item in items_of(file, longest) if item.position == position), None)
    if found is None:
        raise BadInput(f"{file.name} changed since it was imported")
    return found


def first_items(file: Sniffed) -> tuple[Item, ...]:
    """The first hundred rows, by which a file's form is recognised; none of a file that holds no rows."""
    if file.kind not in CONTAINERS:
        return ()
    if "first" not in file.memo:
        try:
            file.memo["first"] = tuple(islice(items_of(file), _LOOKED_AT))
        except BadInput as error:
            # Said again, with its line, when the file is read.
            file.memo["first"] = (Item(error.line or 1, 0, 0, None, error.reason),)
    found: tuple[Item, ...] = file.memo["first"]
    return found


def first_fault(file: Sniffed) -> BadLine | None:
    """Give the first row that cannot be read, among the first hundred."""
    return next((BadLine(item.line, item.fault) for item in first_items(file) if item.fault is not None), None)


def _line_items(path: Path, encoding: str, longest: int) -> Iterator[Item]:
    """Yield one item a line, blank lines left out."""
    for line in lines(path, encoding, longest):
        if line.fault is None and not line.text.strip(" \t\r\n"):
            continue
        if line.fault is not None:
            yield Item(line.number, line.end, line.start, None, line.fault)
            continue
        try:
            yield Item(line.number, line.end, line.start, parse(line.text))
        except BadJson as error:
            cut = "; the file seems to be cut off" if error.unfinished and not line.text.endswith("\n") else ""
            yield Item(line.number, line.end, line.start, None, f"{error}{cut}")


def _array_items(path: Path, encoding: str, longest: int) -> Iterator[Item]:
    """Yield the elements of one JSON array, holding one element and a chunk at a time.

    Raises BadInput where the array itself is broken: nothing tells where its next element begins.
    """
    text = _Buffer(path, encoding, longest)
    if text.peek() != "[":
        raise BadInput("the file does not begin with [", text.line)
    text.take(1)
    separator, number = "", 0
    while text.peek() != "]" or separator == ",":
        line = text.line
        value = text.value()
        yield Item(line, text.at, number, value)
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


class _Buffer:
    """The text of a file from the place that was read, filled as needed; knows its line."""

    def __init__(self, path: Path, encoding: str, longest: int) -> None:
        self._chunks = chunks(path, encoding)
        self._longest = longest
        self._text = ""
        self._at = 0
        self.line = 1
        self.done = 0

    @property
    def at(self) -> int:
        """About how many bytes were read and used; exact at the end."""
        return self.done - (len(self._text) - self._at)

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


CONTAINERS: dict[str, Container] = {"lines": _line_items, "array": _array_items}
"""Kind of a file -> what gives its rows. The place of a row is its byte in lines, its number in an array."""
