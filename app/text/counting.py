"""Counts of words, characters and tokens, offline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

CHARACTERS_PER_TOKEN = 3.6
"""Between the 3.3 and 3.9 that LIMA's released data show; used only where no tokenizer is at hand."""


@dataclass(frozen=True)
class Counts:
    """Sizes of one text: words (between blanks), characters (code points), tokens (`exact` or estimated)."""

    words: int
    characters: int
    tokens: int
    exact: bool


def count_words(text: str) -> int:
    """Count the runs of characters between white space."""
    return len(text.split())


def estimate_tokens(text: str) -> int:
    """Estimate tokens as code points / 3.6, rounded up: good to about a tenth for English prose."""
    return -int(-len(text) // CHARACTERS_PER_TOKEN)


def count_tokens(text: str, tokenizer: Path | str | None = None) -> int:
    """Count tokens with the `tokenizer.json` at that path (or in that folder), no special tokens added.

    Without a path, the estimate. Raises FileNotFoundError for a path that leads nowhere.
    """
    if tokenizer is None:
        return estimate_tokens(text)
    path = _tokenizer_file(Path(tokenizer))
    loaded = _load(str(path), path.stat().st_mtime_ns)
    return len(loaded.encode(text, add_special_tokens=False).ids)


def counts(text: str, tokenizer: Path | str | None = None) -> Counts:
    """Give all counts of one text."""
    tokens = count_tokens(text, tokenizer)
    return Counts(count_words(text), len(text), tokens, exact=tokenizer is not None)


def _tokenizer_file(path: Path) -> Path:
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"there is no tokenizer at {path}")
    return file


@lru_cache(maxsize=4)
def _load(path: str, _changed: int) -> Any:
    # The time of change is part of the key, so that a tokenizer built anew is read anew.
    from tokenizers import Tokenizer  # costs 60 ms, and most processes never count

    return Tokenizer.from_file(path)
