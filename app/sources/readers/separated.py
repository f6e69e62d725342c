"""Tables as text, row by row in bounded memory: CSV, TSV and semicolons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.sources.readers.cells import HEAD, cells, delimiter_of, open_quote
from app.sources.readers.files import Line, too_long
from app.sources.records import BadInput
from app.web.words import plural

MOST_COLUMNS = 2000
_BLANKS = " \t\r\n"
# The unit separator stands in no text, so a comma in a row of one column belongs to its words.
_NONE = "\x1f"


@dataclass(slots=True)
class Span:
    """The lines of one row: where it begins (see Item), the bytes up to its end, its text or what is wrong with it.

    `quote` is the line and the character of the last quote that its lines leave open.
    """

    number: int
    start: int
    last: int
    end: int = 0
    size: int = 0
    fault: str | None = None
    quote: tuple[int, int] = (0, 0)
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The row as it stands, with the line break after it."""
        return "".join(self.parts)

    def add(self, line: Line, longest: int) -> None:
        """Take one more line, or only its fault once the row is longer than `longest`."""
        self.last, self.end = line.number, line.end
        self.size += len(line.text)
        if self.fault is None and (line.fault is not None or self.size > longest):
            self.fault = line.fault or too_long("the row", longest)
            self.parts.clear()
        if self.fault is None:
            self.parts.append(line.text)

    @property
    def position(self) -> int:
        """The byte at which the row begins; its line where characters are wider."""
        return self.start if self.start >= 0 else self.number

    @property
    def extent(self) -> str:
        """How much of the file the row is, in words."""
        in_bytes = f", {self.end - self.start:,} bytes" if self.start >= 0 else ""
        return f"{plural(self.last - self.number + 1, 'line')}{in_bytes}"

    def told(self, fault: str) -> str:
        """What is wrong with the row, and where it ends if that is another line: so much is left out with it."""
        return fault if self.last == self.number else f"{fault}; the row ends at line {self.last:,}: {self.extent}"


def spans(found: Iterator[Line], delimiter: str, longest: int) -> Iterator[Span]:
    """Yield the rows of a table's lines, blank ones left out; a quoted cell goes on over line breaks."""
    span: Span | None = None
    for line in found:
        if span is None and line.fault is None and not line.text.strip(_BLANKS):
            continue
        quote = open_quote(line.text, delimiter, span is not None)
        span = span or Span(line.number, line.start, line.number)
        span.add(line, longest)
        if quote:
            span.quote = (line.number, quote)
        if quote is None:
            span.fault = span.fault and span.told(span.fault)
            yield span
            span = None
    if span is not None:
        where = "line {}, character {}".format(*span.quote)
        span.fault = f"the quote at {where}, never closes, so nothing from this row on can be read: {span.extent}"
        yield span


def header_of(rows: Iterator[Span], delimiter: str) -> list[str]:
    """Take the first row as the names of the columns. Raises BadInput (422) for what does not name each once."""
    first = next(rows, Span(1, 0, 1, fault="the file is empty"))
    try:
        names = [name.strip() for name in _cells_of(first, delimiter)]
    except ValueError as error:
        raise BadInput(str(error), first.number) from None
    require_names(names, first.number)
    return names


def _cells_of(span: Span, delimiter: str) -> list[str]:
    if span.fault is not None:
        raise ValueError(span.fault)
    try:
        return cells(span.text, delimiter)
    except ValueError as error:
        raise ValueError(span.told(str(error))) from None


def require_names(names: list[str], line: int) -> None:
    """Refuse a header that does not name each column once. Raises BadInput (422)."""
    if len(names) > MOST_COLUMNS:
        raise BadInput(f"the table has {len(names):,} columns; {MOST_COLUMNS:,} are read at most", line)
    for number, name in enumerate(names, start=1):
        if not name:
            raise BadInput(f"column {number} has no name in the first row; give each column a name of its own", line)
        if name in names[: number - 1]:
            reason = f"the first row names two columns {name[:40]!r}; give each column a name of its own"
            raise BadInput(reason, line)


def delimiter_in(path: Path, encoding: str) -> str:
    """What separates the cells of a table; of one with a single column nothing that its text may hold."""
    with path.open("rb") as file:
        head = file.read(HEAD).decode(encoding, errors="replace")
    return delimiter_of(head.lstrip(_BLANKS)) or _NONE


def row_of(span: Span, names: list[str], delimiter: str) -> dict[str, str]:
    """A row as an object. Raises ValueError with a sentence part where its cells are not those of the header."""
    found = _cells_of(span, delimiter)
    if len(found) != len(names):
        has = "one cell" if len(found) == 1 else f"{len(found):,} cells"
        raise ValueError(span.told(f"the row has {has} where the header names {len(names):,} columns"))
    return dict(zip(names, found, strict=True))
