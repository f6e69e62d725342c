"""A Stack Exchange dump as records: one an answer, in file order, in bounded memory.

Posts.xml is read once. The pass checks every row and keeps numbers only: where each question and answer begins,
which answer is best. The records then come from these numbers, and read their words again from their places when
a rule or a page asks for them; memory grows by some 200 bytes a question and not by its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.sources.exchanges import site_host
from app.sources.readers.base import Format, Reader, ReadOptions
from app.sources.readers.dialogues import Comments, dialogue_of
from app.sources.readers.files import Sniffed
from app.sources.readers.posts import ANSWER, LOWEST, QUESTION, AnswerRecord, Dump, check, number
from app.sources.readers.question_index import Answer, IdSet, Names, RecentRows, Threads
from app.sources.readers.settings import Switch
from app.sources.readers.votes import check_scores
from app.sources.readers.xml_rows import Row, RowFile, rows
from app.sources.records import BadInput, Place, Record

_DUPLICATE = "3"
_TELL_EVERY = 256


@dataclass(frozen=True)
class DumpCounts:
    """What the pass saw."""

    rows: int
    questions: int
    answers: int
    questions_with_answer: int
    missing_questions: int


class StackExchangeReader(Reader):
    """Reads one dump: Posts.xml, and beside it names, duplicates and, with the setting `dialogues`, comments."""

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
        self._of = {root_of(file): number for number, file in reversed(list(enumerate(files)))}
        self._member = self._of.get("posts", 0)
        self.posts = files[self._member].path
        self.total_bytes = self.posts.stat().st_size
        self.phase = "checking"
        self.counts: DumpCounts | None = None
        self._threads = Threads()
        self._ended = 0
        file = RowFile(self.posts)
        self._dump = Dump(self.site, options.prompt, file, RecentRows(file), self._names())
        self._with_dialogues = DIALOGUES.of(options.settings)

    def prepare(self) -> None:
        """Read the whole dump once and check it.

        Raises BadInput for a file that is no dump or breaks off, BadLines for rows with faults unless they
        are to be skipped; nothing needs to have been written by then.
        """
        if self.counts is not None:
            return
        self.errors, self.error_count, self._threads = [], 0, Threads()
        self.phase = "checking"
        tally = self._pass()
        self._ended = self.bytes_read
        self.settle(tally[1] + tally[2], "question and no answer")
        known = self._threads
        if self._dump.names is not None:
            self._dump.names.learn()
        self.known_duplicates = tuple(self._duplicates())
        self.notes = tuple(self._checked_scores())
        self.counts = DumpCounts(*tally, known.answered_count(), known.missing_count())

    def _pass(self) -> tuple[int, int, int]:
        """Check every row and note its numbers; count rows, questions and answers."""
        take, seen, counted = self._taker(), IdSet(), {QUESTION: 0, ANSWER: 0}
        total = 0
        options = self.options
        for row in rows(self.posts, "posts", self.progress, options.longest, options.sample_bytes, self.note):
            total += 1
            kind = row.attributes.get("PostTypeId")
            if kind not in counted:
                continue
            try:
                take(row, kind, seen)
            except ValueError as error:
                self.note(row.line, str(error), self.files[self._member])
            else:
                counted[kind] += 1
        return total, counted[QUESTION], counted[ANSWER]

    def _taker(self) -> Callable[[Row, str, IdSet], None]:
        """What checks one question or answer and notes its numbers. It raises ValueError, which says what is wrong."""
        asked, answered = self._threads.asked, self._threads.answered

        def take(row: Row, kind: str, seen: IdSet) -> None:
            attributes = row.attributes
            check(attributes)
            post = number(attributes, "Id")
            parent = number(attributes, "ParentId") if kind == ANSWER else 0
            score = number(attributes, "Score", LOWEST)
            if not seen.add(post):
                raise ValueError(f"Id {post} stands in the dump twice")
            if kind == ANSWER:
                answered(parent, post, score, row.offset, row.line)
            else:
                asked(post, row.offset, score)

        return take

    def records(self) -> Iterator[Record]:
        """Yield every answer of the dump in file order, whatever its score; then the dialogues, if they are wanted."""
        self.prepare()
        self.phase = "reading"
        with self._dump.posts.kept_open():
            for index, answer in enumerate(self._threads.answers()):
                if not index % _TELL_EVERY:
                    self.progress(answer.offset)
                yield AnswerRecord(self._dump, answer, self._place(answer))
            if self._with_dialogues and "comments" in self._of:
                yield from self._dialogues()
        self.progress(self._ended)

    def _place(self, answer: Answer) -> Place:
        # The last bit says whether the answer is the best of its question, which no single row tells.
        return Place(self._member, answer.offset, answer.asked_at * 2 + answer.is_top)

    def record_at(self, place: Place) -> Record:
        """Read one answer or dialogue again, with its question; its `line` is not known then, and 0."""
        beside = -2 if place.beside is None else place.beside
        row = self._dump.posts.row_at(place.position)
        try:
            ids = number(row, "Id"), number(row, "ParentId"), number(row, "Score", LOWEST)
        except ValueError as error:
            raise BadInput("the file changed while it was read") from error
        answer = Answer(*ids, place.position, 0, bool(beside & 1), beside >> 1)
        if place.member == self._member:
            return AnswerRecord(self._dump, answer, place)
        found = self._dialogue(answer, self._comments([answer])) if "comments" in self._of else None
        if found is None:
            raise BadInput("the file changed while it was read")
        return found

    def _dialogues(self) -> Iterator[Record]:
        answers = [answer for answer in self._threads.answers() if answer.asked_at >= 0]
        comments = self._comments(answers)
        for answer in answers:
            found = self._dialogue(answer, comments)
            if found is not None:
                yield found

    def _comments(self, answers: Sequence[Answer]) -> Comments:
        path = self.files[self._of["comments"]].path
        return Comments(path, {answer.id for answer in answers}, self.options.longest, self.options.sample_bytes)

    def _dialogue(self, answer: Answer, comments: Comments) -> Record | None:
        place = Place(self._of["comments"], answer.offset, answer.asked_at * 2 + answer.is_top)
        record = AnswerRecord(self._dump, answer, self._place(answer))
        return dialogue_of(record, comments.of(answer.id), place)

    def _names(self) -> Names | None:
        if "users" not in self._of:
            return None
        return Names(self.files[self._of["users"]].path, self.options.sample_bytes)

    def _checked_scores(self) -> Iterator[str]:
        # The beginning of the votes says nothing about the sum of all.
        if "votes" in self._of and self.options.sample_bytes is None:
            path = self.files[self._of["votes"]].path
            yield check_scores(path, self._threads.scores, self._tell("counting votes of", path.stat().st_size))

    def _tell(self, phase: str, total: int) -> Callable[[int], None] | None:
        tell = self.options.on_progress
        return None if tell is None else lambda done: tell(phase, done, total)

    def _duplicates(self) -> Iterator[tuple[int, int]]:
        """The links of kind 3, closed as a copy, whose both questions are in the dump."""
        if "postlinks" not in self._of:
            return
        for row in rows(self.files[self._of["postlinks"]].path, "postlinks", most=self.options.sample_bytes):
            if row.attributes.get("LinkTypeId") == _DUPLICATE:
                pair = tuple(row.attributes.get(name, "") for name in ("PostId", "RelatedPostId"))
                copy, first = (int(value) if re.fullmatch("[0-9]{1,15}", value) else 0 for value in pair)
                if self._threads.asked_at(copy) >= 0 and self._threads.asked_at(first) >= 0:
                    yield copy, first


def root_of(file: Sniffed) -> str:
    """The name of an XML file's root element, empty where there is none to see."""
    found = re.search(r"<([A-Za-z][\w-]*)", file.head) if file.kind == "xml" else None
    return found.group(1) if found else ""


def names_authors(files: Sequence[Sniffed]) -> bool:
    """Whether the people of a dump are named: Posts.xml has their numbers only."""
    return any(root_of(file) == "users" for file in files)


DIALOGUES = Switch(
    "dialogues",
    "Comment threads as dialogues",
    "What asker and answerer say to each other below an answer, each a record of its own.",
    needs=lambda files: any(root_of(file) == "comments" for file in files),
    missing="There is no Comments.xml beside these posts.",
)

# What is read of a dump beside its posts, and what is known and not needed: tags stand in the posts, scores too.
_BESIDE = ("users", "comments", "postlinks", "votes", "tags")


def _claim(files: Sequence[Sniffed]) -> list[list[Sniffed]]:
    """Each Posts.xml with what is in its folder; any other XML is read as a dump, and says what it holds instead.

    A picture beside data is no dump.
    """
    xml = [file for file in files if file.kind == "xml" and root_of(file) != "svg"]
    posts = [file for file in xml if root_of(file) == "posts"]
    beside = [file for file in xml if root_of(file) in _BESIDE]
    dumps = [[one, *(file for file in beside if _folder(file) == _folder(one))] for one in posts]
    return dumps or [[file] for file in xml[:1]]


def _folder(file: Sniffed) -> PurePosixPath:
    return PurePosixPath(file.name).parent


FORMAT = Format(
    "stackexchange",
    "Stack Exchange dump (Posts.xml)",
    _claim,
    StackExchangeReader,
    kinds=frozenset({"xml"}),
    rules="lima",
    noun="answer",
    needs_site=True,
    settings=(DIALOGUES,),
)
