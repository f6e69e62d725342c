"""Tables as text, row by row in bounded memory: CSV, TSV and semicolons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.sources.readers.cells import HEAD, cells, delimiter_of, is_open
from app.sources.readers.files import Line
from app.sources.records import BadInput

MOST_COLUMNS = 2000
_BLANKS = " \t\r\n"


@dataclass(slots=True)
class Span:
    """The lines of one row: where it begins (see Item), the bytes up to its end, its text or what is wrong with it."""

    number: int
    position: int
    end: int = 0
    size: int = 0
    fault: str | None = None
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The row as it stands, with the line break after it."""
        return "".join(self.parts)

    def add(self, line: Line, longest: int) -> None:
        """Take one more line, or only its fault once the row is longer than `longest`."""
        self.end = line.end
        self.size += len(line.text)
        if self.fault is None and (line.fault is not None or self.size > longest):
            self.fault = line.fault or f"the row is longer than {longest >> 20} MB"
            self.parts.clear()
        if self.fault is None:
            self.parts.append(line.text)


def spans(found: Iterator[Line], delimiter: str, longest: int) -> Iterator[Span]:
    """Yield the rows of a table's lines, blank ones left out; a quoted cell goes on over line breaks."""
    span: Span | None = None
    for line in found:
        if span is None and line.fault is None and not line.text.strip(_BLANKS):
            continue
        opened = is_open(line.text, delimiter, span is not None)
        span = span or Span(line.number, line.start if line.start >= 0 else line.number)
        span.add(line, longest)
        if not opened:
            yield span
            span = None
    if span is not None:
        span.fault = "a quoted cell that begins in this row never ends, so nothing after it can be read"
        yield span


def header_of(rows: Iterator[Span], delimiter: str) -> list[str]:
    """Take the first row as the names of the columns. Raises BadInput (422) for what does not name each once."""
    first = next(rows, Span(1, 0, fault="the file is empty"))
    try:
        names = [name.strip() for name in _cells_of(first, delimiter)]
    except ValueError as error:
        raise BadInput(str(error), first.number) from None
    require_names(names, first.number)
    return names


def _cells_of(span: Span, delimiter: str) -> list[str]:
    if span.fault is not None:
        raise ValueError(span.fault)
    return cells(span.text, delimiter)


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
    """What separates the cells of a file that was recognised as a table."""
    with path.open("rb") as file:
        head = file.read(HEAD).decode(encoding, errors="replace")
    return delimiter_of(head.lstrip(_BLANKS)) or ","


def row_of(span: Span, names: list[str], delimiter: str) -> dict[str, str]:
    """A row as an object. Raises ValueError with a sentence part where its cells are not those of the header."""
    found = _cells_of(span, delimiter)
    if len(found) != len(names):
        has = "one cell" if len(found) == 1 else f"{len(found):,} cells"
        raise ValueError(f"the row has {has} where the header names {len(names):,} columns")
    return dict(zip(names, found, strict=True))
