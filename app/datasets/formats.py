"""The forms in which a version leaves: LIMA's JSONL, OpenAI's messages, Parquet; one file a split."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from app.text.canonical import canonical_json

ROWS_A_GROUP = 1000


class Format(StrEnum):
    """What an export can be."""

    LIMA = "lima"
    MESSAGES = "messages"
    PARQUET = "parquet"

    @property
    def suffix(self) -> str:
        """The ending of the format's files."""
        return "parquet" if self is Format.PARQUET else "jsonl"


def record_of(form: Format, sha256: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Give an example of examples.jsonl as a record of the format.

    lima: `conversations` (user and assistant in turn), `source`, and `system` where there is one;
    messages: `messages` alone, as fine-tuning services ask; parquet: all there is, attribution as JSON.
    """
    messages = example["messages"]
    if form is Format.LIMA:
        turns = [said["content"] for said in messages if said["role"] != "system"]
        system = next((said["content"] for said in messages if said["role"] == "system"), None)
        return {"conversations": turns, "source": example["source"]} | ({"system": system} if system else {})
    if form is Format.MESSAGES:
        return {"messages": messages}
    return {
        "id": sha256,
        "source": example["source"],
        "messages": [{"role": said["role"], "content": said["content"]} for said in messages],
        "licence": example["licence"],
        "author": _text(example["attribution"].get("author")),
        "url": _text(example["attribution"].get("url")),
        "attribution": canonical_json(example["attribution"]).decode(),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class Writer(Protocol):
    """Takes the records of one file."""

    def add(self, record: dict[str, Any]) -> None:
        """Take one more record."""

    def close(self) -> None:
        """End the file."""


def writer_for(form: Format, path: Path) -> Writer:
    """Open a file of the format."""
    return ParquetFile(path) if form is Format.PARQUET else JsonLines(path)


def read_records(form: Format, path: Path) -> Iterator[dict[str, Any]]:
    """Read a file of the format; raises ValueError or OSError where it is none."""
    if form is Format.PARQUET:
        yield from _read_parquet(path)
        return
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


class JsonLines:
    """One JSON object a line, keys in the order of the record."""

    def __init__(self, path: Path) -> None:
        """Open the file anew."""
        self._file = path.open("xb")

    def add(self, record: dict[str, Any]) -> None:
        """Write the record as a line."""
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """End the file."""
        self._file.close()


class ParquetFile:
    """Rows in groups of a thousand; every option that could vary is named, so equal rows give equal bytes."""

    def __init__(self, path: Path) -> None:
        """Open the file anew."""
        import pyarrow.parquet as pq

        self._schema = _schema()
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(
            path, self._schema, version="2.6", compression="zstd", compression_level=3,
            use_dictionary=False, write_statistics=True, data_page_version="1.0", store_schema=True,
        )  # fmt: skip

    def add(self, record: dict[str, Any]) -> None:
        """Take a row; a full group is written."""
        self._rows.append(record)
        if len(self._rows) == ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()


def _schema() -> Any:
    import pyarrow as pa

    text = pa.string()
    message = pa.struct([pa.field("role", text, nullable=False), pa.field("content", text, nullable=False)])
    return pa.schema(
        [
            pa.field("id", text, nullable=False),
            pa.field("source", text, nullable=False),
            pa.field("messages", pa.list_(message), nullable=False),
            pa.field("licence", text),
            pa.field("author", text),
            pa.field("url", text),
            pa.field("attribution", text, nullable=False),
        ]
    )


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_A_GROUP):
            yield from batch.to_pylist()
