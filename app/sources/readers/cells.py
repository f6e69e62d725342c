"""Cells of a table that is text: between commas, tabs or semicolons, quoted as RFC 4180 says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache

DELIMITERS = (",", "\t", ";")
HEAD = 4096

# Of the whole process, and far too low for prose; rows are bounded before they are split.
csv.field_size_limit(1 << 30)


def open_quote(text: str, delimiter: str, opened: bool = False) -> int | None:
    """The character (from 1) of the quote whose cell is open at the end of a line, None where none is.

    It is 0 where the cell was `opened` in an earlier line.
    """
    if '"' not in text:
        return 0 if opened else None
    closing, opening = _patterns(delimiter)
    at = quote = 0
    while True:
        if not opened:
            # A quote opens a cell at the line's beginning or after a delimiter; elsewhere it is a character.
            found = opening.search(text, at)
            if found is None:
                return None
            at = quote = found.end()
        ended = closing.match(text, at)
        if ended is None:
            return quote
        at, opened = ended.end(), False


@cache
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(r'(?:[^"]++|"")*+"'), re.compile(rf'(?:\A|{delimiter})"')


def cells(text: str, delimiter: str) -> list[str]:
    """Split one row. Raises ValueError with a sentence part for a stray quote or a lone carriage return."""
    if '"' not in text and "\r" not in text:
        return text.removesuffix("\n").split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "new-line" in str(error):
            raise ValueError("a carriage return stands in a cell without quotes") from None
        raise ValueError("there is text after the closing quote of a cell") from None


def delimiter_of(head: str) -> str | None:
    """What separates the cells of a table that begins so; None where this is no table but text."""
    found = {delimiter: _columns(head, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: found[delimiter])
    return best if found[best] > 1 else None


def _columns(head: str, delimiter: str) -> int:
    """How many columns a beginning has, 0 where most of its rows do not agree with the first."""
    whole = len(head) < HEAD // 4 or head.endswith("\n")
    header, *others = [_count(row, delimiter) for row in _rows(head, delimiter)] or [0]
    # A header with a quote that it does not close cannot be read; the lines below tell that it is one.
    is_stray = not header and open_quote(head.partition("\n")[0], delimiter) is not None
    if is_stray:
        header, *others = [line.count(delimiter) + 1 for line in head.split("\n") if line.strip()]
    others = others if whole else others[:-1]
    return header if 2 * others.count(header) >= len(others) + is_stray else 0


def _count(row: str, delimiter: str) -> int:
    try:
        return len(cells(row, delimiter))
    except ValueError:
        return 0


def _rows(head: str, delimiter: str) -> Iterator[str]:
    """The rows of a beginning, blank ones left out, and so is one with a quoted cell that goes on."""
    row, opened = "", False
    for line in head.split("\n"):
        row += f"{line}\n"
        opened = open_quote(line, delimiter, opened) is not None
        if not opened and row.strip():
            yield row
        row = row if opened else ""
