"""The rows of a Stack Exchange XML file as a stream: one pass, a few kilobytes of memory, no entities.

expat reads them. A document type is refused where it begins, so there is nothing to expand and nothing to
fetch; a row that does not end is refused before it fills the memory.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn
from xml.parsers import expat

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
) -> Iterator[Row]:
    """Yield the rows of a file whose root element is `root`, telling `on_bytes` how far it has read.

    With `most` only what begins in that many bytes is read, and the end is not looked at.

    Raises BadInput with the line for a document type, another root, an element that is no row, an
    oversized row, invalid UTF-8, and XML that is broken or cut off.
    """
    reader = _RowReader(path, root, longest)
    with path.open("rb") as file:
        done = 0
        while chunk := file.read(CHUNK):
            done += len(chunk)
            yield from reader.feed(chunk, done)
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
        self.depth = 0
        self.found: list[Row] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.EntityDeclHandler = self._refuse_doctype

    def feed(self, chunk: bytes, done: int) -> list[Row]:
        self._parse(chunk, is_last=False)
        if done - max(0, self.parser.CurrentByteIndex) > self.longest + CHUNK:
            self._refuse(f"a row is longer than {self.longest >> 20} MB")
        return self._taken()

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
            _explain(error, self.path, self.parser.ErrorByteIndex)

    def _start(self, name: str, attributes: Attributes) -> None:
        if self.depth == 1 and name == "row":
            parser = self.parser
            self.found.append(Row(parser.CurrentLineNumber, parser.CurrentByteIndex, attributes))
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
        raise BadInput(reason, self.parser.CurrentLineNumber)


def _explain(error: expat.ExpatError, path: Path, offset: int) -> NoReturn:
    """Turn expat's code into a sentence; for broken bytes, name the first one."""
    message = expat.errors.messages.get(error.code, "not well-formed")
    cut_off = {"no element found", "unclosed token", "unclosed CDATA section", "partial character"}
    if message in cut_off:
        raise BadInput(f"the XML ends in the middle ({message}); the file seems to be cut off", error.lineno) from error
    found = _first_broken_byte(path) if message.startswith("not well-formed") else None
    if found is not None:
        raise BadInput(f"byte {found[1]} is not valid UTF-8", found[0]) from error
    raise BadInput(f"the XML is broken near byte {offset} ({message})", error.lineno) from error


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
