"""What the one pass over a dump remembers of it: numbers, some 200 bytes a question, and no text."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from app.sources.readers.xml_rows import Attributes, Row, RowFile, rows

_NO_SCORE = -(1 << 60)
_CACHED_CHARACTERS = 4_000_000


class IdSet:
    """A set of numbers at about two bits each where they lie close together."""

    def __init__(self) -> None:
        """Start empty."""
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Add a number; say whether it is new."""
        page = self._pages.get(number >> 10)
        if page is None:
            page = self._pages[number >> 10] = bytearray(128)
        byte, bit = (number & 1023) >> 3, 1 << (number & 7)
        if page[byte] & bit:
            return False
        page[byte] |= bit
        return True


class Answer(NamedTuple):
    """The numbers of one answer: of its own row, of its question's (`asked_at` is -1 where the dump lacks it)."""

    id: int
    question: int
    score: int
    offset: int
    line: int
    is_top: bool
    asked_at: int


class Threads:
    """The questions and answers of a dump as packed numbers: where each row begins, which answer is the best."""

    def __init__(self) -> None:
        """Start empty."""
        self._slots: dict[int, int] = {}
        self._questions = array("q")
        self._asked_at = array("q")
        self._asked_score = array("q")
        self._best_score = array("q")
        self._best = array("q")
        self._answers = array("q")
        self._slot_of = array("I")
        self._scores = array("q")
        self._offsets = array("q")
        self._lines = array("I")

    def _slot(self, question: int) -> int:
        slot = self._slots.get(question)
        if slot is None:
            slot = self._slots[question] = len(self._slots)
            self._questions.append(question)
            self._asked_at.append(-1)
            self._asked_score.append(0)
            self._best_score.append(_NO_SCORE)
            self._best.append(0)
        return slot

    def asked(self, question: int, offset: int, score: int = 0) -> None:
        """Remember where a question begins, and its score."""
        slot = self._slot(question)
        self._asked_at[slot], self._asked_score[slot] = offset, score

    def answered(self, question: int, answer: int, score: int, offset: int, line: int) -> None:
        """Remember an answer and let it compete: the higher score wins, the lower Id on a tie."""
        slot = self._slot(question)
        self._answers.append(answer)
        self._slot_of.append(slot)
        self._scores.append(score)
        self._offsets.append(offset)
        self._lines.append(line)
        best = self._best_score[slot]
        if score > best or (score == best and answer < self._best[slot]):
            self._best_score[slot], self._best[slot] = score, answer

    def answers(self) -> Iterator[Answer]:
        """Give every answer in file order."""
        packed = zip(self._answers, self._slot_of, self._scores, self._offsets, self._lines, strict=True)
        for answer, slot, score, offset, line in packed:
            is_top = self._best[slot] == answer
            yield Answer(answer, self._questions[slot], score, offset, line, is_top, self._asked_at[slot])

    def scores(self) -> Iterator[tuple[int, int]]:
        """Give the Id of every question and answer that is in the dump, with its score."""
        asked = zip(self._questions, self._asked_score, self._asked_at, strict=True)
        yield from ((question, score) for question, score, at in asked if at >= 0)
        yield from zip(self._answers, self._scores, strict=True)

    def asked_at(self, question: int) -> int:
        """Give the byte where the question's row begins, -1 when the dump lacks it."""
        slot = self._slots.get(question)
        return -1 if slot is None else self._asked_at[slot]

    def answered_count(self) -> int:
        """Count the questions of the dump that have an answer."""
        return sum(1 for offset, answer in zip(self._asked_at, self._best, strict=True) if answer and offset >= 0)

    def missing_count(self) -> int:
        """Count the questions that only their answers name."""
        return sum(1 for offset in self._asked_at if offset < 0)


class RecentRows:
    """Rows of a file from their places; the last ones read are kept, four million characters of them."""

    def __init__(self, file: RowFile) -> None:
        """Take the file."""
        self.file = file
        self._recent: OrderedDict[int, Attributes] = OrderedDict()
        self._characters = 0

    def row_at(self, offset: int) -> Attributes:
        """Give the row that begins at that byte. Raises BadInput (422) where there is none any more."""
        known = self._recent.get(offset)
        return self._read(offset) if known is None else known

    def _read(self, offset: int) -> Attributes:
        row = self._recent[offset] = self.file.row_at(offset)
        self._characters += len(row.get("Body", ""))
        while self._characters > _CACHED_CHARACTERS and len(self._recent) > 1:
            _, old = self._recent.popitem(last=False)
            self._characters -= len(old.get("Body", ""))
        return row


class Names:
    """The names of people from Users.xml, read from their places when they are asked for: 16 bytes a person."""

    def __init__(self, path: Path, most: int | None = None) -> None:
        """Take the file, and how many bytes of it are looked at; nothing is read yet."""
        self._file = RowFile(path)
        self._most = most
        self._people: array[int] | None = None
        self._offsets = array("q")

    def learn(self) -> array[int]:
        """Find where everybody's row begins, once. Raises BadInput (422) for a broken file."""
        if self._people is None:
            people = array("q")
            for row in rows(self._file.path, "users", most=self._most):
                people.append(_person(row))
                self._offsets.append(row.offset)
            self._people = self._sorted(people)
        return self._people

    def _sorted(self, people: array[int]) -> array[int]:
        """People stand in a dump by their Id, and are sorted where they do not."""
        if all(here <= there for here, there in pairwise(people)):
            return people
        order = sorted(range(len(people)), key=people.__getitem__)
        self._offsets = array("q", (self._offsets[index] for index in order))
        return array("q", (people[index] for index in order))

    def get(self, person: int) -> str | None:
        """Give a person's name, None for somebody who is not in the file or has none."""
        people = self.learn()
        index = bisect_left(people, person)
        if index == len(people) or people[index] != person:
            return None
        return self._file.row_at(self._offsets[index]).get("DisplayName", "")[:200] or None


def _person(row: Row) -> int:
    """The Id of a row of Users.xml; of one without, a number that nobody has."""
    value = row.attributes.get("Id", "")
    return int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else -(1 << 60)
