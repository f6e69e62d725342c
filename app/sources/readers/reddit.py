"""Reddit as Pushshift gives it: submissions and comments, a JSON object a line.

A record is a comment with its submission as the question; a dump of submissions alone gives prompts. All files are
read twice: the first pass checks every row and learns where each submission stands and which comment is its
best; the second yields. A submission's words are read again from their place, so that memory grows by some 200 bytes
a thread and not by its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from app.sources.readers import reddit_text as text
from app.sources.readers.base import Format, Reader, ReadOptions, together
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.containers import Item, first_items, item_at, items_of
from app.sources.readers.files import Sniffed
from app.sources.readers.question_index import IdSet
from app.sources.readers.reddit_rows import Comment, Facts, Submission, base36, checked, is_comment, is_submission
from app.sources.readers.reddit_threads import NO_SCORE, Threads
from app.sources.readers.settings import Setting
from app.sources.records import BadInput, Message, Place, Record

# A place in one of several files as one number: the file's above the byte's.
_FILE = 1 << 48
SUBREDDITS = Setting(
    "titles_only",
    "Subreddits for the test split",
    "One a line. Their titles become prompts, their comments are not read.",
    "subreddits",
    text.TITLES_ONLY,
)
_REMEMBERED = 2000


@dataclass
class _Seen:
    """What the first pass learned."""

    threads: Threads = field(default_factory=Threads)
    submissions: IdSet = field(default_factory=IdSet)
    comments: IdSet = field(default_factory=IdSet)
    # Files with a row that becomes a record: the others are not read twice.
    wanted: set[int] = field(default_factory=set)
    posts: int = 0
    answers: int = 0


class RedditReader(Reader):
    """Reads submissions, comments, or both; `settings["titles_only"]` names subreddits without answers."""

    format = "reddit"

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take the files of one dump. Raises BadInput (422) where the setting is no list of names."""
        super().__init__(files, options)
        self.site = options.site or text.SITE
        self.titles_only = titles_only_of(options)
        self._seen: _Seen | None = None

    def prepare(self) -> None:
        """Read everything once and check it. Raises BadLines (422) for rows with faults, unless they are left out."""
        if self._seen is not None:
            return
        self.errors, self.error_count, seen = [], 0, _Seen()
        titles: set[int] = set()
        for member, item, row in self._rows("checking", range(len(self.files)), self.note):
            try:
                self._learn(seen, titles, member, item, checked(row))
            except BadRow as error:
                self.note(item.line, str(error), self.files[member])
        if not seen.answers:
            seen.wanted = set(range(len(self.files)))
        seen.wanted |= titles
        self.settle(seen.posts + seen.answers, "submission and no comment")
        self._seen = seen

    def _learn(self, seen: _Seen, titles: set[int], member: int, item: Item, post: Submission | Comment) -> None:
        ids = seen.submissions if isinstance(post, Submission) else seen.comments
        if not ids.add(post.number):
            raise BadRow(f"the id {base36(post.number)} stands in the dump twice")
        if isinstance(post, Submission):
            seen.posts += 1
            seen.threads.found(post.number, member * _FILE + item.position)
            if self._is_title(post):
                titles.add(member)
            return
        seen.answers += 1
        seen.wanted.add(member)
        if post.barred is None:
            score = NO_SCORE if post.facts.score is None else post.facts.score
            seen.threads.answered(post.post, post.number, score, post.facts.created or 0)

    def records(self) -> Iterator[Record]:
        """Yield the comments in file order, with their submissions; submissions where there is no comment."""
        self.prepare()
        assert self._seen is not None
        lookup = lru_cache(maxsize=_REMEMBERED)(self._submission)
        for member, item, post in self._again(self._seen):
            if isinstance(post, Submission):
                if self._is_title(post) or not self._seen.answers:
                    yield self._prompt(post, item.line, Place(member, item.position))
                continue
            beside = self._seen.threads.place(post.post)
            asked = lookup(beside) if beside >= 0 else None
            if asked is None or not self._is_title(asked):
                place = Place(member, item.position, None if asked is None else beside)
                yield self._answer(post, asked, item.line, place)

    def _again(self, seen: _Seen) -> Iterator[tuple[int, Item, Submission | Comment]]:
        """Yield the sound rows of the files that hold records; what is wrong with the others was noted before."""
        ids = {Submission: IdSet(), Comment: IdSet()}
        for member, item, row in self._rows("reading", sorted(seen.wanted), None):
            try:
                post = checked(row)
            except BadRow:
                continue
            if ids[type(post)].add(post.number):
                yield member, item, post

    def record_at(self, place: Place) -> Record:
        """Read one record again, with its submission; whether it is the best is known after `prepare` alone."""
        item = item_at(self.files[place.member], place.position, self.options.longest)
        try:
            post = checked(_object(item))
        except BadRow as error:
            raise BadInput(f"{self.files[place.member].name} changed since it was imported: {error}") from None
        if isinstance(post, Submission):
            return self._prompt(post, item.line, place)
        asked = None if place.beside is None else self._submission(place.beside)
        return self._answer(post, asked, item.line, place)

    def _rows(
        self, phase: str, members: Sequence[int], note: Callable[[int, str, Sniffed], None] | None
    ) -> Iterator[tuple[int, Item, Row]]:
        """Yield the objects of these files; of a sample each file's beginning."""
        self.phase, self.bytes_read, done = phase, 0, 0
        for member in members:
            file, end = self.files[member], 0
            for item in items_of(file, self.options.longest):
                end = item.end
                self.progress(done + end)
                try:
                    yield member, item, _object(item)
                except BadRow as error:
                    if note is not None:
                        note(item.line, str(error), file)
                if self.options.sample_bytes is not None and end >= self.options.sample_bytes:
                    break
            done += end
        if self.options.sample_bytes is None:
            self.progress(self.total_bytes)

    def _submission(self, place: int) -> Submission:
        """Read a submission again from its place."""
        member, position = divmod(place, _FILE)
        item = item_at(self.files[member], position, self.options.longest)
        try:
            found = checked(_object(item))
        except BadRow as error:
            raise BadInput(f"{self.files[member].name} changed since it was imported: {error}") from None
        if not isinstance(found, Submission):
            raise BadInput(f"{self.files[member].name} changed since it was imported")
        return found

    def _is_title(self, post: Submission) -> bool:
        return post.facts.subreddit.casefold() in self.titles_only

    def _prompt(self, post: Submission, line: int, place: Place) -> Record:
        found = prompt_of(post, self.options, self._is_title(post))
        return replace(found, site=self.site, line=line, place=place)

    def _answer(self, post: Comment, asked: Submission | None, line: int, place: Place) -> Record:
        """A comment with its submission, or alone where the dump lacks it."""
        answer = Message("assistant", post.body)
        return Record(
            site=self.site,
            external_id=f"t1_{base36(post.number)}",
            title=asked.title if asked else "",
            messages=(Message("user", text.asked(asked.title, asked.body)), answer) if asked else (answer,),
            source=text.source_of(post.facts.subreddit),
            language="en",
            score=post.facts.score,
            is_top=self._seen.threads.best(post.post) == post.number if self._seen else None,
            barred=post.barred,
            thread_id=base36(post.post),
            author=post.facts.author,
            author_url=text.author_url(post.facts.author),
            url=_address(post.post, post.facts.permalink, post.number),
            licence=self.options.licence,
            posted_at=text.posted(post.facts.created),
            line=line,
            place=place,
            extra=_around(post, asked),
        )


def prompt_of(post: Submission, options: ReadOptions, title_only: bool) -> Record:
    """A submission as a prompt without an answer; by its title alone it is one of the test split."""
    words = post.title if title_only else text.asked(post.title, post.body)
    return Record(
        site=options.site or text.SITE,
        external_id=f"t3_{base36(post.number)}",
        title=post.title,
        messages=(Message("user", words),),
        split="test" if title_only else None,
        source=text.source_of(post.facts.subreddit),
        language="en",
        score=post.facts.score,
        thread_id=base36(post.number),
        author=post.facts.author,
        author_url=text.author_url(post.facts.author),
        url=_address(post.number, post.facts.permalink),
        licence=options.licence,
        posted_at=text.posted(post.facts.created),
        extra=_about(post.facts, text.gone(post.body)) | _tags(post),
    )


def titles_only_of(options: ReadOptions) -> frozenset[str]:
    """The subreddits that give titles alone, in small letters. Raises BadInput (422)."""
    return frozenset(name.removeprefix("r/").casefold() for name in SUBREDDITS.of(options.settings))


def _object(item: Item) -> Row:
    if item.fault is not None:
        raise BadRow(item.fault)
    if not isinstance(item.value, dict):
        raise BadRow("the row is not a JSON object")
    found: Row = item.value
    return found


def _address(post: int, permalink: str | None, comment: int | None = None) -> str:
    if permalink is not None:
        return f"https://www.reddit.com{permalink}"
    below = f"_/{base36(comment)}/" if comment is not None else ""
    return f"https://www.reddit.com/comments/{base36(post)}/{below}"


def _about(facts: Facts, removed: str | None) -> dict[str, Any]:
    # The rules that drop by the last two look for them, whatever they say.
    extra: dict[str, Any] = {"subreddit": facts.subreddit, "over_18": facts.over_18, "removed": removed}
    if facts.pinned:
        extra["pinned"] = True
    return extra


def _tags(post: Submission) -> dict[str, Any]:
    return {"tags": post.tags} if post.tags else {}


def _around(post: Comment, asked: Submission | None) -> dict[str, Any]:
    """What else is known of a comment, and of its submission: what is wrong with either is wrong with both."""
    extra = _about(post.facts, text.gone(post.body) or (text.gone(asked.body) if asked else None))
    if post.is_reply:
        extra["reply"] = True
    if asked is None:
        return extra
    author = asked.facts.author
    return {
        **extra,
        **_tags(asked),
        "over_18": post.facts.over_18 or asked.facts.over_18,
        "question_url": _address(asked.number, asked.facts.permalink),
        "question_author": author,
        "question_author_url": text.author_url(author),
        "question_score": asked.facts.score,
    }


def _is_dump(file: Sniffed) -> bool:
    """Whether the first row that has any form is a submission or a comment, among the first hundred."""
    if file.kind != "lines":
        return False
    rows = (item.value for item in first_items(file) if isinstance(item.value, dict))
    return any(is_comment(row) or is_submission(row) for row in rows)


FORMAT = Format(
    "reddit",
    "Reddit dump (Pushshift submissions, comments)",
    together(_is_dump),
    RedditReader,
    kinds=frozenset({"lines"}),
    rules="lima-reddit",
    noun="comment",
    settings=(SUBREDDITS,),
)
