"""Spreadsheets (XLSX): the values of one sheet, row by row; nothing in them is ever computed or followed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl

from app.sources.readers.files import too_long
from app.sources.readers.separated import require_names
from app.sources.records import BadInput

MOST_PARTS = 2000
MOST_BYTES = 1 << 30
# Held in memory as a whole while a sheet is read.
MOST_STRINGS = 256 << 20
MOST_RATIO = 200
MOST_CELLS = 50_000_000
_PROLOG = 1 << 16

Found = tuple[int, Any, str | None]
"""A row's number in its sheet, its value, and what is wrong with it."""


def rows(path: Path, longest: int, sheet: str | None = None) -> Iterator[Found]:
    """Yield the rows under the header of the first visible sheet, or of the one named.

    Raises BadInput (422) for what is no spreadsheet, breaks a limit, or has no header.
    """
    require_safe(path)
    # The same sheet twice: what its cells show, and which of them are formulas.
    with _opened(path, values=True) as shown, _opened(path, values=False) as written:
        name = _chosen(shown, sheet)
        for number, value, fault in _rows(_cells(shown[name]), _cells(written[name])):
            if value is not None and sum(len(str(cell)) for cell in value.values()) > longest:
                yield number, None, too_long("the row", longest)
            else:
                yield number, value, fault


def sheets(path: Path) -> list[tuple[str, bool]]:
    """The names of a spreadsheet's sheets and whether each is visible. Raises BadInput (422)."""
    require_safe(path)
    with _opened(path, values=True) as book:
        return [(one.title, one.sheet_state == "visible") for one in book.worksheets]


def require_safe(path: Path) -> None:
    """Refuse by its directory a spreadsheet that would unpack to too much or brings declarations of entities."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _require_size(parts, path.stat().st_size)
            for part in parts:
                if _declares(archive, part):
                    raise BadInput("the spreadsheet declares XML entities, which none needs; save it again")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise BadInput(f"the spreadsheet is broken, cut off or locked ({str(error)[:80]})") from None


def _declares(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a part begins with a declaration of a document type, where entities are declared."""
    if not part.filename.endswith((".xml", ".rels")):
        return False
    with archive.open(part) as file:
        return b"<!DOCTYPE" in file.read(_PROLOG).replace(b"\x00", b"")


def _require_size(parts: Sequence[zipfile.ZipInfo], packed: int) -> None:
    size = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS:
        raise BadInput(f"the spreadsheet consists of more than {MOST_PARTS:,} parts")
    if size > MOST_BYTES or (size > 100_000_000 and size > MOST_RATIO * packed):
        raise BadInput(
            f"the spreadsheet unpacks to {size // 1_000_000:,} MB; {MOST_BYTES // 1_000_000:,} MB and {MOST_RATIO} "
            "times its own size are the limits; export it as CSV"
        )
    if any(part.filename.endswith("sharedStrings.xml") and part.file_size > MOST_STRINGS for part in parts):
        raise BadInput(f"the texts of the spreadsheet take more than {MOST_STRINGS >> 20} MB; export it as CSV")


@contextmanager
def _opened(path: Path, *, values: bool) -> Iterator[Any]:
    with path.open("rb") as file, closing(_book(file, values)) as book:
        yield book


def _book(file: BinaryIO, values: bool) -> Any:
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=values, keep_links=False)
    except Exception as error:  # noqa: BLE001 - whatever its parser stumbles over, for the file is a stranger's
        raise BadInput(f"the spreadsheet is broken ({' '.join(str(error).split())[:80]})") from None


def _chosen(book: Any, wanted: str | None) -> str:
    visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wanted:
        if wanted not in visible:
            raise BadInput(f"there is no visible sheet {wanted[:40]!r}; there are {', '.join(visible)[:200]}")
        return wanted
    if not visible:
        raise BadInput("the spreadsheet has no visible sheet")
    return str(visible[0])


def _cells(sheet: Any) -> Iterator[tuple[Any, ...]]:
    # What a sheet says of its size may be a lie that fills the memory; rows say theirs.
    sheet.reset_dimensions()
    return iter(sheet.iter_rows())


def _rows(shown: Iterator[tuple[Any, ...]], written: Iterator[tuple[Any, ...]]) -> Iterator[Found]:
    names: list[str] = []
    seen = 0
    for number, (values, formulas) in enumerate(zip_longest(shown, written, fillvalue=()), start=1):
        seen += len(values)
        if seen > MOST_CELLS:
            raise BadInput(f"the sheet has more than {MOST_CELLS:,} cells; export it as CSV", number)
        last = max((index for index, cell in enumerate(formulas) if cell.value not in (None, "")), default=-1) + 1
        if last == 0:
            continue
        if not names:
            names = [str(cell.value).strip() if cell.value is not None else "" for cell in values[:last]]
            require_names(names, number)
            continue
        yield _row(number, values[:last], formulas, names)
    if not names:
        raise BadInput("the sheet is empty")


def _row(number: int, values: Sequence[Any], formulas: Sequence[Any], names: list[str]) -> Found:
    if len(values) > len(names):
        return number, None, f"the row has {len(values):,} cells where the header names {len(names):,} columns"
    for cell, formula in zip(values, formulas, strict=False):
        if cell.value is None and formula.data_type == "f":
            return (
                number,
                None,
                f"cell {formula.coordinate} is a formula without a value; open the file and save it again",
            )
        if cell.data_type == "e":
            return number, None, f"cell {cell.coordinate} holds the error {str(cell.value)[:20]}"
    found = [_value(cell.value) for cell in values]
    return number, dict(zip(names, [*found, *[""] * (len(names) - len(found))], strict=True)), None


def _value(value: Any) -> Any:
    """A cell's value: dates as ISO 8601, without a time where it is midnight."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return value if isinstance(value, str | int | float) else str(value)
