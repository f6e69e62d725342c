"""Where training stops reading an example: the first character behind the last token that fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.examples.messages import Message
from app.text.counting import Tokens

# LIMA cuts training rows at 2,048 tokens.
LIMIT = 2048
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True)
class Cut:
    """The message at which the tokens run out, and the first character of it that is not read.

    Between paragraphs, where a preview can draw it, the message says `before` and `after`.
    """

    message: int
    place: int
    before: str
    after: str


def cut_of(messages: Sequence[Message], limit: int, tokens: Tokens) -> Cut | None:
    """The cut at `limit` tokens over all messages, or None if they fit.

    A preview draws it at the end of the last paragraph that ends before it, and never within a code block.
    """
    texts = [str(message["content"]) for message in messages]
    found = tokens.place(texts, limit)
    if found is None:
        return None
    text = texts[found.text]
    between = found.start if found.start >= len(text) else _between_paragraphs(text, found.start)
    return Cut(found.text, found.start, text[:between], text[between:])


def _between_paragraphs(text: str, place: int) -> int:
    """The last end of a paragraph before that place, outside of code; 0 where there is none."""
    ends = [found.end() for found in re.finditer(r"\n[ \t]*\n", text[:place])]
    return next((end for end in reversed(ends) if len(_FENCE.findall(text[:end])) % 2 == 0), 0)
