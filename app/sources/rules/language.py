"""The rule of languages: what an answer is written in, by the frequencies of its letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from app.sources.records import Record
from app.sources.rules.base import Rule, answers, own, parameter
from app.text.languages import name_of
from app.text.prose import MASK

# Fewer letters than this may be of any language; above the other number more letters do not change it.
_TOO_FEW, _ENOUGH = 60, 2000
# Small words that English has and its neighbours have not; what is full of them from end to end needs no model.
_WORDS = (
    "the and that this these those with you your are be been not which from but would could should what when they there"
    " their it its he she we because than then into about how"
)
_SMALL = frozenset(_WORDS.split())
_FEWEST_WORDS, _OF_ALL, _OF_A_THIRD = 30, 0.12, 0.08


@dataclass(frozen=True)
class Language(Rule):
    """Keeps answers in the languages of the set."""

    name: ClassVar[str] = "language"
    title: ClassVar[str] = "Language"
    hint: ClassVar[str] = "By the letters it is written with."
    sentence: ClassVar[str] = (
        "The answer, or a prompt without one, must be written in one of these languages (two letters each). Code, "
        "formulas and quotations do not count, and fewer than 60 letters pass, for nobody can tell."
    )
    applies: ClassVar[str] = "records"
    keep: tuple[str, ...] = parameter(("en",), "Languages to keep", pattern="[a-z]{2}")

    def applies_to(self, record: Record) -> bool:
        """Every record has words."""
        return bool(record.messages)

    def objection(self, record: Record) -> str | None:
        """Object to an answer, or a prompt without one, in another language; without a language to keep all pass."""
        if not self.keep:
            return None
        for message, whose in answers(record) or [(message, "") for message in record.messages[-1:]]:
            language = language_of(message.content)
            if language is not None and language not in self.keep:
                return f"it is written in {name_of(language)}{whose}, not in {' or '.join(map(name_of, self.keep))}"
        return None


def language_of(markdown: str) -> str | None:
    """Name the language of a text's own words in two letters; None where there are too few of them."""
    words = " ".join(own(markdown[: 4 * _ENOUGH]).replace(MASK, " ").split())[:_ENOUGH]
    if len(list(islice(filter(str.isalpha, words), _TOO_FEW))) < _TOO_FEW:
        return None
    if plainly_english(words.lower().split()):
        return "en"
    import py3langid  # its model takes 95 MB and 0.7 s, which nobody needs who reads plain English

    return str(py3langid.classify(words)[0])


def plainly_english(words: Sequence[str]) -> bool:
    """Whether small English words are frequent in the whole and in each third of it; False says nothing.

    The model names each such text English as well: tests/sources/test_language.py asks both about real ones.
    """
    if len(words) < _FEWEST_WORDS:
        return False
    third = -(-len(words) // 3)
    counts = [sum(word in _SMALL for word in words[at : at + third]) for at in range(0, len(words), third)]
    return sum(counts) >= _OF_ALL * len(words) and min(counts) >= _OF_A_THIRD * third
