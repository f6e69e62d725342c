"""Rules that look at what a source knows about a record; none of them reads its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.sources.records import Record
from app.sources.rules.base import Rule, parameter


@dataclass(frozen=True)
class TopAnswer(Rule):
    """Keeps the best answer of each question."""

    name: ClassVar[str] = "top_answer"
    title: ClassVar[str] = "Top answer"
    hint: ClassVar[str] = "The highest score of its question."
    sentence: ClassVar[str] = (
        "Only the answer with the highest score of its question is kept, the older one on a tie: "
        "one question gives one example, and its best."
    )
    applies: ClassVar[str] = "answers to one question"

    def applies_to(self, record: Record) -> bool:
        """Whether it is one of the answers to a question."""
        return record.is_top is not None

    def objection(self, record: Record) -> str | None:
        """Object to an answer that is not the best of its question; a record that is no answer passes."""
        if record.is_top is not False:
            return None
        return record.barred or "another answer to the same question scores higher, or as high and is older"


@dataclass(frozen=True)
class Score(Rule):
    """Keeps answers that readers voted for."""

    name: ClassVar[str] = "score"
    title: ClassVar[str] = "Score"
    hint: ClassVar[str] = "What its readers thought of it."
    sentence: ClassVar[str] = "The answer's score must reach the minimum: many readers found it good."
    applies: ClassVar[str] = "records with a score"
    minimum: int = parameter(10, "At least")

    def applies_to(self, record: Record) -> bool:
        """Whether it has a score."""
        return record.score is not None

    def objection(self, record: Record) -> str | None:
        """Object to a score below the minimum; a record without a score passes."""
        if record.score is None or record.score >= self.minimum:
            return None
        return f"its score is {record.score}, below {self.minimum}"


@dataclass(frozen=True)
class Accepted(Rule):
    """Keeps the answers that the asker accepted."""

    name: ClassVar[str] = "accepted"
    title: ClassVar[str] = "Accepted"
    hint: ClassVar[str] = "The asker took this one."
    sentence: ClassVar[str] = (
        "Only an answer that the asker accepted is kept: it helped one person for certain, though not always most."
    )
    applies: ClassVar[str] = "answers that can be accepted"

    def applies_to(self, record: Record) -> bool:
        """Whether its source knows of accepting."""
        return record.extra.get("accepted") is not None

    def objection(self, record: Record) -> str | None:
        """Object to an answer that was not accepted; where nothing can be accepted all pass."""
        return "the asker did not accept it" if record.extra.get("accepted") is False else None


@dataclass(frozen=True)
class Closed(Rule):
    """Drops answers to questions that their site closed."""

    name: ClassVar[str] = "closed"
    title: ClassVar[str] = "Closed question"
    hint: ClassVar[str] = "The site did not want it."
    sentence: ClassVar[str] = (
        "The question must not be closed or deleted: the site found it unclear, opinion alone, a copy, or out of place."
    )
    applies: ClassVar[str] = "questions that can be closed"

    def applies_to(self, record: Record) -> bool:
        """Whether its source knows of closing."""
        return "question_closed" in record.extra

    def objection(self, record: Record) -> str | None:
        """Object to `question_deleted` or `question_closed` among the source's facts: True, or since when."""
        for how in ("deleted", "closed"):
            if since := record.extra.get(f"question_{how}"):
                return f"its question is {how}" + ("" if since is True else f" since {str(since)[:10]}")
        return None


@dataclass(frozen=True)
class Removed(Rule):
    """Drops posts whose words are gone."""

    name: ClassVar[str] = "removed"
    title: ClassVar[str] = "Deleted or removed"
    hint: ClassVar[str] = "Its words are there still."
    sentence: ClassVar[str] = (
        "The post must be there still: what its author deleted or a moderator removed has no words left, "
        "or words that were not meant to stay."
    )
    applies: ClassVar[str] = "posts of Reddit"

    def applies_to(self, record: Record) -> bool:
        """Whether its source knows of removing."""
        return "removed" in record.extra

    def objection(self, record: Record) -> str | None:
        """Object to `removed` among the source's facts: "deleted" or "removed"."""
        how = record.extra.get("removed")
        return f"the post is {how if isinstance(how, str) else 'removed'}" if how else None


@dataclass(frozen=True)
class Over18(Rule):
    """Drops posts that are marked as not for everybody."""

    name: ClassVar[str] = "over_18"
    title: ClassVar[str] = "Over 18"
    hint: ClassVar[str] = "Marked as for adults."
    sentence: ClassVar[str] = "The post must not be marked as for adults: an assistant speaks to everybody."
    applies: ClassVar[str] = "posts of Reddit"

    def applies_to(self, record: Record) -> bool:
        """Whether its source marks such posts."""
        return "over_18" in record.extra

    def objection(self, record: Record) -> str | None:
        """Object to `over_18` among the source's facts."""
        return "the post is marked as over 18" if record.extra.get("over_18") is True else None
