"""Two members side by side: turn by turn, as Markdown, with the words marked that stand in one text only."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.text.diff import Piece, side_by_side
from app.text.markdown import render_markdown

# Whole tags of sanitised HTML, in whose text "<" is always escaped.
_TAG = re.compile(r"(<[^>]+>)")


@dataclass(frozen=True)
class Turn:
    """One message; `role` is system, user or assistant, `text` safe HTML."""

    role: str
    text: Markup


def compared(
    left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Give the turns of both, each marked against the same turn of the same role on the other side.

    Where one side has no response at all, the other's stays unmarked: there is nothing to compare.
    """
    mine, theirs = _numbered(left), _numbered(right)
    places = {place for place in {*mine, *theirs} if _comparable(place, mine, theirs)}
    sides = {place: marked(mine.get(place, ""), theirs.get(place, "")) for place in places}
    return (
        tuple(Turn(place[0], sides[place][0] if place in sides else _plain(text)) for place, text in mine.items()),
        tuple(Turn(place[0], sides[place][1] if place in sides else _plain(text)) for place, text in theirs.items()),
    )


Place = tuple[str, int]


def _comparable(place: Place, mine: Mapping[Place, str], theirs: Mapping[Place, str]) -> bool:
    first = ("assistant", 0)
    return place[0] != "assistant" or (first in mine and first in theirs)


def _numbered(messages: Sequence[Mapping[str, Any]]) -> dict[Place, str]:
    """Messages by role and number within the role, in their order."""
    seen: Counter[str] = Counter()
    numbered = {}
    for message in messages:
        role = str(message["role"])
        numbered[role, seen[role]] = str(message["content"])
        seen[role] += 1
    return numbered


def _plain(text: str) -> Markup:
    return Markup(render_markdown(text))  # noqa: S704 - render_markdown sanitises last


def marked(left: str, right: str) -> tuple[Markup, Markup]:
    """Render both and mark what a reader sees in one only; marks never cross a tag, so the HTML stays whole."""
    parts = [_TAG.split(render_markdown(text)) for text in (left, right)]
    seen = ["".join(html.unescape(text) for text in part[::2]) for part in parts]
    both = side_by_side(*seen)
    first, second = _with_marks(parts[0], both.left), _with_marks(parts[1], both.right)
    return Markup(first), Markup(second)  # noqa: S704 - sanitised HTML and escaped text


def _with_marks(parts: Sequence[str], pieces: Sequence[Piece]) -> str:
    """Put HTML together again: its even parts are text, whose words the pieces give in order."""
    waiting = list(reversed(pieces))
    out = []
    for index, part in enumerate(parts):
        if index % 2:
            out.append(part)
        else:
            out += _take(waiting, len(html.unescape(part)))
    return "".join(out)


def _take(waiting: list[Piece], length: int) -> Iterator[str]:
    """Take so many characters from the end of the reversed pieces, as HTML."""
    while length:
        piece = waiting.pop()
        if len(piece.text) > length:
            waiting.append(Piece(piece.text[length:], piece.only))
            piece = Piece(piece.text[:length], piece.only)
        length -= len(piece.text)
        words = html.escape(piece.text, quote=False)
        # White space between blocks is no place for a mark.
        yield f'<mark class="only">{words}</mark>' if piece.only and piece.text.strip() else words
