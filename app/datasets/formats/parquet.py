"""Parquet: one table a split, with all that a line of examples.jsonl says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from app.datasets.formats.base import AUTHOR, FLAGS, ID, LICENCE, MESSAGES, SOURCE, URL, Column, Layout, Record, Writer
from app.datasets.formats.messages import OPENAI_TAGS
from app.datasets.told import TOLD, told_in
from app.text.canonical import canonical_json

ROWS_A_GROUP = 1000


class Parquet(Layout):
    """All there is; the attribution as JSON besides the columns for author and link."""

    title = "Parquet"
    holds = "a table with `messages`, `source`, `licence`, `author`, `url` and the whole `attribution` as JSON"
    read_by = "pyarrow, pandas, DuckDB, TRL, Axolotl, LLaMA-Factory"
    suffix = "parquet"
    keeps = frozenset({"source", "licence", "author", "attribution", "group", "flags"})
    axolotl: ClassVar[Mapping[str, Any] | None] = {"type": "chat_template", "field_messages": "messages"}
    llamafactory: ClassVar[Mapping[str, Any] | None] = OPENAI_TAGS

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        attribution = Column("attribution", "all that gives credit, as JSON")
        return (ID, SOURCE, MESSAGES, LICENCE, AUTHOR, URL, attribution, *self._told(FLAGS))

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example as a record."""
        return {
            "id": sha256,
            "source": example["source"],
            "messages": [{"role": said["role"], "content": said["content"]} for said in example["messages"]],
            "licence": example["licence"],
            "author": _text(example["attribution"].get("author")),
            "url": _text(example["attribution"].get("url")),
            "attribution": canonical_json(example["attribution"]).decode(),
            **told_in(example),
        }

    def writer(self, path: Path) -> Writer:
        """Open a new file."""
        return ParquetFile(path, told=self.told)

    def records(self, path: Path) -> Iterator[Record]:
        """Read a file; raises pyarrow's errors where it is none."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if len(set(names)) != len(names) or file.schema_arrow.metadata:
                raise ValueError("a column stands there twice, or what is no part of the format")
            for batch in file.iter_batches(ROWS_A_GROUP):
                yield from map(_without_untold, batch.to_pylist())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _without_untold(row: Record) -> Record:
    # A table has a cell for what a line leaves out.
    return {name: value for name, value in row.items() if name not in TOLD or value is not None}


class ParquetFile:
    """Rows in groups of a thousand; every option that could vary is named, so equal rows give equal bytes."""

    def __init__(self, path: Path, *, told: bool) -> None:
        """Open the file anew."""
        import pyarrow.parquet as pq

        self._schema = _schema(told=told)
        self._rows: list[Record] = []
        self._writer = pq.ParquetWriter(
            path, self._schema, version="2.6", compression="zstd", compression_level=3,
            use_dictionary=False, write_statistics=True, data_page_version="1.0", store_schema=True,
        )  # fmt: skip

    def add(self, record: Record) -> None:
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


def _schema(*, told: bool) -> Any:
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
            *([pa.field("group", text), pa.field("flags", pa.list_(text))] if told else []),
        ]
    )


LAYOUT = Parquet
