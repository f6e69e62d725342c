"""The words of a version as bytes: one canonical line an example, sorted by hash, and the id of them all.

Nothing but split, source, messages, licence and attribution goes in, and group and flags where people set them. So
the id does not depend on the database, on the order in which examples came, on the time zone, or on who wrote and
approved them when.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.text.canonical import canonical_json, sha256_hex

PREFIX = "sha256:"


@dataclass(frozen=True, order=True)
class Line:
    """One line of examples.jsonl without its line feed; lines sort by their hash."""

    sha256: str
    text: str


@dataclass(frozen=True)
class FrozenLine:
    """A line of a version, and whether somebody changed its words after it came in."""

    line: Line
    edited: bool


def line_of(
    *,
    split: str,
    source: str,
    messages: Sequence[Mapping[str, Any]],
    licence: str | None,
    attribution: Mapping[str, Any],
    told: Mapping[str, Any] = MappingProxyType({}),
) -> Line:
    """Give the canonical line of an example; a message is its role and content, an unknown attribution is left out.

    `told` are group and flags, as app.datasets.told gives them: nothing where there is nothing to say.
    """
    data = canonical_json(
        {
            "split": split,
            "source": source,
            "messages": [{"role": said["role"], "content": said["content"]} for said in messages],
            "licence": licence or None,
            "attribution": {key: value for key, value in attribution.items() if value not in (None, "")},
            **told,
        }
    )
    return Line(sha256_hex(data), data.decode())


def set_sha256(lines: Iterable[str]) -> str:
    """Give the SHA-256 of examples.jsonl: the lines in the order given, each ended by a line feed.

    Two examples with the very same line are two lines: they sort next to each other, and both count.
    """
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def version_id(sha256: str) -> str:
    """Give a hash as the id that people see, `sha256:…`."""
    return PREFIX + sha256


def read_json(text: str | bytes) -> Any:
    """Read JSON in which no object has a key twice: readers would not agree on which counts. Raises ValueError."""
    return _READER.decode(text if isinstance(text, str) else text.decode("utf-8"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


_READER = json.JSONDecoder(object_pairs_hook=_once)
