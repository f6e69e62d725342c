"""Reddit's ways of writing: escaped signs, bracket tags, posts that are gone, and whose words are whose."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

SITE = "reddit.com"
TITLES_ONLY = ("AskReddit",)
"""Subreddits whose titles are prompts of the test split and whose comments are not read, as LIMA has it."""

SOURCES = {"askreddit": "askreddit", "writingprompts": "writingprompts"}
"""Subreddit in small letters -> its row of LIMA's composition."""

_TAG = r"[\[{]\s*([^\[\]{}]{1,24}?)\s*[\]}]"
_LEADING, _TRAILING = re.compile(rf"\A\s*{_TAG}\s*[:-]?\s*"), re.compile(rf"\s*{_TAG}\s*(?=[?.!]?\s*\Z)")
_GONE = {"[deleted]": "deleted", "[removed]": "removed", "[deleted by user]": "deleted"}


def plain(text: str) -> str:
    """A post as its author typed it: Reddit escapes three signs, and its forms end lines with CR LF."""
    text = text.replace("\r\n", "\n")
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return text.strip()


def untagged(title: str) -> tuple[str, list[str]]:
    """A title without the bracket tags at its ends, and those: [WP], [Serious]; a title of tags alone stays."""
    rest, tags = title.strip(), []
    for pattern in (_LEADING, _TRAILING):
        while (found := pattern.search(rest)) and (shorter := pattern.sub("", rest, count=1).strip()):
            rest = shorter
            tags.append(found.group(1))
    return rest, tags


def gone(text: str) -> str | None:
    """How a post went: `deleted` by its author, `removed` by a moderator; None while it is there."""
    return _GONE.get(text.strip())


def asked(title: str, text: str) -> str:
    """The prompt that a post makes: its title, and below it what it says; an empty or lost text adds nothing."""
    more = "" if gone(text) else text.strip()
    # Many posts say "." where the form asked for a text.
    return f"{title}\n\n{more}" if re.search(r"\w", more) else title


def is_set(value: Any) -> bool:
    """Whether a switch of a dump is on: true, or the word for it in a CSV."""
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "1"})


def author_of(name: Any) -> str | None:
    """The name of a writer who is still known."""
    known = isinstance(name, str) and name.strip() and name not in _GONE
    return name.strip() if known else None


def author_url(author: str | None) -> str | None:
    """The page of a writer."""
    return f"https://www.reddit.com/user/{author}" if author and re.fullmatch(r"[\w-]{1,40}", author) else None


def posted(seconds: int | None) -> datetime | None:
    """The time of a post, in UTC; None for what is no such time."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (OverflowError, OSError, ValueError):
        return None


def source_of(subreddit: str) -> str | None:
    """The row of LIMA's composition that a subreddit counts towards."""
    return SOURCES.get(subreddit.casefold())
