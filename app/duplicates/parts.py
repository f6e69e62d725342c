"""Two texts turn by turn, and one put together of them: each turn from the left, from the right, or written anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from app.examples.forms import messages_of
from app.examples.merging import Turns, turns_of

Take = Literal["left", "right", "own"]


@dataclass(frozen=True)
class Part:
    """One turn of both texts, 0 the system message; empty where a text has none."""

    number: int
    title: str
    left: str
    right: str


def parts_between(left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The turns of two texts side by side; a prompt always has a place for its response."""
    mine, theirs = turns_of(left), turns_of(right)
    spoken = list(zip_longest(mine.spoken, theirs.spoken, fillvalue="")) or [("", "")]
    spoken += [("", "")] * (len(spoken) % 2)
    many = len(spoken) > 2
    found = [Part(0, "System message", mine.system, theirs.system)] if mine.system or theirs.system else []
    return (*found, *(Part(number, _title(number, many=many), *both) for number, both in enumerate(spoken, 1)))


def _title(number: int, *, many: bool) -> str:
    name = "Prompt" if number % 2 else "Response"
    return f"{name} {(number + 1) // 2}" if many else name


def composed(parts: Sequence[Part], takes: Mapping[int, Take], own: Turns) -> list[dict[str, str]]:
    """The messages of the merged text: what is taken of each part, `own` words where nothing says otherwise."""
    written = dict(enumerate(own.texts))
    texts = {part.number: _taken(part, takes.get(part.number, "own"), written.get(part.number, "")) for part in parts}
    spoken = tuple(text for number, text in sorted(texts.items()) if number)
    return messages_of(texts.get(0, ""), spoken)


def _taken(part: Part, take: Take, own: str) -> str:
    return {"left": part.left, "right": part.right, "own": own}[take]
