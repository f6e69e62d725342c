"""The votes of a dump against its scores: a score that its votes do not make may have been changed or cut."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from app.sources.readers.xml_rows import rows
from app.sources.records import BadInput

# What a vote of these kinds does to a score; the others, such as favourites and bounties, do nothing to it.
_WORTH = {"2": 1, "3": -1}
_NAMED = 3


class Tally:
    """Votes of posts, up less down: 12 bytes a post, whatever the number of votes."""

    def __init__(self, posts: Iterable[int]) -> None:
        """Take the posts' Ids, in any order."""
        ids = array("q", posts)
        in_order = all(here < there for here, there in pairwise(ids))
        self._ids = ids if in_order else array("q", sorted(ids))
        self._sums = array("i", bytes(4 * len(ids)))

    def count(self, path: Path, tell: Callable[[int], None] | None = None) -> None:
        """Add a file's votes; those of posts that are not there are passed over.

        Raises BadInput (422) for a file that is broken or cut off.
        """
        ids, sums, last = self._ids, self._sums, len(self._ids)
        for row in rows(path, "votes", tell):
            worth, post = _WORTH.get(row.attributes.get("VoteTypeId", ""), 0), row.attributes.get("PostId", "")
            if not worth or not (post.isascii() and post.isdecimal() and len(post) < 16):
                continue
            index = bisect_left(ids, int(post))
            if index < last and ids[index] == int(post):
                sums[index] += worth

    def of(self, post: int) -> int:
        """What the votes of a post make."""
        return self._sums[bisect_left(self._ids, post)]


def check_scores(
    path: Path, scores: Callable[[], Iterable[tuple[int, int]]], tell: Callable[[int], None] | None = None
) -> str:
    """Say whether the votes of a dump make the scores of its posts; `scores` gives each Id with its score.

    Nothing depends on it, so a file that cannot be read is said, too, and stops nothing.
    """
    tally = Tally(post for post, _ in scores())
    try:
        tally.count(path, tell)
    except BadInput as fault:
        return f"Votes.xml could not be compared with the scores: {fault.reason}."
    apart, total = 0, 0
    named: list[str] = []
    for post, score in scores():
        total += 1
        votes = tally.of(post)
        if votes != score:
            apart += 1
            named += [f"{post} ({score:,} against {votes:,})"] if len(named) < _NAMED else []
    if not apart:
        return f"The votes in Votes.xml make the scores of all {total:,} posts."
    examples = f", such as {'; '.join(named)}" if named else ""
    return (
        f"The scores of {apart:,} of {total:,} posts are not what Votes.xml makes, up less down{examples}. "
        "Nothing was dropped for it; the rules go by the score that the post states."
    )
