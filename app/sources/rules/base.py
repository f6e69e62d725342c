"""What a rule is: a small value that looks at one record and says why it must go, or what a person should look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from app.sources.records import Decision, Message, Record
from app.text.prose import own_words

Span = tuple[int, int]

own = lru_cache(maxsize=8)(own_words)
"""The writer's own words of a text; several rules ask for the same one after the other."""

KEPT = Decision(kept=True, rule=None, reason="passes every rule that is switched on")


def parameter(
    default: Any, label: str, *, choices: tuple[str, ...] = (), low: int | None = None, pattern: str = ""
) -> Any:
    """Declare a rule's parameter: its default, its label on a form, and what it (or each of its phrases) may be."""
    return field(default=default, metadata={"label": label, "choices": choices, "low": low, "pattern": pattern})


@dataclass(frozen=True)
class Remark:
    """What a marking rule found: the word that becomes the candidate's flag, and the sentence with the passage."""

    word: str
    reason: str


class Rule(ABC):
    """A question about one record; `objection` answers None, or the reason to drop it.

    A rule that `marks` never drops: its `remarks` become the flags of the candidate. `applies` says in words what a
    record must have for the rule to say anything, and `applies_to` whether one has it. A rule that compares records
    gives a judge with a memory of its own by `begin`; every other rule is its own judge.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    hint: ClassVar[str]
    sentence: ClassVar[str]
    applies: ClassVar[str] = "answers"
    marks: ClassVar[bool] = False

    def begin(self) -> Rule:
        """Give the judge of one import."""
        return self

    def applies_to(self, record: Record) -> bool:
        """Whether the record has what this rule looks at."""
        return bool(record.responses)

    @abstractmethod
    def objection(self, record: Record) -> str | None:
        """Give the reason to drop the record, None to let it pass."""

    def passages(self, text: str) -> Iterable[Span]:
        """Give every place of an answer's text that it objects to; of a rule that looks at no words nothing."""
        del text
        return ()

    def remarks(self, record: Record) -> tuple[Remark, ...]:
        """Give what a person should look at, each word once; of a rule that drops always nothing."""
        del record
        return ()


class MarkingRule(Rule):
    """A rule that drops nothing and marks what a person should look at."""

    marks: ClassVar[bool] = True

    def objection(self, record: Record) -> None:
        """Let everything pass."""
        del record


def passage(what: str, message: Message, start: int, end: int, whose: str = "") -> str:
    """Write a reason that ends in the passage and its place (1-based), which a page can find and mark again."""
    words = " ".join(message.content[start:end].split())
    return f'{what}: "{words}" at character {start + 1}{whose}'


def answers(record: Record) -> list[tuple[Message, str]]:
    """Each answer with the words that tell it from the others; no words where it is the only one."""
    several = len(record.responses) > 1
    return [
        (message, f" of answer {turn}" if several else "") for turn, message in enumerate(record.responses, start=1)
    ]
