"""What rules of house style say of approved words, remembered by a process: an approved text never changes.

A thousand texts take some tenths of a second once, and then milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from app.examples.style.base import Rule
from app.examples.style.sheet import About, drafts

# Remarks of one rule on one message, at most: who sees ten knows.
MOST = 10
# Texts that are remembered, some 30 MB; beyond it all is read again.
REMEMBERED = 100_000


@dataclass(frozen=True)
class Passage:
    """A remark: by which rule, on which characters of which message, and the key under which it may have been left."""

    rule: str
    message: int
    start: int
    end: int
    words: str
    key: str


_known: dict[tuple[bytes, tuple[Rule, ...]], tuple[Passage, ...]] = {}


def passages(rules: Sequence[Rule], messages: Sequence[Mapping[str, Any]], language: str) -> tuple[Passage, ...]:
    """What these rules remark on a text, in the order of its words; rules that compare it with others have no say."""
    key = (_digest(messages, language), tuple(rules))
    found = _known.get(key)
    if found is None:
        if len(_known) >= REMEMBERED:
            _known.clear()
        found = _known[key] = tuple(_read(rules, messages, language))
    return found


def _digest(messages: Sequence[Mapping[str, Any]], language: str) -> bytes:
    whole = "\0".join([language, *(part for one in messages for part in (str(one["role"]), str(one["content"])))])
    return blake2b(whole.encode(errors="surrogatepass"), digest_size=16).digest()


def _read(rules: Sequence[Rule], messages: Sequence[Mapping[str, Any]], language: str) -> list[Passage]:
    found = [
        Passage(rule.name, one.message, one.start, one.end, one.words, one.key(draft.text))
        for draft in drafts(messages, About(language))
        for rule in rules
        if draft.role in rule.roles and draft.text.strip()
        for one in islice(rule.remarks(draft), MOST)
    ]
    return sorted(found, key=lambda one: (one.message, one.start, one.end))
