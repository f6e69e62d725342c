"""Comment threads below an answer as dialogues: LIMA's source of several turns.

The asker is the user, who answered is the assistant, anybody else is left out. What one of them says in a row is
one turn. A dialogue begins with the question and the answer, goes on at least once more from each side, and ends
with the assistant: words of the asker that nobody answered are no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from app.sources import licences
from app.sources.readers.posts import AnswerRecord, moment, owner_of
from app.sources.readers.xml_rows import LARGEST_ROW, Attributes, RowFile, rows
from app.sources.records import Message, Place, Record, Role
from app.sources.weblinks import ADDRESS, host_of, may_hold_address

FEWEST_TURNS = 4
# A comment begins with the name of whom it calls, which is no part of what is said to them.
_CALL = re.compile(r"@[^\W_][\w.’'-]{1,40}[:,]?(?:\s+|\Z)")
_CODE = r"`+[^`]*`+"
_LINK = r"\[([^\[\]]{1,400})\]\(https?://(?:[^\s()]|\([^\s()]*\))+(?:\s\"[^\"\n]*\")?\)"
_CODE_OR_LINK = re.compile(f"{_CODE}|{_LINK}")
_CODE_OR_ADDRESS = re.compile(f"{_CODE}|(?P<address>{ADDRESS})", re.IGNORECASE)


class Comment(NamedTuple):
    """One comment: by whom, when, in which words."""

    id: int
    by: int
    posted: datetime
    text: str


class Comments:
    """The comments on some posts, by their places in Comments.xml: numbers only, the words are read when asked for."""

    def __init__(self, path: Path, posts: set[int], longest: int = LARGEST_ROW, most: int | None = None) -> None:
        """Read the file once, or its first `most` bytes. Raises BadInput (422) where it is broken."""
        self._file = RowFile(path)
        self._offsets: dict[int, list[int]] = {}
        for row in rows(path, "comments", longest=longest, most=most):
            post = row.attributes.get("PostId", "")
            if post.isdecimal() and int(post) in posts:
                self._offsets.setdefault(int(post), []).append(row.offset)

    def of(self, post: int) -> Sequence[Comment]:
        """Give the sound comments on a post, the oldest first; those of people who have left have no author."""
        offsets = self._offsets.get(post, ())
        if not offsets:
            return ()
        with self._file.kept_open():
            found = [comment for offset in offsets if (comment := _comment(self._file.row_at(offset)))]
        return sorted(found, key=lambda comment: (comment.posted, comment.id))


def _comment(row: Attributes) -> Comment | None:
    by, number, text = owner_of(row, "UserId"), owner_of(row, "Id"), _said(row.get("Text", ""))
    try:
        posted = moment(row.get("CreationDate", ""))
    except ValueError:
        return None
    return Comment(number, by, posted, text) if by is not None and number is not None and text else None


def _said(text: str) -> str:
    """A comment's words without the call; of links and addresses there stays what stays of those of answers."""
    words = _CALL.sub("", text.strip(), count=1) if text.lstrip().startswith("@") else text.strip()
    if not may_hold_address(words):
        return words
    words = _CODE_OR_LINK.sub(lambda found: found[1] or found[0], words)
    return _CODE_OR_ADDRESS.sub(lambda found: host_of(found[0]) if found["address"] else found[0], words)


def dialogue_of(answer: AnswerRecord, comments: Sequence[Comment], place: Place) -> Record | None:
    """Make a dialogue of an answer and its comments, None where the two do not talk to each other."""
    roles = _roles(answer) if comments else None
    spoken = [comment for comment in comments if roles and comment.by in roles]
    if roles is None or not spoken:
        return None
    turns = list(_turns(answer, [(roles[comment.by], comment.text) for comment in spoken]))
    if turns and turns[-1].role == "user":
        turns.pop()
    if len(turns) < FEWEST_TURNS:
        return None
    return _record(answer, tuple(turns), spoken, place)


def _roles(answer: AnswerRecord) -> dict[int, Role] | None:
    """Who speaks as whom; None where the asker answered, has left, or is not in the dump."""
    asker, answerer = answer.asker, answer.answerer
    if asker is None or answerer is None or asker == answerer:
        return None
    return {asker: "user", answerer: "assistant"}


def _turns(answer: AnswerRecord, said: Sequence[tuple[Role, str]]) -> Iterator[Message]:
    spoken = [*((message.role, message.content) for message in answer.messages), *said]
    for role, run in groupby(spoken, key=lambda one: one[0]):
        yield Message(role, "\n\n".join(text for _, text in run))


def _record(answer: AnswerRecord, turns: tuple[Message, ...], spoken: Sequence[Comment], place: Place) -> Record:
    # Words of several days may stand under several licences: the dialogue names that of its last words.
    last = max(answer.posted_at, *(comment.posted for comment in spoken))
    return Record(
        site=answer.site,
        external_id=f"{answer.external_id}#comments",
        title=answer.title,
        messages=turns,
        language=answer.language,
        score=answer.score,
        thread_id=answer.thread_id,
        author=answer.author,
        author_url=answer.author_url,
        url=answer.url,
        licence=licences.stackexchange_licence(last),
        posted_at=answer.posted_at,
        line=answer.line,
        place=place,
        extra={
            **answer.extra,
            "dialogue": True,
            "turns": len(turns),
            "answer_licence": answer.licence,
            "comments": [comment.id for comment in spoken],
        },
    )
