"""The rows of a Stack Exchange XML file as a stream: one pass, a few kilobytes of memory, no entities.

expat reads them. A document type is refused where it begins, so there is nothing to expand and nothing to
fetch; a row that does not end is refused before it fills the memory.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn
from xml.parsers import expat

from app.sources.readers.files import too_long
from app.sources.records import BadInput

CHUNK = 1 << 16
LARGEST_ROW = 8 << 20

Attributes = dict[str, str]


class Row(NamedTuple):
    """One `<row …/>`: its line (1-based), the byte where it begins, and its attributes."""

    line: int
    offset: int
    attributes: Attributes


def rows(
    path: Path,
    root: str,
    on_bytes: Callable[[int], None] | None = None,
    longest: int = LARGEST_ROW,
    most: int | None = None,
    on_long: Callable[[int, str], None] | None = None,
) -> Iterator[Row]:
    """Yield the rows of a file whose root element is `root`, telling `on_bytes` how far it has read.

    With `most` only what begins in that many bytes is read, and the end is not looked at. With `on_long` a row that
    is too long is told to it, by its line and what is wrong, and stepped over.

    Raises BadInput with the line for a document type, another root, an element that is no row, an
    oversized row, invalid UTF-8, and XML that is broken or cut off.
    """
    reader = _RowReader(path, root, longest)
    with path.open("rb") as file:
        done = 0
        while chunk := file.read(CHUNK):
            done += len(chunk)
            yield from reader.feed(chunk)
            if reader.is_in_long_row(done):
                done = reader.step_over(file, on_long)
            if on_bytes is not None:
                on_bytes(done)
            if most is not None and done >= most:
                return
        yield from reader.close()


class RowFile:
    """An XML file whose rows are read one by one from their places; it is open while `kept_open`, else for each row."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; nothing is opened yet."""
        self.path = path
        self._open: BinaryIO | None = None

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Hold the file open, which saves most of the time of reading many rows."""
        with self.path.open("rb", buffering=0) as file:
            self._open = file
            try:
                yield
            finally:
                self._open = None

    def row_at(self, offset: int) -> Attributes:
        """Read the one row that begins at that byte. Raises BadInput (422) where there is none any more."""
        if self._open is not None:
            return _row_at(self._open.fileno(), offset)
        with self.path.open("rb", buffering=0) as file:
            return _row_at(file.fileno(), offset)


def _row_at(descriptor: int, offset: int) -> Attributes:
    found: list[Attributes] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, attributes: found.append(attributes)
    size = 1 << 12
    while not found:
        chunk = os.pread(descriptor, size, offset)
        if not chunk:
            raise BadInput("the file changed while it was read")
        try:
            parser.Parse(chunk, False)
        except expat.ExpatError as error:
            # A second row right after the first is "junk after document element"; the first is read by then.
            if not found:
                raise BadInput("the file changed while it was read") from error
        offset += len(chunk)
        size *= 2
    return found[0]


class _RowReader:
    """Feeds expat and collects the rows of each chunk."""

    def __init__(self, path: Path, root: str, longest: int) -> None:
        self.path = path
        self.root = root
        self.longest = longest
        self.found: list[Row] = []
        # Where the first row begins, -1 before it: what stands before is said again to the parser after a long row.
        self.first = -1
        self._begin()

    def _begin(self) -> None:
        self.depth = 0
        # Bytes and lines of the file that this parser has not seen.
        self.bytes_before = self.lines_before = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.EntityDeclHandler = self._refuse_doctype

    @property
    def at(self) -> int:
        return self.bytes_before + max(0, self.parser.CurrentByteIndex)

    @property
    def line(self) -> int:
        return self.lines_before + self.parser.CurrentLineNumber

    def feed(self, chunk: bytes) -> list[Row]:
        self._parse(chunk, is_last=False)
        return self._taken()

    def is_in_long_row(self, done: int) -> bool:
        return done - self.at > self.longest + CHUNK

    def step_over(self, file: BinaryIO, on_long: Callable[[int, str], None] | None) -> int:
        """Go on after the row that is too long, at the byte that is given. Raises BadInput unless `on_long` is told."""
        reason, start, line = too_long("a row", self.longest), self.at, self.line
        after = _after_row(file, start)
        if on_long is None or after is None:
            self._refuse(reason)
        on_long(line, reason)
        end, lines = after
        self.first = start if self.first < 0 else self.first
        file.seek(0)
        head = file.read(self.first)
        self._begin()
        self._parse(head, is_last=False)
        self.bytes_before, self.lines_before = end - len(head), line - 1 + lines - head.count(b"\n")
        file.seek(end)
        return end

    def close(self) -> list[Row]:
        self._parse(b"", is_last=True)
        return self._taken()

    def _taken(self) -> list[Row]:
        taken, self.found = self.found, []
        return taken

    def _parse(self, chunk: bytes, *, is_last: bool) -> None:
        try:
            self.parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            _explain(error, self.path, self.bytes_before + self.parser.ErrorByteIndex, self.lines_before + error.lineno)

    def _start(self, name: str, attributes: Attributes) -> None:
        if self.depth == 1 and name == "row":
            self.found.append(Row(self.line, self.at, attributes))
            if self.first < 0:
                self.first = self.at
        elif self.depth or name != self.root:
            self._refuse_element(name)
        self.depth += 1

    def _end(self, _name: str) -> None:
        self.depth -= 1

    def _refuse_element(self, name: str) -> NoReturn:
        shown = name[:40]
        if self.depth:
            self._refuse(f"<{shown}> has no place in <{self.root}>, which holds only <row>")
        self._refuse(f"this file holds <{shown}>, not <{self.root}>")

    def _refuse_doctype(self, *_details: object) -> NoReturn:
        self._refuse("the file declares a document type or entities, which a dump never does; they are not read")

    def _refuse(self, reason: str) -> NoReturn:
        raise BadInput(reason, self.line)


_MARKS = re.compile(rb"[\"'>]")


def _after_row(file: BinaryIO, start: int) -> tuple[int, int] | None:
    """The byte after the row that begins at a byte, and the line breaks in it; None where it does not end."""
    file.seek(start)
    at, lines, quote = start, 0, b""
    while chunk := file.read(1 << 20):
        for mark in _MARKS.finditer(chunk):
            if not quote and mark[0] == b">":
                return at + mark.end(), lines + chunk.count(b"\n", 0, mark.end())
            quote = {b"": mark[0], mark[0]: b""}.get(quote, quote)
        at, lines = at + len(chunk), lines + chunk.count(b"\n")
    return None


def _explain(error: expat.ExpatError, path: Path, offset: int, line: int) -> NoReturn:
    """Turn expat's code into a sentence; for broken bytes, name the first one."""
    message = expat.errors.messages.get(error.code, "not well-formed")
    cut_off = {"no element found", "unclosed token", "unclosed CDATA section", "partial character"}
    if message in cut_off:
        raise BadInput(f"the XML ends in the middle ({message}); the file seems to be cut off", line) from error
    found = _first_broken_byte(path) if message.startswith("not well-formed") else None
    if found is not None:
        raise BadInput(f"byte {found[1]} is not valid UTF-8", found[0]) from error
    raise BadInput(f"the XML is broken near byte {offset} ({message})", line) from error


def _first_broken_byte(path: Path) -> tuple[int, int] | None:
    """Find the first byte that is not UTF-8: its line (1-based) and offset (0-based)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, done, pending = 1, 0, 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                inside = error.start - pending
                return line + chunk[: max(0, inside)].count(b"\n"), done + inside
            line += chunk.count(b"\n")
            done += len(chunk)
            pending = len(decoder.getstate()[0])
    return None
