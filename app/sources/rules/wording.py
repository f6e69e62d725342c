"""Rules that look for words in the writer's own text: not in code, formulas and quotations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from app.sources.records import Message, Record
from app.sources.rules.base import Rule, Span, answers, own, parameter, passage

Finder = Callable[[str], Iterable[re.Match[str]]]


@dataclass(frozen=True)
class FirstPerson(Rule):
    """Keeps answers that speak of the matter and not of their writer."""

    name: ClassVar[str] = "first_person"
    title: ClassVar[str] = "First person"
    hint: ClassVar[str] = "Whole words, not in code or quotes."
    sentence: ClassVar[str] = (
        "The answer must not say I or my: a model is no person with a past. Code, formulas and quotations "
        "do not count, nor do I/O, type I and the like."
    )
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))

    def objection(self, record: Record) -> str | None:
        """Object to the first I or my; strict finds whole words, narrow only words between blanks."""
        return _first_passage(record, "first person", _STRICT.search, lambda text: first_persons(text, self.mode))

    def passages(self, text: str) -> Iterator[Span]:
        """Give every I and my."""
        return (found.span() for found in first_persons(own(text), self.mode))


REFERENCES = (
    *("as mentioned", "stack exchange", "stackexchange", "stack overflow", "stackoverflow"),
    *("other answer", "other answers", "previous answer", "previous answers", "above answer", "answer above"),
    *("answers above", "answer below", "answers below", "accepted answer", "another answer", "existing answer"),
    *("existing answers", "earlier answer", "earlier answers", "top answer", "answers here", "'s answer"),
    *("’s answer",),
)
_NARROW = ("as mentioned", "stack exchange")


@dataclass(frozen=True)
class References(Rule):
    """Keeps answers that stand alone."""

    name: ClassVar[str] = "references"
    title: ClassVar[str] = "References"
    hint: ClassVar[str] = "The text must stand by itself."
    sentence: ClassVar[str] = "The answer must not point to other answers or to the site: its reader will see neither."
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))
    phrases: tuple[str, ...] = parameter(REFERENCES, "Phrases that strict matching finds")

    def objection(self, record: Record) -> str | None:
        """Object to the first of the phrases, in any case; narrow knows LIMA's own two alone."""
        return _first_phrase(record, "reference", self._sought())

    def passages(self, text: str) -> Iterator[Span]:
        """Give every one of the phrases."""
        return _all_phrases(text, self._sought())

    def _sought(self) -> tuple[str, ...]:
        return self.phrases if self.mode == "strict" else _NARROW


# Crude words that no answer needs; mild ones (damn, hell, crap) are left to taste, and so are words with a decent use.
CRUDE = (
    *("arsehole", "arseholes", "asshole", "assholes", "bastard", "bastards", "bitch", "bitches", "bollocks"),
    *("bullshit", "cocksucker", "cunt", "cunts", "dickhead", "dickheads", "fuck", "fucked", "fucker", "fuckers"),
    *("fucking", "fucks", "goddamn", "goddamned", "jackass", "motherfucker", "motherfuckers", "motherfucking"),
    *("piss off", "pissed off", "shit", "shits", "shitty", "slut", "sluts", "twat", "twats", "wanker", "wankers"),
    "whore",
)


@dataclass(frozen=True)
class Profanity(Rule):
    """Keeps answers without crude words."""

    name: ClassVar[str] = "profanity"
    title: ClassVar[str] = "Crude words"
    hint: ClassVar[str] = "Whole words of a list."
    sentence: ClassVar[str] = (
        "The answer must not use a word of the list, as a whole word and in any case: an assistant does not swear. "
        "A word in code or in a quotation is somebody else's."
    )
    words: tuple[str, ...] = parameter(CRUDE, "Words")

    def objection(self, record: Record) -> str | None:
        """Object to the first word of the list."""
        return _first_phrase(record, "crude word", self.words)

    def passages(self, text: str) -> Iterator[Span]:
        """Give every word of the list."""
        return _all_phrases(text, self.words)


@dataclass(frozen=True)
class Links(Rule):
    """Keeps answers that say what they know themselves."""

    name: ClassVar[str] = "links"
    title: ClassVar[str] = "Links"
    hint: ClassVar[str] = "It must not lean on other pages."
    sentence: ClassVar[str] = (
        "The answer must not lean on links, for they are taken out: neither more links than this nor more of its "
        "words in links than this share."
    )
    maximum: int = parameter(4, "Links, at most", low=0)
    share: int = parameter(25, "% of words", low=0)

    def objection(self, record: Record) -> str | None:
        """Object to the number of links of an answer, or to the share of its words that stand in links."""
        for message, whose in answers(record):
            linked = _linked(message)
            words = len(message.visible.split())
            if len(linked) > self.maximum:
                return f"it has {len(linked):,} links{whose}, above {self.maximum:,}"
            if words and 100 * sum(linked) > self.share * words:
                return f"{100 * sum(linked) / words:.0f}% of its words stand in links{whose}, above {self.share}%"
        return None


_ANCHOR = re.compile(r"<a\s[^>]*\bhref\s*=[^>]*>(.*?)</a\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_WRITTEN = re.compile(r"(?<!!)\[([^\]\n]{0,400})\]\((?:[^()\s]|\([^()\s]*\))+[^)\n]{0,200}\)|<?\bhttps?://[^\s<>)\]]+")


def _linked(message: Message) -> list[int]:
    """How many words stand in each link of a text: the address is one where it is written out."""
    if message.markup == "html":
        return [len(_TAG.sub("", found).split()) for found in _ANCHOR.findall(message.text)]
    return [len((found.group(1) or "x").split()) for found in _WRITTEN.finditer(own(message.text))]


def _first_phrase(record: Record, what: str, phrases: tuple[str, ...]) -> str | None:
    if not phrases:
        return None
    known = any_of(phrases)
    return _first_passage(record, what, known.may_be_in, known.matches)


def _all_phrases(text: str, phrases: tuple[str, ...]) -> Iterator[Span]:
    return (found.span() for found in any_of(phrases).matches(own(text))) if phrases else iter(())


@dataclass(frozen=True)
class _Phrases:
    """Finds phrases in any case, with any blanks between their words, where no word goes on before or after them.

    Texts are looked at in lower case, where a pattern is found five times faster than in any case. A text without one
    of the `needles` has none of the phrases.
    """

    pattern: re.Pattern[str]
    needles: tuple[str, ...]

    def may_be_in(self, text: str) -> bool:
        """Whether it is worth to look closer."""
        lowered = _lowered(text)
        return any(needle in lowered for needle in self.needles)

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Give every match; its places are those of the text."""
        lowered = _lowered(text)
        found = self.pattern.search(lowered)
        while found:
            # Asked here and not by the pattern, which looks for its first letter at once without.
            if not re.match(r"\w\w", lowered[max(0, found.start() - 1) : found.start() + 1]):
                yield found
            found = self.pattern.search(lowered, found.start() + 1)


@lru_cache(maxsize=64)
def any_of(phrases: tuple[str, ...]) -> _Phrases:
    """Give what finds these phrases in a text."""
    lowered = tuple(map(_lowered, phrases))
    return _Phrases(
        re.compile("|".join(map(_phrase_pattern, lowered))), tuple(sorted({_needle(one, lowered) for one in lowered}))
    )


# Letters that are the same as these in any case, and do not become them in lower case; each is one letter then.
_SAME = str.maketrans("ſıİ", "sii")


def _lowered(text: str) -> str:
    """The text in lower case, as long as it was."""
    if not text.isascii() and any(letter in text for letter in "ſıİ"):
        text = text.translate(_SAME)
    return text.lower()


def _needle(phrase: str, phrases: tuple[str, ...]) -> str:
    """The word of a phrase that stands in most of the phrases, the longest of such words."""
    return max(phrase.split(), key=lambda word: (sum(word in one for one in phrases), len(word)))


def _phrase_pattern(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split())) + (r"\b" if phrase[-1:].isalnum() else "")


# \b(?:I|MY|[Mm]y)\b, each way beginning with its letter: so the search leaps to it, which takes a tenth of the time.
# Underscores may stand round it that emphasise: _my_ and __my own__, not my_own.
_ENDS = r"(?:\b|(?=__?(?!\w)))"
_STRICT = re.compile(
    "|".join(
        rf"{first}(?:(?<!\w{first})|(?<=\b_{first})|(?<=\b__{first})){more}{_ENDS}"
        for first, more in (("I", ""), ("M", "[Yy]"), ("m", "y"))
    )
)
_BETWEEN_BLANKS = re.compile(r"(?<![^\s*_~])(?:I|[Mm]y)(?![^\s*_~])")
_NUMBERED = (
    "Type|Class|Phase|Stage|Grade|Level|Part|Chapter|Section|Book|Volume|Vol|Act|War|Figure|Fig|Table|Appendix|"
    "Case|Axiom|Theorem|Lemma|Group|Category|Mark|Article|Title|Schedule|Tier|Round|Season|Episode"
)
_NAMED_BEFORE = re.compile(rf"(?:\b(?:{_NUMBERED})\.?[ -]|[=+/^⊗⊕∘×·] ?|\b[A-Z]\.)$")
_NAMED_AFTER = re.compile(
    r"[(/^_\[⊗⊕∘×·-](?=[\w(])| ?[=<>≤≥≠⊗⊕]|, (?:II|I?V|[A-HJ-Z])\b| (?:and|or|to|&) (?:II|I?V|[A-HJ-Z])\b"
    r"|\.(?:[A-Z]|e\.)"
)
_LOWER_TYPE = re.compile(r"\b(?:type|class|phase)[ -]$")
_LETTER_BEFORE = re.compile(r"\b[A-HJ-Z],? (?:and |or )?$")
_NO_VERB_AFTER = re.compile(r"[ ]?(?:[,.;:)]|$|\n|errors?\b|and\b|or\b|superconduct|supernova|diabetes|hypersens|II\b)")


def first_persons(text: str, mode: str) -> Iterator[re.Match[str]]:
    """Give every I and my of a text that speaks of its writer; `mode` is strict or narrow."""
    pattern = _STRICT if mode == "strict" else _BETWEEN_BLANKS
    return (found for found in pattern.finditer(text) if not _is_numeral(text, found))


def _is_numeral(text: str, found: re.Match[str]) -> bool:
    """Say whether an I counts or names something: I/O, type I, I = V/R, (I), X, Y and I."""
    if found.group() != "I":
        return False
    before, after = text[max(0, found.start() - 24) : found.start()], text[found.end() : found.end() + 24]
    if _LOWER_TYPE.search(before) or _LETTER_BEFORE.search(before):
        return _NO_VERB_AFTER.match(after) is not None
    if re.match(r"[/-][a-z]", after):
        return False  # "I/we" and "I-think-so" are people
    if before.endswith("(") and after.startswith(")"):
        return True
    starts_line = before == "" or before.endswith("\n")
    numbers_item = starts_line and re.match(r"[.)]\s", after)
    return bool(numbers_item or _NAMED_BEFORE.search(before) or _NAMED_AFTER.match(after))


def _first_passage(record: Record, what: str, may: Callable[[str], Any], find: Finder) -> str | None:
    """The reason for the first passage that `find` gives in an answer's own words, where the whole text `may` have one.

    Looking at the whole is the cheap part: most answers have none, and their code and quotations need no masking.
    """
    for message, whose in answers(record):
        found = next(iter(find(own(message.content))), None) if may(message.content) else None
        if found is not None:
            end = found.end() if found.end() - found.start() >= 4 else _third_word(message.content, found)
            return passage(what, message, found.start(), end, whose)
    return None


def _third_word(text: str, found: re.Match[str]) -> int:
    """Where a short match ends with what follows it up to the third word."""
    shown = re.match(r"\S+(?:\s+\S+){0,2}", text[found.start() : found.end() + 40])
    return found.start() + shown.end() if shown else found.end()
