"""Rows of a Reddit dump, checked: submissions and comments with the fields that are used of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.sources.readers import reddit_text as text
from app.sources.readers.chat_rows import BadRow, Row
from app.text.wellformed import first_fault

# What the database's columns take, so that both databases refuse alike.
_LONGEST_AUTHOR = 200
_LARGEST_SCORE = 1 << 31


@dataclass(frozen=True, slots=True)
class Facts:
    """What submissions and comments say alike."""

    subreddit: str
    author: str | None
    score: int | None
    created: int | None
    over_18: bool
    pinned: bool
    permalink: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """The checked fields of a submission; `title` is without its tags."""

    number: int
    title: str
    tags: list[str]
    body: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Comment:
    """The checked fields of a comment; `post` is the number of its submission."""

    number: int
    post: int
    is_reply: bool
    body: str
    facts: Facts

    @property
    def barred(self) -> str | None:
        """Why it cannot be the best answer, None if it can: one to the submission, not pinned, and still there."""
        if self.is_reply:
            return "it replies to another comment and not to the post"
        if self.facts.pinned:
            return "it is pinned by a moderator, so it does not compete"
        return "its words are gone, so it does not compete" if text.gone(self.body) else None


def is_comment(row: Row) -> bool:
    """Whether a row is a comment."""
    return "body" in row and "link_id" in row and "parent_id" in row


def is_submission(row: Row) -> bool:
    """Whether a row is a submission."""
    return "title" in row and "subreddit" in row and bool({"selftext", "is_self", "num_comments"} & row.keys())


def checked(row: Row) -> Submission | Comment:
    """Check a row. Raises BadRow with a sentence part."""
    if is_comment(row):
        post = _number(row, "link_id", "t3_")
        is_reply = str(row["parent_id"]) != str(row["link_id"])
        return Comment(_number(row, "id", "t1_"), post, is_reply, text.plain(_string(row, "body")), _facts(row))
    if not is_submission(row):
        raise BadRow("the row is neither a submission (title, subreddit) nor a comment (body, link_id, parent_id)")
    title, tags = text.untagged(text.plain(" ".join(_string(row, "title").split())))
    if not title:
        raise BadRow("the title is empty")
    body = text.plain(_string(row, "selftext") if row.get("selftext") else "")
    return Submission(_number(row, "id", "t3_"), title, tags, body, _facts(row))


def _facts(row: Row) -> Facts:
    author = text.author_of(row.get("author"))
    if author and len(author) > _LONGEST_AUTHOR:
        raise BadRow(f"author is longer than {_LONGEST_AUTHOR} characters")
    permalink = row.get("permalink")
    return Facts(
        subreddit=_string(row, "subreddit") if row.get("subreddit") else "",
        author=author,
        score=_integer(row, "score", _LARGEST_SCORE),
        created=_integer(row, "created_utc", 1 << 53),
        over_18=text.is_set(row.get("over_18")),
        pinned=text.is_set(row.get("stickied")) or row.get("distinguished") == "moderator",
        permalink=permalink if isinstance(permalink, str) and permalink.startswith("/r/") else None,
    )


def _string(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise BadRow(f"{name} is missing or not a string")
    if fault := first_fault(value):
        raise BadRow(f"{name} holds {fault}, which cannot be stored")
    return value


def _integer(row: Row, name: str, below: int) -> int | None:
    """A whole number, which some dumps write as a string or with a point; None where there is none."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str | float) and re.fullmatch(r"-?[0-9]{1,15}(?:\.[0-9]*)?", str(value)):
        value = int(float(value))
    if type(value) is not int or not -below < value < below:
        raise BadRow(f"{name} is {str(value)[:30]!r}, which is no such number")
    return value


def _number(row: Row, name: str, kind: str) -> int:
    """An id as the number that it is in base 36."""
    value = str(row.get(name, "")).removeprefix(kind).lower()
    if not re.fullmatch(r"[0-9a-z]{1,12}", value):
        raise BadRow(f"{name} is {str(row.get(name))[:30]!r}, which is no id of Reddit's")
    return int(value, 36)


def base36(number: int) -> str:
    """A number as Reddit writes its ids."""
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
