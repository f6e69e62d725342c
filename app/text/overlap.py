"""Whose words: runs of words that a text shares with another, counted so that people and a test can repeat it.

A word is a run of letters, digits and apostrophes, compared in the case-folded NFKC form; punctuation, white space and
Markdown between words do not matter. A shared run has at least `RUN` words, one after the other, in both texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

# Eight words in a row are seldom the same by chance in texts on one subject; five often are.
RUN = 8
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Runs = frozenset[tuple[str, ...]]


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(folded)


def runs_of(texts: Iterable[str]) -> Runs:
    """Every run of `RUN` words within one of the texts."""
    return frozenset(run for text in texts for run in _runs(words_of(text)))


def _runs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def own_runs(said: str, given: Iterable[str]) -> Runs:
    """The runs of what a model said that are its own: those that stood in what it was given are not."""
    return runs_of([said]) - runs_of(given)


def shared_words(texts: Iterable[str], runs: Runs) -> int:
    """How many words of the texts stand in one of these runs; a word in two runs counts once."""
    return sum(_covered(words_of(text), runs) for text in texts) if runs else 0


def _covered(words: Sequence[str], runs: Runs) -> int:
    covered, end = 0, 0
    for at, run in enumerate(_runs(words)):
        if run in runs:
            covered += at + RUN - max(at, end)
            end = at + RUN
    return covered
