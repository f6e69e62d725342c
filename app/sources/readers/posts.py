"""Posts of a Stack Exchange dump: the check of a row, and an answer as a record whose words are read when asked for.

Of a dump most answers are dropped for their numbers alone, so an answer's row is read again, from its place,
only when a rule or a page wants its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from app.sources import licences
from app.sources.readers.base import PromptChoice
from app.sources.readers.question_index import Answer, Names, RecentRows
from app.sources.readers.times import in_utc
from app.sources.readers.xml_rows import Attributes, RowFile
from app.sources.records import Message, Place, Record

QUESTION, ANSWER = "1", "2"
LOWEST = -(1 << 53)
# What the database's columns take, so that both databases refuse alike.
_LONGEST = {"OwnerDisplayName": 200, "ContentLicense": 80}


def check(attributes: Attributes) -> None:
    """Check what a row says beside its numbers. Raises ValueError, which says what is wrong."""
    if "Body" not in attributes:
        raise ValueError("the post has no Body")
    for name, longest in _LONGEST.items():
        if len(attributes.get(name, "")) > longest:
            raise ValueError(f"the post's {name} is longer than {longest} characters")
    moment(attributes.get("CreationDate", ""))


def number(attributes: Attributes, name: str, low: int = 1) -> int:
    """Give a whole number of a row. Raises ValueError, which says what is wrong."""
    value = attributes.get(name)
    if value is None:
        raise ValueError(f"the post has no {name}")
    # Almost every number is a few digits; int() alone would take blanks, signs and underscores too.
    if len(value) < 16 and value.isascii() and value.isdecimal() and (found := int(value)) >= low:
        return found
    if low < 0 and re.fullmatch(r"-[0-9]{1,15}", value):
        return int(value)
    raise ValueError(f"the post's {name} is {value[:30]!r}, which is no such number")


def moment(value: str) -> datetime:
    """Give a date and time, in UTC where it names no zone. Raises ValueError, which says what is wrong."""
    try:
        return in_utc(value)
    except ValueError:
        raise ValueError(f"the post's CreationDate is {value[:30]!r}, which is no date") from None


def owner_of(attributes: Attributes, name: str = "OwnerUserId") -> int | None:
    """Give the number of a post's author, None for one who has left."""
    value = attributes.get(name, "")
    return int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else None


@dataclass(frozen=True)
class Dump:
    """What the records of one dump share: its site, its files, and how they are read."""

    site: str
    prompt: PromptChoice
    posts: RowFile
    recent: RecentRows
    names: Names | None

    def author(self, attributes: Attributes, owner: int | None) -> str | None:
        """Give the name of a post's author: of the profile, else the one that the row states."""
        name = self.names.get(owner) if self.names is not None and owner is not None else None
        return name or attributes.get("OwnerDisplayName") or None

    def licence(self, attributes: Attributes) -> str:
        """Give a post's licence."""
        return licences.stackexchange_licence(moment(attributes["CreationDate"]), attributes.get("ContentLicense"))

    def asked(self, question: int, attributes: Attributes) -> tuple[Message, str]:
        """Give a question as a message, and which part of it that is: `title` or `body`."""
        title, body = attributes.get("Title", "").strip(), attributes.get("Body", "")
        if title and (self.prompt.takes_title(self.site, question) or not re.sub(r"<[^>]*>", "", body).strip()):
            return Message("user", title), "title"
        return Message("user", body, "html"), "body"


class AnswerRecord(Record):
    """An answer: its numbers are there at once, its words and all that its row says are read when asked for."""

    _dump: Dump
    _answer: Answer

    # The base is a frozen dataclass; what is set here stands in the instance, what is not is computed below.
    def __init__(self, dump: Dump, answer: Answer, place: Place) -> None:
        """Take the numbers; no file is read."""
        vars(self).update(
            _dump=dump,
            _answer=answer,
            site=dump.site,
            external_id=str(answer.id),
            language="en",
            score=answer.score,
            is_top=answer.is_top,
            thread_id=str(answer.question),
            url=licences.answer_url(dump.site, answer.id),
            line=answer.line,
            place=place,
        )

    def at(self, place: Place) -> Record:
        """Give the same record with another place."""
        return AnswerRecord(self._dump, self._answer, place)

    @property
    def has_question(self) -> bool:
        """Whether its question is in the dump; known without its words."""
        return self._answer.asked_at >= 0

    @cached_property
    def _row(self) -> Attributes:
        return self._dump.posts.row_at(self._answer.offset)

    @cached_property
    def _question(self) -> Attributes:
        return self._dump.recent.row_at(self._answer.asked_at) if self.has_question else {}

    @cached_property
    def _asked(self) -> tuple[Message | None, str]:
        return self._dump.asked(self._answer.question, self._question) if self.has_question else (None, "")

    @cached_property
    def title(self) -> str:
        """The question's title."""
        return self._question.get("Title", "")

    @cached_property
    def responses(self) -> tuple[Message, ...]:
        """The answer, without a look at its question."""
        return (Message("assistant", self._row["Body"], "html"),)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The question, where it is in the dump, and the answer."""
        return (self._asked[0], *self.responses) if self._asked[0] else self.responses

    @cached_property
    def author(self) -> str | None:
        """Who answered."""
        return self._dump.author(self._row, self.answerer)

    @cached_property
    def author_url(self) -> str | None:
        """The profile of who answered."""
        return licences.user_url(self.site, self.answerer)

    @property
    def asker(self) -> int | None:
        """The number of who asked."""
        return owner_of(self._question)

    @property
    def answerer(self) -> int | None:
        """The number of who answered."""
        return owner_of(self._row)

    @cached_property
    def licence(self) -> str:
        """The answer's licence."""
        return self._dump.licence(self._row)

    @cached_property
    def posted_at(self) -> datetime:
        """When it was answered."""
        return moment(self._row["CreationDate"])

    @cached_property
    def extra(self) -> dict[str, Any]:
        """The question's facts: who asked, under which licence, tags, accepted, closed."""
        asked, site, owner = self._question, self.site, self.asker
        return {
            "prompt": self._asked[1],
            "question_url": licences.question_url(site, self._answer.question),
            "question_author": self._dump.author(asked, owner),
            "question_author_url": licences.user_url(site, owner),
            "question_licence": self._dump.licence(asked) if asked else None,
            "question_closed": asked.get("ClosedDate"),
            "question_deleted": asked.get("DeletionDate"),
            "accepted": asked.get("AcceptedAnswerId") == self.external_id,
            "tags": re.findall(r"[^<>|]+", asked.get("Tags", "")),
        }
