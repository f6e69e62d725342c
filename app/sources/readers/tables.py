"""Rows of no known form, read by a mapping of their columns: `settings["columns"]`, see `columns_from`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.sources.readers import chat_rows
from app.sources.readers.base import Format, ReadOptions
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.columns import Columns, columns_from, columns_in, guess, signature, text_at, value_at
from app.sources.readers.containers import Item, first_items
from app.sources.readers.files import Sniffed
from app.sources.readers.rows import RowReader, Shape, on_sheet, record_of
from app.sources.records import BadInput, Message, Record

KINDS = frozenset({"lines", "array", "csv", "tsv", "parquet", "xlsx"})
_SAID = 12


def first_rows(file: Sniffed) -> list[Row]:
    """The sound rows among the first hundred."""
    return [item.value for item in first_items(file) if isinstance(item.value, dict)]


def names_of(file: Sniffed) -> tuple[str, ...]:
    """The columns' names, in their order."""
    return tuple(dict.fromkeys(name for row in first_rows(file) for name in row))


def lists_in(files: Sequence[Sniffed]) -> list[Sniffed]:
    """Texts as tables of one column: nothing in them says that they are, so somebody must."""
    return [replace(file, kind="csv", memo={}) for file in files if file.kind == "text"]


def signature_of(file: Sniffed) -> str:
    """What tells a table by its columns."""
    return signature(names_of(file))


class TableReader(RowReader):
    """Reads tables of the same columns by a mapping."""

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take tables. Raises BadInput (422) where the columns are not mapped, or to some that are not there."""
        files = on_sheet(files, options.settings)
        found = mapping_of(options.settings, files)
        super().__init__(
            files, options, Shape("table", "Table", lambda _: True, lambda item, to: _read(item, to, found))
        )


def mapping_of(settings: Mapping[str, Any], files: Sequence[Sniffed]) -> Columns:
    """The mapping that the settings name, fit for these files. Raises BadInput (422)."""
    rows = [row for file in files for row in first_rows(file)]
    listed = ", ".join(column.path for column in columns_in(rows)[:_SAID])
    if not settings.get("columns"):
        raise BadInput(
            f"the rows are of no known form, so their columns must be mapped; they are {listed}. Map them on the page "
            f"of the import, or on the command line: {_example(rows)}"
        )
    found = columns_from(settings["columns"])
    for path in found.paths() if rows else ():
        if all(value_at(row, path) is None for row in rows):
            raise BadInput(f"none of the first rows has anything in {path[:60]!r}; the columns are {listed}")
    return found


def _example(rows: list[Row]) -> str:
    found = guess(columns_in(rows))
    prompt, response = found.get("prompt", "COLUMN"), found.get("response", "COLUMN")
    return f"--map prompt={prompt} --map response={response}"


def _read(item: Item, options: ReadOptions, columns: Columns) -> Record:
    row = item.value
    about = {role: text_at(row, path) for role, path in columns.others.items()}
    record = record_of(replace(item, value=about), chat_rows.in_turn(_messages(row, columns, about)), options)
    return replace(record, score=_whole(about.get("score")))


def _messages(row: Row, columns: Columns, about: Mapping[str, str]) -> list[Message]:
    out = [Message("system", chat_rows.text_of(about["system"], "system"))] if about.get("system") else []
    out.append(Message("user", chat_rows.text_of(columns.prompt_of(row), " and ".join(columns.prompt))))
    return [*out, *chat_rows.answer(about.get("response"), columns.others.get("response", ""))]


def _whole(value: str | None) -> int | None:
    """A score as a whole number. Raises BadRow."""
    if not value:
        return None
    try:
        number = float(value)
        if abs(number) < 1 << 31 and number == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise BadRow(f"the score {value[:30]!r} is not a whole number")


def _claim(files: Sequence[Sniffed]) -> list[list[Sniffed]]:
    """Every table with the columns of the first one, each by itself."""
    tables = [(file, frozenset(names_of(file))) for file in files if file.kind in KINDS]
    found = [(file, names) for file, names in tables if names]
    return [[file] for file, names in found if names == found[0][1]]


FORMAT = Format("table", "Table (columns that you map)", _claim, TableReader, kinds=KINDS, noun="row")
