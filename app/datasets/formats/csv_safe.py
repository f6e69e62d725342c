"""CSV for spreadsheets, which compute cells that begin like formulas: such cells get an apostrophe in front.

Reversible: a cell that begins with an apostrophe gets one more, and the column `escaped`, which no plain CSV has,
names the cells of its row that were changed. Training data must not come from it: its words are others.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from app.datasets.formats.base import Column, Record, Writer
from app.datasets.formats.csv import Csv, CsvFile

# What begins a formula, also in full width, and what spreadsheets skip before they look for one.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MARK = "'"
ESCAPED = "escaped"
_BEGINNINGS = (*DANGEROUS, MARK)


class CsvSafe(Csv):
    """The same rows; the byte-order mark tells spreadsheets that it is UTF-8."""

    title = "CSV for spreadsheets"
    holds = (
        "the same rows, with an apostrophe before each cell that a spreadsheet would compute, named in `escaped`; "
        "not for training, whose words would change"
    )
    read_by = "Excel, LibreOffice, Google Sheets; `handpicked import` takes the apostrophes off again"
    encoding: ClassVar[str] = "utf-8-sig"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        return (*super().columns, Column(ESCAPED, "the cells of the row with an apostrophe more, blanks between"))

    def writer(self, path: Path) -> Writer:
        """Open a new file."""
        return SafeFile(path, [column.name for column in self.columns], self.encoding)

    def records(self, path: Path) -> Iterator[Record]:
        """Read a file, as it was before anything was escaped; raises ValueError where it is none."""
        for record in super().records(path):
            escaped = record.pop(ESCAPED)
            for name in escaped.split():
                record[name] = record[name].removeprefix(MARK)
            if _named(record) != escaped:
                raise ValueError("a cell that a sheet would compute is not escaped")
            yield record


def _named(record: Record) -> str:
    """The cells of a record that begin like formulas."""
    return " ".join(name for name, cell in record.items() if cell.startswith(_BEGINNINGS))


class SafeFile(CsvFile):
    """Escapes the cells that need it."""

    def add(self, record: Record) -> None:
        """Write a row, with the names of its escaped cells at its end."""
        escaped = _named(record)
        changed = {name: f"{MARK}{record[name]}" for name in escaped.split()}
        super().add(record | changed | {ESCAPED: escaped})


LAYOUT = CsvSafe
