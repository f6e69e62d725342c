"""The top posts of a subreddit as a CSV: titles and texts without answers, in the columns of a list of 2013."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from app.sources.readers.base import Format, ReadOptions, each
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.containers import Item
from app.sources.readers.files import Sniffed
from app.sources.readers.reddit import SUBREDDITS, prompt_of, titles_only_of
from app.sources.readers.reddit_rows import Submission, checked
from app.sources.readers.rows import RowReader, Shape
from app.sources.records import Record

_COLUMNS = frozenset({"id", "title", "selftext", "permalink", "score", "over_18", "is_self", "subreddit_id"})
LICENCE = "PDDL 1.0 (the collection)"
"""What the collection of these lists says of itself; the posts belong to those who wrote them."""


class TopPostsReader(RowReader):
    """Reads such lists; `settings["titles_only"]` is that of a dump."""

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take lists. Raises BadInput (422) where the setting is no list of names."""
        super().__init__(files, options, SHAPE)
        titles_only_of(options)

    def _record(self, number: int, item: Item) -> Record:
        found = super()._record(number, item)
        # Rows go by their own ids; Reddit's say with their first letters that they are posts and not comments.
        return replace(found, external_id=f"t3_{found.thread_id}")


def _is_post(row: Row) -> bool:
    return row.keys() >= _COLUMNS and "author" not in row


def _read(item: Item, options: ReadOptions) -> Record:
    row = item.value
    path = re.search(r"/r/([\w-]+)/.*", str(row.get("permalink")))
    if path is None:
        raise BadRow("permalink names no subreddit")
    post = checked({**row, "subreddit": path.group(1), "permalink": path.group()})
    if not isinstance(post, Submission):
        raise BadRow("the row is no post")
    title_only = post.facts.subreddit.casefold() in titles_only_of(options)
    found = prompt_of(post, options, title_only)
    return replace(found, line=item.line, licence=options.licence or LICENCE)


SHAPE = Shape("reddit_csv", "Reddit top posts (CSV)", _is_post, _read, "lima-reddit")

FORMAT = Format(
    SHAPE.name,
    SHAPE.title,
    each(SHAPE.claims),
    TopPostsReader,
    kinds=frozenset({"csv", "tsv"}),
    rules="lima-reddit",
    noun="post",
    settings=(SUBREDDITS,),
)
