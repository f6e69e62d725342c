"""What Handpicked itself exported: lines of examples.jsonl and its tables, its CSV; each comes back as it was.

In the folder of an export, which its manifest shows, examples.jsonl alone is read: the files beside it say the same
again, in another form.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.sources.readers import chat_rows
from app.sources.readers.base import Format, ReadOptions
from app.sources.readers.chat_rows import BadRow, Row, in_turn, says, text_of
from app.sources.readers.containers import CONTAINERS, Item
from app.sources.readers.files import Sniffed
from app.sources.readers.rows import RowReader, Shape, conversation, first_line, web_address
from app.sources.readers.told import TOLD, told_in
from app.sources.records import BadInput, LeftOut, Message, Record
from app.text.canonical import canonical_json, sha256_hex

SITE = "handpicked"
EXAMPLES, MANIFEST, SUMS = "examples.jsonl", "manifest.json", "SHA256SUMS"
KIND = "handpicked-version/"
LARGEST_MANIFEST = 64 << 20
ATTRIBUTION = "attribution"
"""Where in a record's `extra` its credit stands as the export said it."""
MERGED = "merged"
"""What the text was merged with, in its credit: app.examples.credit says it so."""
COPY = "It belongs to an export of which examples.jsonl is read: all is there."

_LINE = {"attribution", "licence", "messages", "source"}
_CSV = {"id", "source", "system", "history", "prompt", "response", "licence"}
_ESCAPED, _MARK = "escaped", "'"


def is_line(row: Row) -> bool:
    """Whether a row has what a line of examples.jsonl has, or a row of an export's table."""
    return row.keys() >= _LINE


def _read(item: Item, options: ReadOptions) -> Record:
    row = item.value
    credit = _credit(row)
    messages = in_turn(chat_rows.messages(row))
    told = told_in(row)
    return Record(
        site=SITE,
        external_id=chat_rows.text_field(row, "id") or sha256_hex(canonical_json(row)),
        title=first_line(messages),
        messages=messages,
        split=chat_rows.split_of(row),
        source=chat_rows.text_field(row, "source"),
        author=_fitting(credit, "author", 200),
        author_url=_fitting(credit, "author_url", 4000),
        url=_fitting(credit, "url", 4000),
        licence=chat_rows.text_field(row, "licence") or options.licence,
        line=item.line,
        extra={ATTRIBUTION: credit} | ({TOLD: told} if told else {}),
    )


def _credit(row: Row) -> dict[str, Any]:
    """What gives credit, as the export says it; a table has it as JSON. Links are addresses, as in any other import."""
    if "attribution" not in row:
        raise BadRow("the row has no attribution")
    found = row["attribution"]
    try:
        found = json.loads(found) if isinstance(found, str) else found
    except ValueError:
        found = ""
    found = {} if found is None else found
    # What a text was merged with has a credit of its own each.
    merged = found.get(MERGED, []) if isinstance(found, dict) else None
    if not isinstance(merged, list) or not all(map(_of_texts, (_without(found, MERGED), *merged))):
        raise BadRow("attribution is not an object of texts")
    read = [{name: _part(one, name) for name in one} for one in (_without(found, MERGED), *merged)]
    return read[0] | ({MERGED: read[1:]} if merged else {})


def _of_texts(credit: object) -> bool:
    return isinstance(credit, dict) and all(isinstance(value, str) for value in credit.values())


def _without(credit: object, left_out: str) -> Any:
    return {name: credit[name] for name in credit if name != left_out} if isinstance(credit, dict) else credit


def _part(credit: Row, name: str) -> str | None:
    is_link = name == "url" or name.endswith("_url")
    return web_address(credit, name) if is_link else chat_rows.text_field(credit, name)


def _fitting(credit: Mapping[str, Any], name: str, longest: int) -> str | None:
    """A part of the credit where a column has room for it; all of it is kept besides."""
    value = credit.get(name)
    return value if value and len(value) <= longest else None


LINES = Shape("handpicked", "Handpicked export", is_line, _read)


class ExportReader(RowReader):
    """Reads the lines of exports; what lies beside them has to be what was exported."""

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take files to read, with those that belong to them."""
        beside = _beside(files)
        super().__init__([file for file in files if file not in beside], options, LINES)
        self.left_out = (*self.left_out, *(LeftOut(file.name, COPY) for file in beside))
        self._beside = beside

    def prepare(self) -> None:
        """Refuse an export of which somebody changed what is read, or data: it would be lost. Raises BadInput (422)."""
        if self.options.sample_bytes is not None:
            return
        for file, wanted in _examples_on_record(self.files, self._beside):
            if _sha256(file.path) != wanted:
                raise BadInput(
                    f"the file {file.name} is not what {MANIFEST} and {SUMS} beside it say: it was changed since it "
                    "was exported; take an untouched copy, or remove these two to import it as it is"
                )
        for file, wanted in self._beside.items():
            if wanted and _sha256(file.path) != wanted:
                raise BadInput(
                    f"the file {file.name} was changed since it was exported, and examples.jsonl beside it, which is "
                    "read, was not; remove examples.jsonl to import the changed file"
                )

    def records(self) -> Iterator[Record]:
        """Yield the lines in file order; two that say the same are two examples, as they were when they were frozen."""
        times: Counter[str] = Counter()
        for record in super().records():
            times[record.external_id] += 1
            if record.repeats is None:
                yield record
            else:
                yield replace(record, external_id=f"{record.external_id}/{times[record.external_id]}", repeats=None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _examples_on_record(files: Iterable[Sniffed], beside: Iterable[Sniffed]) -> Iterator[tuple[Sniffed, str]]:
    """Each examples.jsonl with the hashes that manifest and sums beside it have of it."""
    by_name = {file.name: file for file in beside}
    for file in files:
        top, slash, last = file.name.rpartition("/")
        if last != EXAMPLES:
            continue
        manifest, sums = (by_name.get(f"{top}{slash}{name}") for name in (MANIFEST, SUMS))
        for wanted in (_id_in(manifest) if manifest else None, _sum_in(sums) if sums else None):
            if wanted is not None:
                yield file, wanted


def _id_in(manifest: Sniffed) -> str | None:
    """The hash that a version's id is, which is that of its examples.jsonl."""
    try:
        return str(json.loads(manifest.path.read_bytes())["id"]).removeprefix("sha256:")
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _sum_in(sums: Sniffed) -> str | None:
    try:
        text = sums.path.read_text("utf-8") if sums.path.stat().st_size <= LARGEST_MANIFEST else ""
    except (OSError, ValueError):
        return None
    return next((line[:64] for line in text.split("\n") if line[64:] == f"  {EXAMPLES}"), None)


def _beside(files: Iterable[Sniffed]) -> dict[Sniffed, str]:
    """The files that say again what an examples.jsonl among these says, each with the hash it must have, if any."""
    by_name = {file.name: file for file in files}
    found: dict[Sniffed, str] = {}
    for name, file in by_name.items():
        folder, _, last = name.rpartition("/")
        top = f"{folder}/" if folder else ""
        if last == MANIFEST and f"{top}{EXAMPLES}" in by_name:
            listed = _listed(file.path)
            hashes = {f"{top}{path}": sha256 for path, sha256 in listed.items() if path != EXAMPLES}
            own = {f"{top}{MANIFEST}": "", f"{top}{SUMS}": ""} if listed else {}
            found |= {by_name[one]: sha256 for one, sha256 in (hashes | own).items() if one in by_name}
        if last == SUMS and f"{top}{EXAMPLES}" in by_name and _sum_in(file):
            found.setdefault(file, "")
    return found


def _listed(path: Path) -> dict[str, str]:
    """The data files that an export's manifest lists, with their hashes; nothing where it is none.

    Of what is no data, such as the card, a change does not matter: it has no hash here.
    """
    try:
        manifest = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_MANIFEST else {}
        if not str(manifest["format"]).startswith(KIND):
            return {}
        return {str(file["path"]): str(file["sha256"]) if file["records"] else "" for file in manifest["files"]}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _claim(files: Sequence[Sniffed]) -> list[list[Sniffed]]:
    """Each file of lines by itself; an examples.jsonl with what lies beside it in its export."""
    beside = _beside(files)
    read = [file for file in files if file not in beside and LINES.claims(file)]
    return [[file, *(one for one in beside if _folder(one, file))] for file in read]


def _folder(file: Sniffed, examples: Sniffed) -> bool:
    """Whether a file lies in the folder of an export's examples.jsonl."""
    top, slash, last = examples.name.rpartition("/")
    return last == EXAMPLES and file.name.startswith(f"{top}{slash}")


def is_csv(row: Row) -> bool:
    """Whether a row has the columns of an export as CSV."""
    return row.keys() >= _CSV


def _unescaped(row: Row) -> Row:
    """A row of a CSV for spreadsheets without the apostrophes that its export put in front of cells."""
    changed = str(row.get(_ESCAPED) or "").split()
    plain = {name: row[name].removeprefix(_MARK) for name in changed if isinstance(row.get(name), str)}
    return {name: value for name, value in (row | plain).items() if name != _ESCAPED}


def _csv_messages(row: Row) -> list[Message]:
    out = [Message("system", text_of(row["system"], "system"))] if says(row.get("system")) else []
    for number, pair in enumerate(_history(row.get("history")), start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRow(f"history {number} is not a pair of prompt and response")
        out += [Message("user", text_of(pair[0], f"history {number}"))]
        out += [Message("assistant", text_of(pair[1], f"history {number}"))]
    out.append(Message("user", text_of(row.get("prompt"), "prompt")))
    return [*out, Message("assistant", text_of(row["response"], "response"))] if says(row.get("response")) else out


def _history(cell: Any) -> list[Any]:
    if not says(cell):
        return []
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise BadRow("history is not a JSON list of pairs")
    return found


_read_csv = conversation(_csv_messages, _CSV)
CSV = Shape(
    "handpicked_csv",
    "Handpicked export as CSV",
    is_csv,
    lambda item, options: _read_csv(replace(item, value=_unescaped(item.value)), options),
)

FORMATS = (
    Format(LINES.name, LINES.title, _claim, ExportReader, kinds=frozenset(CONTAINERS)),
    CSV.format(),
)
