"""The rule of languages: what an answer is written in, by the frequencies of its letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.sources.records import Record
from app.sources.rules.base import Rule, answers, own, parameter
from app.text.prose import MASK

# Fewer letters than this may be of any language; above the other number more letters do not change it.
_TOO_FEW, _ENOUGH = 60, 2000


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
                return f"it is written in {language}{whose}, not in {' or '.join(self.keep)}"
        return None


def language_of(markdown: str) -> str | None:
    """Name the language of a text's own words in two letters; None where there are too few of them."""
    words = " ".join(own(markdown[: 4 * _ENOUGH]).replace(MASK, " ").split())[:_ENOUGH]
    if sum(letter.isalpha() for letter in words) < _TOO_FEW:
        return None
    import py3langid  # its model takes 95 MB and 0.7 s, which no import needs without this rule

    return str(py3langid.classify(words)[0])
