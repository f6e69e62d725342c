"""The rule of titles: a question that stands in the import twice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from app.sources.records import Record
from app.sources.rules.base import Rule


@dataclass(frozen=True)
class DuplicateTitles(Rule):
    """Keeps the first of several records with one title."""

    name: ClassVar[str] = "duplicate_titles"
    title: ClassVar[str] = "Titles once"
    hint: ClassVar[str] = "The first of each title."
    sentence: ClassVar[str] = (
        "Of several records with the same title only the first that comes this far is kept, whatever the case and the "
        "blanks; answers to one question share a title rightly. Near-duplicates are found later, on their own page."
    )
    applies: ClassVar[str] = "records with a title"

    def begin(self) -> Rule:
        """Give a judge that has seen no title yet."""
        return _Titles()

    def applies_to(self, record: Record) -> bool:
        """Whether it has a title."""
        return bool(record.title.strip())

    def objection(self, record: Record) -> str | None:
        """Let everything pass: one record alone repeats nothing."""
        del record
        return None


class _Titles(Rule):
    """Remembers each title by eight bytes of its hash, with the thread and the line where it stood first."""

    name: ClassVar[str] = DuplicateTitles.name

    def __init__(self) -> None:
        """Begin with nothing."""
        self._seen: dict[bytes, tuple[str | int, int]] = {}

    def objection(self, record: Record) -> str | None:
        """Object to a title that stood in another thread before."""
        title = " ".join(record.title.casefold().split())
        if not title:
            return None
        here = (record.thread_id or record.line, record.line)
        thread, line = self._seen.setdefault(hashlib.blake2b(title.encode(), digest_size=8).digest(), here)
        return None if thread == here[0] else f"the same title stands in line {line:,} already"
