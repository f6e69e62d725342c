"""LIMA's rules for an answer, each one switchable, each one a small value that says what it decides and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from app.sources.records import Decision, Message, Record
from app.text.prose import own_words

KEPT = Decision(kept=True, rule=None, reason="passes every rule that is switched on")


def parameter(default: Any, label: str, *, choices: tuple[str, ...] = (), low: int | None = None) -> Any:
    """Declare a rule's parameter: its default, its label on a form, and what it may be."""
    return field(default=default, metadata={"label": label, "choices": choices, "low": low})


class Rule(Protocol):
    """A question about one record; `objection` answers None, or the reason to drop it."""

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]

    def objection(self, record: Record) -> str | None:
        """Give the reason to drop the record, None to let it pass."""


@dataclass(frozen=True)
class TopAnswer:
    """Keeps the best answer of each question."""

    name: ClassVar[str] = "top_answer"
    title: ClassVar[str] = "Top answer"
    sentence: ClassVar[str] = (
        "Only the answer with the highest score of its question is kept, the older one on a tie: "
        "one question gives one example, and its best."
    )

    def objection(self, record: Record) -> str | None:
        """Object to an answer that another one outscores; a record that is no answer passes."""
        return "another answer to the same question scores higher" if record.is_top is False else None


@dataclass(frozen=True)
class Score:
    """Keeps answers that readers voted for."""

    name: ClassVar[str] = "score"
    title: ClassVar[str] = "Score"
    sentence: ClassVar[str] = "The answer's score must reach the minimum: many readers found it good."
    minimum: int = parameter(10, "At least")

    def objection(self, record: Record) -> str | None:
        """Object to a score below the minimum; a record without a score passes."""
        if record.score is None or record.score >= self.minimum:
            return None
        return f"its score is {record.score}, below {self.minimum}"


@dataclass(frozen=True)
class Length:
    """Keeps answers that are neither a remark nor a treatise."""

    name: ClassVar[str] = "length"
    title: ClassVar[str] = "Length"
    sentence: ClassVar[str] = (
        "The answer's length in characters must lie between both limits, themselves included: "
        "shorter ones teach little, longer ones ramble."
    )
    minimum: int = parameter(1200, "At least", low=0)
    maximum: int = parameter(4096, "At most", low=0)
    of: str = parameter("visible", "Counted in", choices=("visible", "html", "markdown"))

    def objection(self, record: Record) -> str | None:
        """Object to a length outside the limits; a prompt without an answer passes."""
        if not record.responses:
            return None
        length = sum(len(self._counted(message)) for message in record.responses)
        if length < self.minimum:
            return f"its length is {length:,} characters, below {self.minimum:,}"
        if length > self.maximum:
            return f"its length is {length:,} characters, above {self.maximum:,}"
        return None

    def _counted(self, message: Message) -> str:
        if self.of == "visible":
            return message.visible
        return message.text if self.of == "html" else message.content


@dataclass(frozen=True)
class FirstPerson:
    """Keeps answers that speak of the matter and not of their writer."""

    name: ClassVar[str] = "first_person"
    title: ClassVar[str] = "First person"
    sentence: ClassVar[str] = (
        "The answer must not say I or my: a model is no person with a past. Code, formulas and quotations "
        "do not count, nor do I/O, type I and the like."
    )
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))

    def objection(self, record: Record) -> str | None:
        """Object to the first I or my; strict finds whole words, narrow only words between blanks."""
        return _first_passage(record, "first person", lambda text: _first_persons(text, self.mode))


REFERENCES = (
    *("as mentioned", "stack exchange", "stackexchange", "stack overflow", "stackoverflow"),
    *("other answer", "other answers", "previous answer", "previous answers", "above answer", "answer above"),
    *("answers above", "answer below", "answers below", "accepted answer", "another answer", "existing answer"),
    *("existing answers", "earlier answer", "earlier answers", "top answer", "answers here", "'s answer"),
    *("’s answer",),
)
_NARROW = ("as mentioned", "stack exchange")


@dataclass(frozen=True)
class References:
    """Keeps answers that stand alone."""

    name: ClassVar[str] = "references"
    title: ClassVar[str] = "References"
    sentence: ClassVar[str] = "The answer must not point to other answers or to the site: its reader will see neither."
    mode: str = parameter("strict", "Matching", choices=("strict", "narrow"))
    phrases: tuple[str, ...] = parameter(REFERENCES, "Phrases that strict matching finds")

    def objection(self, record: Record) -> str | None:
        """Object to the first of the phrases, in any case; narrow knows LIMA's own two alone."""
        phrases = self.phrases if self.mode == "strict" else _NARROW
        if not phrases:
            return None
        pattern = re.compile("|".join(map(_phrase_pattern, phrases)), re.IGNORECASE)
        return _first_passage(record, "reference", pattern.finditer)


def _phrase_pattern(phrase: str) -> str:
    words = r"\s+".join(re.escape(word) for word in phrase.split())
    start = r"\b" if phrase[:1].isalnum() else ""
    return f"{start}{words}" + (r"\b" if phrase[-1:].isalnum() else "")


_STRICT = re.compile(r"\b(?:I|[Mm]y)\b")
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


def _first_persons(text: str, mode: str) -> Iterator[re.Match[str]]:
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


def _first_passage(record: Record, what: str, finder: Any) -> str | None:
    for turn, message in enumerate(record.responses, start=1):
        found = next(iter(finder(own_words(message.content))), None)
        if found is not None:
            where = f" of answer {turn}" if len(record.responses) > 1 else ""
            passage = _passage(message.content, found.start(), found.end())
            return f'{what}: "{passage}" at character {found.start() + 1}{where}'
    return None


def _passage(text: str, start: int, end: int) -> str:
    """Give the match with what follows it up to the third word, on one line."""
    return " ".join(text[start : end + 40].split()[:3] if end - start < 4 else text[start:end].split())


ALL: tuple[type[Rule], ...] = (TopAnswer, Score, Length, FirstPerson, References)
"""The rules in the order in which they run."""
