"""What one pass over a dump remembers of it: numbers, some 200 bytes a question, and no text."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import BinaryIO

from app.sources.readers.xml_rows import Attributes, row_at

_NO_SCORE = -(1 << 60)
_CACHED_CHARACTERS = 4_000_000


class IdSet:
    """A set of numbers at about two bits each where they lie close together."""

    def __init__(self) -> None:
        """Start empty."""
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> bool:
        """Add a number; say whether it is new."""
        page = self._pages.setdefault(number >> 10, bytearray(128))
        byte, bit = (number & 1023) >> 3, 1 << (number & 7)
        if page[byte] & bit:
            return False
        page[byte] |= bit
        return True


class Questions:
    """For each question, found by Id: where its row begins and its best answer so far."""

    def __init__(self) -> None:
        """Start empty."""
        self._index: dict[int, int] = {}
        self._offsets = array("q")
        self._scores = array("q")
        self._answers = array("q")

    def _slot(self, question: int) -> int:
        slot = self._index.setdefault(question, len(self._index))
        if slot == len(self._offsets):
            self._offsets.append(-1)
            self._scores.append(_NO_SCORE)
            self._answers.append(0)
        return slot

    def found(self, question: int, offset: int) -> None:
        """Remember where a question begins."""
        self._offsets[self._slot(question)] = offset

    def answered(self, question: int, answer: int, score: int) -> None:
        """Let an answer compete: the higher score wins, the lower Id on a tie."""
        slot = self._slot(question)
        if (score, -answer) > (self._scores[slot], -self._answers[slot]):
            self._scores[slot], self._answers[slot] = score, answer

    def best(self, question: int) -> int:
        """Give the Id of the best answer."""
        return self._answers[self._index[question]]

    def offset(self, question: int) -> int:
        """Give the byte where the question's row begins, -1 when the dump lacks it."""
        return self._offsets[self._index[question]]

    def answered_count(self) -> int:
        """Count the questions of the dump that have an answer."""
        return sum(1 for offset, answer in zip(self._offsets, self._answers, strict=True) if answer and offset >= 0)

    def missing_count(self) -> int:
        """Count the questions that only their answers name."""
        return sum(1 for offset in self._offsets if offset < 0)


class QuestionLookup:
    """Gives the row of a question: from the last ones read, else from its place in the file."""

    def __init__(self, file: BinaryIO, questions: Questions) -> None:
        """Take the open dump and what the first pass learned of it."""
        self._file = file
        self._questions = questions
        self._recent: OrderedDict[int, Attributes] = OrderedDict()
        self._characters = 0

    def put(self, question: int, attributes: Attributes) -> None:
        """Remember a row, and forget the oldest beyond four million characters."""
        self._recent[question] = attributes
        self._characters += len(attributes.get("Body", ""))
        while self._characters > _CACHED_CHARACTERS and len(self._recent) > 1:
            _, old = self._recent.popitem(last=False)
            self._characters -= len(old.get("Body", ""))

    def get(self, question: int) -> Attributes | None:
        """Give a question's attributes, None when the dump lacks it."""
        known = self._recent.get(question)
        if known is not None:
            return known
        offset = self._questions.offset(question)
        if offset < 0:
            return None
        self.put(question, row_at(self._file, offset))
        return self._recent[question]
