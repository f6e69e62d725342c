"""CSV as RFC 4180 says: one row an example, its last prompt and response in cells of their own."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from app.datasets.formats.base import (
    AUTHOR,
    ID,
    LICENCE,
    SOURCE,
    URL,
    Column,
    Layout,
    Record,
    Writer,
    pairs_of,
    told_columns,
    turns_in,
)

_ENCODER = json.JSONEncoder(ensure_ascii=False)


class Csv(Layout):
    """Cells are exactly what they say; a missing one is empty, `history` is JSON where there are earlier turns."""

    title = "CSV"
    holds = "a row an example: `prompt` and `response`, `system`, and earlier turns as JSON in `history`"
    read_by = "pandas, R, DuckDB; a spreadsheet would take some cells for formulas"
    suffix = "csv"
    keeps = frozenset({"source", "licence", "author", "group", "flags"})
    # A cell that says NA or None says so; an empty one is empty.
    reading: ClassVar[Mapping[str, Any]] = {"keep_default_na": False}
    encoding: ClassVar[str] = "utf-8"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        return (
            ID,
            SOURCE,
            Column("system", "the system message, empty where there is none"),
            Column("history", "the turns before the last prompt, as a JSON list of pairs; empty where there are none"),
            Column("prompt", "the last prompt"),
            Column("response", "its response, empty where there is none"),
            LICENCE,
            AUTHOR,
            URL,
            *self._told(),
        )

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example as a record, which is text in every cell."""
        system, turns = turns_in(example)
        history, prompt, response = pairs_of(turns)
        about = example["attribution"]
        return {
            "id": sha256,
            "source": example["source"],
            "system": system,
            "history": _ENCODER.encode(history) if history else "",
            "prompt": prompt,
            "response": response or "",
            "licence": example["licence"] or "",
            "author": str(about.get("author") or ""),
            "url": str(about.get("url") or ""),
            **told_columns(example, told=self.told),
        }

    def writer(self, path: Path) -> Writer:
        """Open a new file."""
        return CsvFile(path, [column.name for column in self.columns], self.encoding)

    def records(self, path: Path) -> Iterator[Record]:
        """Read a file; raises ValueError where it is none, or its header is not ours."""
        names = [column.name for column in self.columns]
        with path.open("r", encoding=self.encoding, newline="") as file:
            rows = csv.reader(file, strict=True)
            if next(rows, None) != names:
                raise ValueError("its header is another")
            for row in rows:
                yield dict(zip(names, row, strict=True))


class CsvFile:
    """Cells are quoted where they have to be; rows end with CR LF, as the standard has it."""

    def __init__(self, path: Path, names: list[str], encoding: str) -> None:
        """Open the file anew and write its header."""
        self._file = path.open("x", encoding=encoding, newline="")
        self._file.write(_row(names))

    def add(self, record: Record) -> None:
        """Write a row; the record has the columns in their order."""
        self._file.write(_row(record.values()))

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _row(cells: Iterable[str]) -> str:
    # What the library's writer gives, which looks at each character by itself and takes several times as long.
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str) -> str:
    if '"' in cell or "," in cell or "\n" in cell or "\r" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


LAYOUT = Csv
