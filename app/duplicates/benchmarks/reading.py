"""The prompts in a file that an admin names as a benchmark: rows of any form that an import reads, or one a line.

Of a row only what is asked is read, so an answer that is empty or of another form is no fault here. MT-bench's later
turns count as prompts of their own where they say enough by themselves.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.duplicates.benchmarks.crossing import asked_in
from app.duplicates.normal import normal_form
from app.errors import Refusal
from app.sources.readers import chat_rows, pair_rows, tables
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.columns import columns_in, guess, text_at
from app.sources.readers.containers import CONTAINERS, items_of
from app.sources.readers.files import Sniffed, lines, sniff
from app.sources.records import BadInput, Message, told_at

MOST_PROMPTS = 100_000
SHOWN = 5
# Names of a column that is prompts where no column has a better one.
_ELSE = ("text", "content", "turn", "goal", "problem")


class UnfitList(Refusal):
    """The list was not added: {reason}. Nothing was kept."""


@dataclass(frozen=True)
class Brought:
    """What a file holds: (line, prompt) of each different one, how many rows it has, and the file's own hash."""

    file_name: str
    sha256: str
    records: int
    prompts: Sequence[tuple[int, str]]


def read_list(path: Path, name: str, longest: int) -> Brought:
    """Read a file that people call `name`, with rows of at most so many bytes; all of it or nothing (UnfitList)."""
    try:
        file = _opened(path, name)
        found, records = _different(_prompts(file, longest))
    except BadInput as error:
        raise UnfitList(reason=error.reason if error.line is None else told_at([error.line], error.reason)) from error
    except OSError as error:
        raise UnfitList(reason=f"{name} cannot be read ({error.strerror or error})") from error
    if not found:
        raise UnfitList(reason="there is no prompt in it")
    with path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return Brought(name, sha256, records, found)


def _opened(path: Path, name: str) -> Sniffed:
    """The file as what it is; a list of texts is one a line, whatever commas are in it, or a table if it says so."""
    if not path.is_file():
        raise BadInput(f"there is no file at {path}")
    file = sniff(path, name=name)
    if file.fault is not None:
        raise file.fault
    ending = name.lower().rpartition(".")[2]
    if file.kind == "csv" and ending == "txt":
        return replace(file, kind="text")
    if file.kind == "text" and ending in {"csv", "tsv"}:
        return tables.lists_in([file])[0]
    if file.kind != "text" and file.kind not in CONTAINERS:
        raise BadInput("this is neither rows (JSON, JSONL, CSV, TSV, Parquet, XLSX) nor one prompt a line")
    return file


def _different(prompts: Iterator[tuple[int, Sequence[str]]]) -> tuple[list[tuple[int, str]], int]:
    """The first of each normal form, and how many rows there were."""
    seen: set[str] = set()
    found: list[tuple[int, str]] = []
    records = 0
    for line, texts in prompts:
        records += 1
        for one in asked_in(0, texts):
            form = normal_form(one.text)
            if form and form not in seen:
                seen.add(form)
                found.append((line, one.text))
        if len(found) > MOST_PROMPTS:
            raise BadInput(f"it holds more than {MOST_PROMPTS:,} prompts; bring it in parts")
    return found, records


def _prompts(file: Sniffed, longest: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The line of each row and what is asked in it. Raises BadInput that names the rows that cannot be read."""
    if file.kind == "text":
        yield from _lines(file, longest)
        return
    bad: list[str] = []
    column = _column(file)
    for item in items_of(file, longest):
        try:
            if item.fault is not None:
                raise BadRow(item.fault)  # noqa: TRY301 - told with the other faults of rows
            for row in _parts(item.value):
                yield item.line, prompts_of(row, column)
        except BadRow as error:
            bad.append(told_at([item.line], str(error)))
            if len(bad) > SHOWN:
                break
    if bad:
        more = "; and more" if len(bad) > SHOWN else ""
        raise BadInput("; ".join(bad[:SHOWN]) + more)


def _lines(file: Sniffed, longest: int) -> Iterator[tuple[int, Sequence[str]]]:
    for line in lines(file.path, file.encoding, longest):
        if line.fault is not None:
            raise BadInput(line.fault, line.number)
        if text := line.text.strip():
            yield line.number, [text]


def _column(file: Sniffed) -> str | None:
    """The column that is most probably what is asked, where rows have no form that says so."""
    columns = columns_in(tables.first_rows(file))
    named = guess(columns).get("prompt")
    if isinstance(named, str):
        return named
    by_name = {column.path.lower(): column.path for column in columns}
    other = next((by_name[name] for name in _ELSE if name in by_name), None)
    return other or (columns[0].path if len(columns) == 1 else None)


def _parts(value: Any) -> Sequence[Any]:
    """The rows that one row stands for: an instruction of Self-Instruct with each of its inputs."""
    return pair_rows.instances(value) if isinstance(value, dict) and pair_rows.is_self_instruct(value) else [value]


def prompts_of(row: Any, column: str | None = None) -> list[str]:
    """What a row asks, in its order; without a form of its own by the `column`. Raises BadRow."""
    if isinstance(row, str):
        return [chat_rows.text_of(row, "the prompt")]
    if not isinstance(row, dict):
        raise BadRow("the row is neither an object nor a text")
    asked = list(_asked(row, column))
    if not asked:
        raise BadRow("nothing is asked in it")
    return asked


def _asked(row: Row, column: str | None) -> Iterator[str]:
    if pair_rows.is_questions(row):
        yield from (chat_rows.text_of(turn, f"turn {place}") for place, turn in enumerate(row["turns"], 1))
    elif dialogue := _dialogue(row):
        yield from (message.text for message in dialogue if message.role == "user")
    elif name := next((name for name in pair_rows.PROMPTS if row.get(name) is not None), None):
        yield _with_context(row, name)
    elif column is not None:
        yield chat_rows.text_of(text_at(row, column), column)
    else:
        raise BadRow(f"no column is a prompt: none of {', '.join((*pair_rows.PROMPTS, *_ELSE))}")


def _dialogue(row: Row) -> Sequence[Message]:
    for is_one, read in (
        (chat_rows.is_messages, chat_rows.messages),
        (chat_rows.is_sharegpt, chat_rows.sharegpt),
        (chat_rows.is_lima, chat_rows.lima),
    ):
        if is_one(row):
            return read(row)
    return ()


def _with_context(row: Mapping[str, Any], name: str) -> str:
    """A prompt with what it is about, joined as an import joins them."""
    context = next((one for one in pair_rows.CONTEXTS if chat_rows.says(row.get(one))), None)
    asked = chat_rows.text_of(row[name], name)
    return asked if context is None else f"{asked}\n\n{chat_rows.text_of(row[context], context)}"
