"""Parquet files, some rows at a time: nested values become objects and lists; the place of a row is its number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from app.sources.readers.files import too_long
from app.sources.records import BadInput

MOST_COLUMNS = 2000
_BATCH_BYTES = 16 << 20
_MOST_ROWS = 500
_LARGEST_GROUP = 4 << 30

Found = tuple[int, Any, str | None]
"""A row's number, its value, and what is wrong with it."""


def rows(path: Path, longest: int, first: int = 0) -> Iterator[Found]:
    """Yield the rows from number `first` on. Raises BadInput (422) for a broken file and for columns of bytes."""
    try:
        with parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            _require_text(file)
            yield from _rows(file, longest, first)
    except (pa.ArrowException, OSError) as error:
        words = " ".join(str(error).split())[:120]
        raise BadInput(f"the Parquet file is broken or cut off ({words})") from None


def count_of(path: Path) -> int:
    """How many rows a file says that it has, 0 where it cannot be read."""
    try:
        return int(parquet.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return 0


def _require_text(file: parquet.ParquetFile) -> None:
    """Refuse columns of bytes, which may be anything, and groups of rows too large to open."""
    schema = file.schema_arrow
    if len(schema.names) > MOST_COLUMNS:
        raise BadInput(f"the table has {len(schema.names):,} columns; {MOST_COLUMNS:,} are read at most")
    for field in schema:
        if _holds_bytes(field.type):
            raise BadInput(
                f"column {field.name[:40]!r} holds bytes and no text (its type is {str(field.type)[:60]}); such "
                "objects are never opened; leave the column out"
            )
    groups = (file.metadata.row_group(number).total_byte_size for number in range(file.num_row_groups))
    if max(groups, default=0) > _LARGEST_GROUP:
        raise BadInput("a row group is larger than 4 GB; write the file again with smaller ones")


def _holds_bytes(kind: Any) -> bool:
    are = pa.types
    if are.is_binary(kind) or are.is_large_binary(kind) or are.is_fixed_size_binary(kind):
        return True
    return any(_holds_bytes(kind.field(number).type) for number in range(kind.num_fields))


def _rows(file: parquet.ParquetFile, longest: int, first: int) -> Iterator[Found]:
    number = 0
    for group in range(file.num_row_groups):
        about = file.metadata.row_group(group)
        if number + about.num_rows <= first:
            number += about.num_rows
            continue
        size = max(1, min(_MOST_ROWS, _BATCH_BYTES * about.num_rows // max(about.total_byte_size, 1)))
        for batch in file.iter_batches(batch_size=size, row_groups=[group], use_threads=False):
            skipped = max(0, first - number)
            if skipped < batch.num_rows:
                yield from _values(batch.slice(skipped), number + skipped, longest)
            number += batch.num_rows


def _values(batch: Any, number: int, longest: int) -> Iterator[Found]:
    for offset in range(batch.num_rows) if batch.nbytes > longest else ():
        yield _value(batch.slice(offset, 1), number + offset, longest)
    if batch.nbytes > longest:
        return
    try:
        found = batch.to_pylist()
    except UnicodeDecodeError:
        found = None
    for offset in range(batch.num_rows):
        one = batch.slice(offset, 1)
        yield (number + offset, plain(found[offset]), None) if found else _value(one, number + offset, longest)


def _value(one: Any, number: int, longest: int) -> Found:
    """A row by itself, where something may be wrong with it."""
    if one.get_total_buffer_size() > longest and one.nbytes > longest:
        return number, None, too_long("the row", longest)
    try:
        return number, plain(one.to_pylist()[0]), None
    except UnicodeDecodeError:
        return number, None, "a text in this row is not valid UTF-8"


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601, anything else that JSON lacks as its text."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)
