"""Which column of a row plays which part: paths into rows, a mapping of them, and a first guess by their names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.sources.readers.chat_rows import BadRow, Row
from app.sources.records import BadInput
from app.text.wellformed import first_fault

ROLES = {
    "prompt": "Prompt",
    "response": "Response",
    "system": "System text",
    "title": "Title",
    "id": "Id",
    "author": "Author",
    "licence": "Licence",
    "url": "Address",
    "score": "Score",
    "split": "Split",
    "language": "Language",
    "category": "Category",
}
"""What a column may be -> its name on the page."""

MOST_PATHS = 200
_DEEPEST = 4
_LONGEST_PATH = 300
_LONGEST_SETTINGS = 50_000
_STEP = re.compile(r"(?:\A|\.)([^.\[\]]+)|\[(\d{1,4})\]")

_NAMES = {
    "prompt": ("prompt", "question", "instruction", "query", "title", "headline", "input"),
    "response": ("response", "answer", "completion", "output", "selftext", "body", "text", "story", "content"),
    "system": ("system", "system_prompt"),
    "id": ("id", "row_id", "question_id", "uuid"),
    "author": ("author", "user", "username"),
    "licence": ("licence", "license"),
    "url": ("url", "link", "permalink"),
    "score": ("score", "ups", "votes"),
    "split": ("split",),
    "language": ("language", "lang"),
    "category": ("category", "topic", "subreddit", "subject"),
}


@dataclass(frozen=True)
class Columns:
    """A mapping: the paths of the prompt, joined by blank lines, and one path for each other part."""

    prompt: tuple[str, ...]
    others: Mapping[str, str]

    def as_settings(self) -> dict[str, Any]:
        """The mapping as it is stored and sent: {"prompt": PATH or list of them, "response": PATH, …}."""
        prompt = self.prompt[0] if len(self.prompt) == 1 else list(self.prompt)
        return {"prompt": prompt, **self.others}

    def paths(self) -> tuple[str, ...]:
        """Every path that is used."""
        return (*self.prompt, *self.others.values())

    def prompt_of(self, row: Row) -> str:
        """The prompt of a row: what its columns hold, with a blank line between. Raises BadRow."""
        parts = (text_at(row, path) for path in self.prompt)
        return "\n\n".join(part for part in parts if part.strip())


def columns_from(value: Any) -> Columns:
    """Read a mapping. Raises BadInput (422) with a sentence that names the part."""
    if not isinstance(value, Mapping):
        raise BadInput("the mapping of columns is an object of parts and columns")
    unknown = [name for name in value if name not in ROLES]
    if unknown:
        raise BadInput(f"a column cannot be {str(unknown[0])[:40]!r}; it can be {', '.join(ROLES)}")
    prompt = value.get("prompt") or []
    paths = [prompt] if isinstance(prompt, str) else prompt
    others = {name: path for name, path in value.items() if name != "prompt" and path not in (None, "")}
    if not isinstance(paths, list | tuple) or not paths:
        raise BadInput("no column is the prompt; choose at least one")
    for path in (*paths, *others.values()):
        require_path(path)
    return Columns(tuple(paths), others)


def require_path(path: Any) -> None:
    """Refuse what names no column. Raises BadInput (422)."""
    if not isinstance(path, str) or not path.strip() or len(path) > _LONGEST_PATH:
        raise BadInput(f"{str(path)[:40]!r} names no column; write a name, or a path such as extra.answer or turns[0]")


def require_storable(value: Any, what: str) -> None:
    """Refuse settings that a database cannot keep, or that are longer than any need. Raises BadInput (422)."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST_SETTINGS:
        raise BadInput(f"{what} are longer than {_LONGEST_SETTINGS:,} characters")
    if "\\u0000" in text or first_fault(text) is not None:
        raise BadInput(f"{what} hold a NUL character or half of a pair, which cannot be stored")


def value_at(row: Row, path: str) -> Any:
    """What a row holds at a path such as `extra_info.answer` or `prompt[1].content`; None where there is nothing."""
    if path in row:
        return row[path]
    value: Any = row
    for step in _steps(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


@cache
def _steps(path: str) -> tuple[str | int, ...]:
    """The names and numbers of a path; a path that is none is one name, which no row has."""
    found = list(_STEP.finditer(path))
    if not found or "".join(step.group() for step in found) != path:
        return (path,)
    return tuple(step.group(1) if step.group(1) is not None else int(step.group(2)) for step in found)


def text_at(row: Row, path: str) -> str:
    """What a row holds at a path, as text; empty where it holds nothing. Raises BadRow for a list or an object."""
    value = value_at(row, path)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    what, example = ("a list", f"{path}[0]") if isinstance(value, list) else ("an object", f"{path}.name")
    raise BadRow(f"{path} is {what} and no text; name a part of it, such as {example}")


@dataclass(frozen=True)
class Column:
    """A column, or a value inside of one, with what the first row that has any holds there."""

    path: str
    sample: str


def columns_in(rows: Iterable[Row]) -> tuple[Column, ...]:
    """The columns of some rows in their order, nested ones by their paths; at most two hundred."""
    samples: dict[str, str] = {}
    for row in rows:
        for path, value in _leaves(row, "", 0):
            if len(samples) < MOST_PATHS or path in samples:
                samples[path] = samples.get(path) or _sample(value)
    return tuple(Column(path, sample) for path, sample in samples.items())


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and depth < _DEEPEST:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for number, inner in enumerate(value[:3]):
            yield from _leaves(inner, f"{path}[{number}]", depth + 1)
    elif not isinstance(value, dict | list):
        yield path, value


def _sample(value: Any) -> str:
    text = "" if value is None else " ".join(str(value)[:400].split())
    return text if len(text) <= 120 else f"{text[:119].rstrip()}…"


def guess(columns: Sequence[Column]) -> dict[str, Any]:
    """A first mapping by the columns' names, and by who speaks in turns; without a prompt where none looks like one."""
    turns = _turns(columns)
    by_name: dict[str, str] = {}
    for column in columns:
        if column.path in turns:
            continue
        last = re.split(r"[.\]]", column.path.strip("]"))[-1].strip().lower().replace(" ", "_")
        by_name.setdefault(last, column.path)
    found: dict[str, Any] = {}
    for role, names in _NAMES.items():
        path = next((by_name[name] for name in names if name in by_name), None)
        if path is not None and path not in found.values():
            found[role] = path
    for path, role in turns.items():
        found.setdefault(role, path)
    return found


_TURN = re.compile(r"(.*\[\d+\])\.(?:content|value|text)")
_SPEAKERS = {"user": "prompt", "human": "prompt", "assistant": "response", "gpt": "response", "system": "system"}


def _turns(columns: Sequence[Column]) -> dict[str, str]:
    """The words of turns whose speaker stands beside them, each with the part that it plays."""
    samples = {column.path: column.sample for column in columns}
    found: dict[str, str] = {}
    for path in samples:
        if turn := _TURN.fullmatch(path):
            speaker = samples.get(f"{turn[1]}.role") or samples.get(f"{turn[1]}.from") or ""
            if speaker in _SPEAKERS:
                found[path] = _SPEAKERS[speaker]
    return found


def signature(names: Iterable[str]) -> str:
    """What tells a table by its columns, whatever their order."""
    return hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "surrogatepass")).hexdigest()
