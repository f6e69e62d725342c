"""A Stack Exchange dump as records: one an answer, in file order, in bounded memory.

Posts.xml is read twice. The first pass checks every row and learns, for each question, where it begins and
which answer is best; the second yields the answers. A question's words are read again from its place when
an answer needs them, so that memory grows by some 200 bytes a question and not by its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.sources import licences
from app.sources.exchanges import site_host
from app.sources.readers.base import Format, Reader, ReadOptions
from app.sources.readers.files import Sniffed
from app.sources.readers.question_index import IdSet, QuestionLookup, Questions
from app.sources.readers.xml_rows import Attributes, Row, rows
from app.sources.records import BadInput, Message, Place, Record

_QUESTION, _ANSWER = "1", "2"
_LARGEST_ID = 1 << 53
# What the database's columns take, so that both databases refuse alike.
_LONGEST = {"OwnerDisplayName": 200, "ContentLicense": 80}


@dataclass(frozen=True)
class DumpCounts:
    """What the first pass saw."""

    rows: int
    questions: int
    answers: int
    questions_with_answer: int
    missing_questions: int


@dataclass(frozen=True, slots=True)
class _Post:
    """The checked fields of one question or answer."""

    id: int
    parent: int
    score: int
    posted: datetime
    owner: int | None


class StackExchangeReader(Reader):
    """Reads one dump: Posts.xml, and Users.xml when names are wanted."""

    format = "stackexchange"

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take a dump's files; the options must name its site."""
        super().__init__(files, options)
        if not options.site:
            raise BadInput(
                "a Stack Exchange dump does not name its site; "
                "say which with --site on the command line, or in the field Site"
            )
        self.site = site_host(options.site)
        self.prompt = options.prompt
        self.posts = next((file.path for file in files if root_of(file) == "posts"), files[0].path)
        self.users = next((file.path for file in files if root_of(file) == "users"), None)
        self.total_bytes = self.posts.stat().st_size
        self.phase = "checking"
        self.counts: DumpCounts | None = None
        self._questions = Questions()
        self._names: dict[int, str] = {}

    def prepare(self) -> None:
        """Read the whole dump once and check it.

        Raises BadInput for a file that is no dump or breaks off, BadLines for rows with faults unless they
        are to be skipped; nothing needs to have been written by then.
        """
        if self.counts is not None:
            return
        self.errors, self.error_count, self._questions = [], 0, Questions()
        owners: set[int] = set()
        tally = [0, 0, 0]
        for row, post in self._posts("checking", self.note):
            tally[0] += 1
            if post is None:
                continue
            if post.owner is not None:
                owners.add(post.owner)
            if post.parent:
                tally[2] += 1
                self._questions.answered(post.parent, post.id, post.score)
            else:
                tally[1] += 1
                self._questions.found(post.id, row.offset)
        self.settle(tally[1] + tally[2], "question and no answer")
        self._names = _names(self.users, owners) if self.users else {}
        known = self._questions
        self.counts = DumpCounts(tally[0], tally[1], tally[2], known.answered_count(), known.missing_count())

    def records(self) -> Iterator[Record]:
        """Yield every answer of the dump in file order, whatever its score, with its question."""
        self.prepare()
        with self.posts.open("rb") as file:
            lookup = QuestionLookup(file, self._questions)
            for row, post in self._posts("reading", lambda _line, _reason: None):
                if post is None:
                    continue
                if post.parent:
                    yield self._record(row, post, lookup.get(post.parent))
                else:
                    lookup.put(post.id, row.attributes)

    def _posts(self, phase: str, note: Callable[[int, str], None]) -> Iterator[tuple[Row, _Post | None]]:
        """Yield every row, with its checked fields when it is a sound question or answer."""
        self.phase, seen = phase, IdSet()
        for row in rows(self.posts, "posts", self.progress, self.options.longest, self.options.sample_bytes):
            kind = row.attributes.get("PostTypeId")
            if kind not in {_QUESTION, _ANSWER}:
                yield row, None
                continue
            try:
                post = _checked(row.attributes, kind, seen)
            except ValueError as error:
                note(row.line, str(error))
                yield row, None
            else:
                yield row, post

    def record_at(self, place: Place) -> Record:
        """Read one answer again, with its question."""
        return next(record for record in self.records() if record.place == place)

    def _record(self, row: Row, post: _Post, question: Attributes | None) -> Record:
        row_attributes = row.attributes
        answer = Message("assistant", row_attributes["Body"], "html")
        asked, part = self._prompt(post.parent, question)
        facts = question or {}
        return Record(
            site=self.site,
            external_id=str(post.id),
            title=facts.get("Title", ""),
            messages=(asked, answer) if asked else (answer,),
            language="en",
            score=post.score,
            is_top=self._questions.best(post.parent) == post.id,
            thread_id=str(post.parent),
            author=self._author(row_attributes, post.owner),
            author_url=licences.user_url(self.site, post.owner),
            url=licences.answer_url(self.site, post.id),
            licence=licences.stackexchange_licence(post.posted, row_attributes.get("ContentLicense")),
            posted_at=post.posted,
            line=row.line,
            place=Place(0, row.offset),
            extra=self._question_facts(post, facts, part),
        )

    def _prompt(self, question_id: int, question: Attributes | None) -> tuple[Message | None, str]:
        if question is None:
            return None, ""
        title, body = question.get("Title", "").strip(), question.get("Body", "")
        has_words = bool(re.sub(r"<[^>]*>", "", body).strip())
        if title and (self.prompt.takes_title(self.site, question_id) or not has_words):
            return Message("user", title), "title"
        return Message("user", body, "html"), "body"

    def _question_facts(self, post: _Post, facts: Attributes, part: str) -> dict[str, Any]:
        owner = _owner(facts)
        posted = facts.get("CreationDate")
        licence = posted and licences.stackexchange_licence(_date(posted), facts.get("ContentLicense"))
        return {
            "prompt": part,
            "question_url": licences.question_url(self.site, post.parent),
            "question_author": self._author(facts, owner),
            "question_author_url": licences.user_url(self.site, owner),
            "question_licence": licence,
            "accepted": facts.get("AcceptedAnswerId") == str(post.id),
            "tags": re.findall(r"[^<>|]+", facts.get("Tags", "")),
        }

    def _author(self, attributes: Attributes, owner: int | None) -> str | None:
        name = self._names.get(owner) if owner is not None else None
        return name or attributes.get("OwnerDisplayName") or None


def _checked(attributes: Attributes, kind: str, seen: IdSet) -> _Post:
    """Check one question or answer, and that its Id is new; ValueError says what is wrong with it."""
    if "Body" not in attributes:
        raise ValueError("the post has no Body")
    for name, longest in _LONGEST.items():
        if len(attributes.get(name, "")) > longest:
            raise ValueError(f"the post's {name} is longer than {longest} characters")
    post = _Post(
        id=_number(attributes, "Id"),
        parent=_number(attributes, "ParentId") if kind == _ANSWER else 0,
        score=_number(attributes, "Score", low=-_LARGEST_ID),
        posted=_date(attributes.get("CreationDate", "")),
        owner=_owner(attributes),
    )
    if not seen.add(post.id):
        raise ValueError(f"Id {post.id} stands in the dump twice")
    return post


def _number(attributes: Attributes, name: str, low: int = 1) -> int:
    value = attributes.get(name)
    if value is None:
        raise ValueError(f"the post has no {name}")
    number = int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else None
    if number is None or number < low:
        raise ValueError(f"the post's {name} is {value[:30]!r}, which is no such number")
    return number


def _owner(attributes: Attributes) -> int | None:
    value = attributes.get("OwnerUserId", "")
    return int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else None


def _date(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"the post's CreationDate is {value[:30]!r}, which is no date") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _names(users: Path, wanted: set[int]) -> dict[int, str]:
    """Read the display names of the wanted people from Users.xml."""
    out: dict[int, str] = {}
    for row in rows(users, "users"):
        name, number = row.attributes.get("DisplayName"), row.attributes.get("Id", "")
        if name and re.fullmatch(r"-?[0-9]{1,15}", number) and int(number) in wanted:
            out[int(number)] = name[:200]
    return out


def root_of(file: Sniffed) -> str:
    """The name of an XML file's root element, empty where there is none to see."""
    found = re.search(r"<([A-Za-z][\w-]*)", file.head) if file.kind == "xml" else None
    return found.group(1) if found else ""


_BESIDE = ("users",)


def _claim(files: Sequence[Sniffed]) -> list[list[Sniffed]]:
    """A dump's Posts.xml with what stands beside it; any other XML is read as one, and says what it holds instead."""
    xml = [file for file in files if file.kind == "xml"]
    posts = [file for file in xml if root_of(file) == "posts"]
    if len(posts) == 1:
        return [[posts[0], *(file for file in xml if root_of(file) in _BESIDE)]]
    return [[file] for file in posts or xml[:1]]


FORMAT = Format(
    "stackexchange",
    "Stack Exchange dump (Posts.xml)",
    _claim,
    StackExchangeReader,
    kinds=frozenset({"xml"}),
    rules="lima",
    noun="answer",
    needs_site=True,
)
