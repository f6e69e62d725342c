"""Questions that a site itself closed as copies of others: what a look for duplicates can be held against."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.duplicates.texts import Text
from app.projects.models import Split

# Of a whole site there are tens of thousands; so many tell as much.
MOST_LINKS = 2000


@dataclass(frozen=True)
class Link:
    """Two questions of one site by their threads; the site closed the first as a copy of the second."""

    site: str
    copy: str
    first: str


def linked(texts: Sequence[Text], links: Iterable[Link]) -> list[tuple[int, int]]:
    """The positions of a text of either question, left before right, each pair once: of the links whose both are there.

    Links with a test prompt are left out, as a score would tell how near it is.
    """
    return sorted(set(_pairs(texts, links)))[:MOST_LINKS]


def _pairs(texts: Sequence[Text], links: Iterable[Link]) -> Iterator[tuple[int, int]]:
    first: dict[tuple[str, str], int] = {}
    for position, text in enumerate(texts):
        if text.thread is not None and text.split != Split.TEST and text.prompt.strip():
            first.setdefault(text.thread, position)
    for link in links:
        one, other = first.get((link.site, link.copy)), first.get((link.site, link.first))
        if one is not None and other is not None and one != other:
            yield min(one, other), max(one, other)
