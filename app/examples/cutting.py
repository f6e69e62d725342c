"""Where training stops reading an example: the first character behind the last token that fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.examples.messages import Message
from app.text.counting import CHARACTERS_PER_TOKEN, estimate_tokens

_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True)
class Cut:
    """The message and the paragraph of it at which the tokens run out: what it says `before`, and `after`."""

    message: int
    before: str
    after: str


def cut_of(messages: Sequence[Message], limit: int) -> Cut | None:
    """The cut at `limit` estimated tokens over all messages, or None if they fit.

    It is drawn between paragraphs, at the last one that begins before it, and never within a code block.
    """
    left = limit
    for index, message in enumerate(messages):
        text = str(message["content"])
        tokens = estimate_tokens(text)
        if tokens > left:
            place = _between_paragraphs(text, int(left * CHARACTERS_PER_TOKEN))
            return Cut(index, text[:place], text[place:])
        left -= tokens
    return None


def _between_paragraphs(text: str, place: int) -> int:
    """The last end of a paragraph before that place, outside of code; 0 where there is none."""
    ends = [found.end() for found in re.finditer(r"\n[ \t]*\n", text[:place])]
    return next((end for end in reversed(ends) if len(_FENCE.findall(text[:end])) % 2 == 0), 0)
