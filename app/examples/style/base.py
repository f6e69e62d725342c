"""What a rule of house style is: a small value that reads one message and says what it would change, where and why."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from app.sources.rules.base import own, parameter
from app.text.canonical import content_hash

MOST = 50
"""Remarks of one rule on one message, at most: whoever sees fifty knows."""


@dataclass(frozen=True)
class Fix:
    """What to put in place of the characters from start to end; offered only where it is certain."""

    start: int
    end: int
    replacement: str

    def applied(self, text: str) -> str:
        """The text with this change."""
        return text[: self.start] + self.replacement + text[self.end :]


@dataclass(frozen=True)
class Remark:
    """What a rule says of the characters from start to end of one message (start = end: of the message as a whole).

    `message` counts from 0 in the list of messages; `words` are a sentence with what to do.
    """

    rule: str
    message: int
    start: int
    end: int
    words: str
    fix: Fix | None = None

    def key(self, text: str) -> str:
        """A name by which the remark is known again after other words have changed."""
        passage = " ".join(text[self.start : self.end].split())
        return f"{self.rule}:{content_hash([passage or self.message])[:16]}"


@dataclass(frozen=True)
class Habit:
    """How long the approved responses of a source are, in characters: the quartiles and how many were counted."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class Draft:
    """One message as a rule reads it, with what was asked, the language it should be in, and its source's habit."""

    text: str
    role: str = "assistant"
    prompt: str = ""
    language: str | None = None
    habit: Habit | None = None
    index: int = 0

    @cached_property
    def own(self) -> str:
        """The writer's own words: code, formulas and quotations are masked, every character keeps its place."""
        return own(self.text)

    @cached_property
    def speaks_as_somebody(self) -> bool:
        """Whether the prompt asks for words that are somebody's: a letter, a story, a speech."""
        return _VOICES.search(self.prompt, 0, _ASKED_WITHIN) is not None


# What people ask for in somebody's voice, and the verbs that ask; and work upon words that are somebody's already.
_VOICE = (
    r"(?:letter|e-?mail|story|stories|poem|haiku|limerick|sonnet|song|lyrics|rap|speech|dialog(?:ue)?|conversation|script|"
    r"scene|monologue|diary|journal entry|blog post|tweet|post|caption|toast|review|testimonial|resum[eé]|statement|"
    r"essay|interview|message|note|invitation|apology|excuse|compliment|introduction|profile|sentence|quote|saying|joke|riddle|"
    r"slogan|headline|ad|advert|screenplay|play|pitch|proposal|vow|prayer|fairy tale|fable|narrative|paragraph|"
    r"description|character|thought experiment|reply|response|bio|phrase)s?"
)
_VOICES = re.compile(
    rf"\b(?:write|compose|draft|creat|generat|tell|mak|craft|construct|form|giv|provid|come up with|produc|develop|"
    rf"design|add|continu|finish|complet|describ|imagin)(?:e|ing|es)?\b[^.?!\n]{{0,60}}?\b{_VOICE}\b"
    r"|\b(?:translate|paraphrase|rewrite|re-write|rephrase|rearrange|edit|correct|convert|change|transform|proofread|"
    r"summari[sz]e|reply|respond|replace|substitute|reword|fill in|unscramble|reorder|combine|insert|expand|choose|"
    r"select) "
    r"|\bfirst[- ]person\b|\brole-?play|\bpretend|\bimagine (?:you|that you)\b|\byou are an? |\bact as\b|\bpersona\b",
    re.IGNORECASE,
)
# Who asks for a letter says so at once; later in a long question such words tell of something else.
_ASKED_WITHIN = 240


class Rule(ABC):
    """A habit of the house; its fields are the parameters that a project may tune.

    `name` is its name in files and counts, `title` what people read, `why` its reason in a sentence. A rule reads the
    messages of its `roles` alone. Where it only `suspects` something the page says so and nobody is held up.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    roles: ClassVar[tuple[str, ...]] = ("assistant",)
    suspects: ClassVar[bool] = False

    @abstractmethod
    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Give what this rule says of a message, in the order of its places."""

    def at(self, draft: Draft, start: int, end: int, words: str, fix: Fix | None = None) -> Remark:
        """A remark of this rule on a passage."""
        return Remark(self.name, draft.index, start, end, words, fix)

    def on_the_whole(self, draft: Draft, words: str) -> Remark:
        """A remark of this rule on a message as a whole."""
        return Remark(self.name, draft.index, 0, 0, words)


def line_starts(text: str) -> list[tuple[int, str]]:
    """Each line with the place where it begins."""
    found, place = [], 0
    for line in text.split("\n"):
        found.append((place, line))
        place += len(line) + 1
    return found


def line_of(text: str, place: int) -> int:
    """The line of a place, counted from 1."""
    return text.count("\n", 0, place) + 1


__all__ = ["MOST", "Draft", "Fix", "Habit", "Remark", "Rule", "line_of", "line_starts", "own", "parameter"]
