"""The WritingPrompts data set: a prompt and a story a row, tokenised; the words are joined again."""

from __future__ import annotations

import re
from dataclasses import replace

from app.sources.readers.base import ReadOptions
from app.sources.readers.chat_rows import BadRow, Row, is_blank
from app.sources.readers.containers import Item
from app.sources.readers.reddit_text import untagged
from app.sources.readers.rows import Shape, record_of
from app.sources.records import Message, Record
from app.text.canonical import content_hash
from app.text.wellformed import first_fault

SOURCE = "writingprompts"
_CLITIC = "s|t|re|ve|ll|d|m"
_TOKENISED = re.compile(
    rf"``|<newline>|“ |\s(?:n't|'(?:{_CLITIC}))\b|\w ’ (?:{_CLITIC})\b|\w [.,!?)](?:\s|$)|\( \w|(?:^|\s)\" \w"
)
_JOINED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"[ \t]*<newline>[ \t]*", "\n"),
        (r"[ \t]*\n[ \t]*", "\n"),
        (r"\n{3,}", "\n\n"),
        (r"``[ \t]*", '"'),
        (r"[ \t]*''", '"'),
        (r"(?<=\w)[ \t]+(n't|'(?:s|re|ve|ll|d|m))\b", r"\1"),
        (rf"(?<=\w) ’ ({_CLITIC})\b", r"’\1"),
        (r"\b(gon|wan) na\b", r"\1na"),
        (r"\b(got) ta\b", r"\1ta"),
        (r"(?<=\S)[ \t]+([.,!?;:%)\]]|\.\.\.)(?=[\s.,!?;:)\]\"'”’]|$)", r"\1"),
        (r"([(\[“‘])[ \t]+(?=\S)", r"\1"),
        (r"(?<=\S)[ \t]+(?=[”’](?:[\s.,!?;:)]|$))", ""),
        (r"([$£#])[ \t]+(?=\d)", r"\1"),
    )
)
_LONE_QUOTE = re.compile(r'(?:(?<=[\s*])|^)"(?=[\s*]|$)')


def joined(text: str) -> str:
    """Undo the tokens of a text that has any: blanks before signs, `` and '' for quotes, <newline>."""
    if not _TOKENISED.search(text):
        return text.strip()
    for pattern, replacement in _JOINED:
        text = pattern.sub(replacement, text)
    return "\n".join(map(_quoted, text.strip().split("\n")))


def _quoted(line: str) -> str:
    """Join the quotation marks of a line that stand alone, by turns to the word after and the word before."""
    pieces = _LONE_QUOTE.split(line)
    if len(pieces) % 2 == 0:  # one of them has no partner
        return line
    for turn in range(1, len(pieces), 2):
        pieces[turn] = f'"{pieces[turn].strip()}"'
    return "".join(pieces)


def _is_row(row: Row) -> bool:
    return row.keys() >= {"prompt", "story"}


def _read(item: Item, options: ReadOptions) -> Record:
    prompt, tags = untagged(" ".join(_words(item.value, "prompt").split()))
    story = [] if is_blank(item.value.get("story")) else [joined(_words(item.value, "story"))]
    messages = (Message("user", joined(prompt)), *(Message("assistant", one) for one in story))
    found = record_of(item, messages, options)
    extra = {"row_id": item.value.get("row_id"), "tags": tags}
    return replace(
        found,
        split=found.split or "train",
        source=found.source or SOURCE,
        language=found.language or "en",
        thread_id=content_hash(messages[0].text)[:32],
        extra={name: value for name, value in extra.items() if value},
    )


def _words(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"{name} is empty")
    if fault := first_fault(value):
        raise BadRow(f"{name} holds {fault}, which cannot be stored")
    return value.replace("\r\n", "\n")


SHAPE = Shape("writingprompts", "WritingPrompts (prompt and story)", _is_row, _read)
FORMAT = SHAPE.format()
