"""The text of a JSON array, one element and a chunk of the file at a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from app.sources.readers.files import chunks, too_long
from app.sources.readers.strict_json import BadJson, NotJson, parse_from
from app.sources.records import BadInput

_IN_TEXT, _OUTSIDE = re.compile(r'\\.|"|\\\Z', re.DOTALL), re.compile(r'["{}\[\],]')

_PAIRS = {"[": b"]", "{": b"}"}


def told(error: BadJson, text: str, start: int = 0, line: int = 1, before: int = 0) -> tuple[int, str]:
    """The line of a fault in a text, and what it is: of a character its place in that line.

    The value begins at `start` of the text, in that `line`, of which so many characters came `before` the text.
    """
    cut = "; the file seems to be cut off" if error.unfinished else ""
    if not isinstance(error, NotJson):
        return line, f"{error}{cut}"
    last = text.rfind("\n", 0, error.at)
    character = error.at - last if last >= 0 else before + error.at + 1
    return line + text.count("\n", start, error.at), f"{error.told(character)}{cut}"


class ArrayText:
    """The text of a file from the place that was read, filled as needed; knows its line."""

    def __init__(self, path: Path, encoding: str, longest: int) -> None:
        """Take the file, and how many bytes one element may have."""
        self._chunks = chunks(path, encoding)
        self._longest = longest
        self._text = ""
        self._at = 0
        # Of the line in which the text begins, so many characters came before it.
        self._before = 0
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

    def value(self) -> tuple[Any, str | None]:
        """Parse the value that begins here, reading on for as long as more text might mend it.

        One that is too long is stepped over and told as a fault. Raises BadInput for one that is broken.
        """
        self.peek()
        while True:
            try:
                value, end = parse_from(self._text, self._at)
            except BadJson as error:
                line, reason = told(error, self._text, self._at, self.line, self._before)
                size = len(self._text) - self._at
                if isinstance(error, NotJson) and size > self._longest:
                    return None, self._fault_of_long(reason, line, is_unfinished=error.unfinished)
                # Twice as much each time, so that a long element is not parsed once for each chunk of it.
                if not isinstance(error, NotJson) or not self._fill(size):
                    raise BadInput(reason, line) from None
            else:
                is_long = self._size_to(end) > self._longest
                self.take(end - self._at)
                return (None, too_long("the element", self._longest)) if is_long else (value, None)

    def _size_to(self, end: int) -> int:
        """The bytes of UTF-8 from here; they are counted only where they may be too many."""
        size = end - self._at
        return size if size * 4 <= self._longest else len(self._text[self._at : end].encode(errors="surrogatepass"))

    def _fault_of_long(self, reason: str, line: int, *, is_unfinished: bool) -> str:
        """Step over a value that is too long and say so. Raises BadInput for one that is broken instead."""
        begun, size = self.line, self._step_over()
        if not size and is_unfinished:
            raise BadInput(too_long("an element is broken or", self._longest), begun)
        if size <= self._longest:
            raise BadInput(reason, line)
        return too_long("the element", self._longest)

    def _step_over(self) -> int:
        """Step over the value that begins here by its brackets and quotes; give its length, 0 if it has no end."""
        size, closing, is_text = 0, bytearray(), False
        while True:
            mark = (_IN_TEXT if is_text else _OUTSIDE).search(self._text, self._at)
            end = mark.end() if mark else len(self._text)
            if mark and not is_text and not closing and mark[0] in ",]}":
                return size + self._step(mark.start())
            size += self._step(end)
            if mark is None or mark[0] == "\\":
                if not self._fill():
                    return 0
                # What a backslash at the end of the text stands before is the first of what came now.
                size += self._step(1) if mark else 0
            elif mark[0] == '"':
                is_text = not is_text
            elif mark[0] in _PAIRS:
                closing += _PAIRS[mark[0]]
            elif mark[0] in "]}" and mark[0] != chr(closing.pop()):
                return 0
            if mark and mark[0] in '"]}' and not closing and not is_text:
                return size

    def _step(self, end: int) -> int:
        size = end - self._at
        self.take(size)
        return size

    def _fill(self, wanted: int = 1) -> bool:
        """Read on by at least `wanted` characters; say whether there was anything."""
        last = self._text.rfind("\n", 0, self._at)
        self._before = self._at - last - 1 if last >= 0 else self._before + self._at
        parts, size = [self._text[self._at :]], 0
        for text, end in self._chunks:
            parts.append(text)
            size += len(text)
            self.done = end
            if size >= wanted:
                break
        self._text, self._at = "".join(parts), 0
        return size > 0
