"""Counts of words, characters and tokens, offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

CHARACTERS_PER_TOKEN = 3.6
"""Between the 3.3 and 3.9 that LIMA's released data show; used only where no tokenizer is at hand."""

LONG = 200_000
"""Characters that are cut into tokens to the last one, in some tenths of a second; the rest counts in proportion."""


def count_words(text: str) -> int:
    """Count the runs of characters between white space."""
    return len(text.split())


def estimate_tokens(text: str) -> int:
    """Estimate tokens as code points / 3.6, rounded up: good to about a tenth for English prose."""
    return -int(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True)
class Place:
    """Where reading stops: the text, counted from 0, and the first character of it that is not read."""

    text: int
    start: int


@dataclass(frozen=True, eq=False)
class Tokens:
    """Counts tokens as training does: every text and then one token that ends its turn, after BOS where there is one.

    Without a tokenizer (`read_tokenizer` makes one) they are estimated, and ends of turns are left out.
    """

    tokenizer: Any = None
    prefix: int = 0

    def counts_exactly(self, texts: Sequence[str]) -> bool:
        """Whether `count` and `total` are exact for these texts."""
        return self.tokenizer is not None and all(len(text) <= LONG for text in texts)

    def count(self, text: str) -> int:
        """The tokens of one text, without the end of its turn."""
        if self.tokenizer is None:
            return estimate_tokens(text)
        known = _encoded(self, text[:LONG]).count
        return known if len(text) <= LONG else round(known * len(text) / LONG)

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text, as `count` gives them: those not met before at once, on all cores, and remembered.

        For whole sets: a thousand rows take half a second once in a process, and then milliseconds.
        """
        if self.tokenizer is None:
            return [estimate_tokens(text) for text in texts]
        known = _counted.setdefault(self, {})
        keys = [_key(text) for text in texts]
        counts = {key: count for key in keys if (count := known.get(key)) is not None}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in counts}
        found = self.tokenizer.encode_batch_fast([text[:LONG] for text in new.values()], add_special_tokens=False)
        for (key, text), one in zip(new.items(), found, strict=True):
            counts[key] = len(one) if len(text) <= LONG else round(len(one) * len(text) / LONG)
        _remember(known, counts)
        return [counts[key] for key in keys]

    def total(self, texts: Sequence[str]) -> int:
        """The tokens of a whole row; an empty text is a place to write in and no turn yet."""
        if self.tokenizer is None:
            return sum(map(estimate_tokens, texts))
        return self.prefix + sum(self.count(text) + 1 for text in texts if text)

    def place(self, texts: Sequence[str], limit: int) -> Place | None:
        """Where a training run that reads `limit` tokens stops, or None if it reads everything.

        The end of a text where only the token that ends its turn is lost.
        """
        left, end = limit - self.prefix, 0 if self.tokenizer is None else 1
        for index, text in enumerate(texts):
            tokens = self.count(text)
            if text and tokens + end > left:
                return Place(index, self._start_of(text, left) if tokens > left else len(text))
            left -= tokens + end if text else 0
        return None

    def _start_of(self, text: str, token: int) -> int:
        if self.tokenizer is None:
            return int(token * CHARACTERS_PER_TOKEN)
        starts = _encoded(self, text[:LONG]).starts
        return starts[token] if token < len(starts) else min(LONG, len(text))


ESTIMATE = Tokens()


@dataclass(frozen=True)
class _Encoded:
    """How many tokens a text has, and where those start that a run could still read."""

    count: int
    starts: tuple[int, ...]


MOST_STARTS = 8192
MOST_COUNTED = 100_000
"""Texts whose number of tokens a process remembers, some 20 MB."""
# By tokenizer, which a process keeps few of, and the hash of the text.
_counted: WeakKeyDictionary[Tokens, dict[bytes, int]] = WeakKeyDictionary()


def _remember(known: dict[bytes, int], counts: dict[bytes, int]) -> None:
    if len(known) + len(counts) > MOST_COUNTED:
        known.clear()
    known.update(counts)


def _key(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


@lru_cache(maxsize=32)
def _encoded(tokens: Tokens, text: str) -> _Encoded:
    # The desk asks three times for what it shows after each pause, and most of its texts have not changed.
    found = tokens.tokenizer.encode(text, add_special_tokens=False)
    return _Encoded(len(found.ids), tuple(start for start, _ in found.offsets[:MOST_STARTS]))


def read_tokenizer(data: bytes, sample: str = "A text.") -> Tokens:
    """Read the bytes of a tokenizer.json. Raises ValueError, in words, if they are none that can count a sample."""
    from tokenizers import Tokenizer  # costs 60 ms, and most processes never count

    try:
        tokenizer = Tokenizer.from_buffer(data)
        # A file may cut and pad at what its own model reads; and what somebody typed is no control token.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        plain, whole = tokenizer.encode(sample, add_special_tokens=False).ids, tokenizer.encode(sample).ids
    except BaseException as error:  # the library raises bare exceptions, and panics that are none of that kind
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise ValueError((str(error).splitlines() or ["it cannot be read"])[0][:200]) from error
    if not plain:
        raise ValueError("it makes no tokens of a text")
    return Tokens(tokenizer, 1 if whole[:1] != plain[:1] else 0)
