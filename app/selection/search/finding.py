"""What the pool is searched by: words, meaning or both, with more and less like some of it; one order, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.selection import queries
from app.selection.queries import By, Order, PoolFilter
from app.selection.search.meaning import LEAST_COSINE, Means, Scores, means_of, point_of, scores
from app.sources.models import Candidate
from app.text.search import parse, sentence
from app.web.paging import Pager

# So many of each way are ranked; nobody reads further, and a page costs the same however large the pool is.
MOST = 1000
# Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009).
RANKS = 60


@dataclass(frozen=True)
class Hits:
    """What fits. `ids` are in order, the best first; None where `query` alone says what fits and in which order.

    `worded` are those of them that have every word, `words` how many there are in all; `more` and `less` what is
    wanted more and less of, as far as it is there. Where meaning was asked for and could not answer, words have, and
    `reason` says why, unless it is `under_way`.
    """

    query: Select[Candidate]
    more: Sequence[Candidate] = ()
    less: Sequence[Candidate] = ()
    ids: Sequence[int] | None = None
    worded: frozenset[int] = frozenset()
    words: int = 0
    scores: Scores | None = None
    means: Means | None = None

    @property
    def under_way(self) -> bool:
        """Whether meaning will answer in a moment."""
        return self.means is not None and self.means.under_way

    @property
    def reason(self) -> str:
        """Why meaning does not answer, if it was asked and cannot."""
        if self.means is None or self.means.encoded or self.under_way:
            return ""
        return self.means.reason or "No candidate is encoded yet."

    @property
    def meant(self) -> int:
        """How many of what is listed were found by meaning alone."""
        return len(self.ids or ()) - len(self.worded)


@dataclass(frozen=True)
class Page:
    """One page of hits; `cosines` by number of those that have a vector, where meaning was asked."""

    hits: Hits
    candidates: Sequence[Candidate]
    cosines: Mapping[int, float]
    pager: Pager


def find(session: Session, project_id: int, wanted: PoolFilter, patience: float | None = None) -> Hits:
    """Find candidates that fit every filter, in the order that is asked for.

    A phrase in quotes must occur and what has a minus must not, whichever way is searched. `patience` is how many
    seconds to wait for a model that is not loaded yet; None: as long as a page may.
    """
    query = queries.searched(session, project_id, wanted)
    more, less = (queries.seen(session, project_id, ids) for ids in (wanted.like, wanted.unlike))
    said = "" if wanted.by is By.WORDS else sentence(wanted.words)
    if not (said or more or less):
        return Hits(query)
    means = means_of(session, project_id, patience)
    point = point_of(session, means, said, more, less) if means.encoder and means.encoded else None
    if point is None:
        return Hits(query, more, less, means=means)
    # What is wanted more or less of is known already.
    apart = Candidate.id.not_in([one.id for one in (*more, *less)])
    query, held = query.where(apart), queries.fitting(session, project_id, wanted).where(apart)
    fits = query.with_only_columns(Candidate.id).order_by(None) if wanted.by is By.WORDS else held
    near = scores(means, point)
    # Where nothing but what is wanted less of was said, the farthest come first, however far.
    nearest = near.nearest(session, fits, MOST, LEAST_COSINE if said or more else -1.0)
    worded, words = _words(session, query, wanted, nearest)
    ids = fused(worded, nearest) if worded and wanted.by is By.BOTH else nearest
    if wanted.order is not Order.BEST:
        ids = queries.in_order(session, ids, wanted.order)
    return Hits(query, more, less, ids, frozenset(worded), words, near, means)


def _words(
    session: Session, query: Select[Candidate], wanted: PoolFilter, nearest: Sequence[int]
) -> tuple[Sequence[int], int]:
    """The first that have every word, and how many have; none where nothing asks for words."""
    if wanted.by is By.WORDS:
        return nearest, len(nearest)
    if wanted.by is By.MEANING or not parse(wanted.words).all:
        return (), 0
    first = session.scalars(query.with_only_columns(Candidate.id).limit(MOST)).all()
    return first, len(first) if len(first) < MOST else queries.count_of(session, query.with_only_columns(Candidate.id))


def fused(*orders: Sequence[int]) -> list[int]:
    """One order of several, each first in its own one before what is far down in any; equal ones by number."""
    ranks: dict[int, float] = {}
    for order in orders:
        for place, one in enumerate(order):
            ranks[one] = ranks.get(one, 0.0) + 1 / (RANKS + place)
    return sorted(ranks, key=lambda one: (-ranks[one], one))


def page_of(session: Session, hits: Hits, number: int) -> Page:
    """That page of what was found, or the last one."""
    if hits.ids is None:
        candidates, pager = queries.page_of_pool(session, hits.query, number)
        return Page(hits, candidates, {}, pager)
    pager = queries.pager_of(len(hits.ids), number)
    return Page(hits, *_read(session, hits, slice(pager.first - 1 if pager.total else 0, pager.last)), pager)


def first_of(session: Session, hits: Hits, most: int) -> Page:
    """So many of the best, as one page."""
    if hits.ids is None:
        total = queries.count_of(session, hits.query.with_only_columns(Candidate.id))
        return Page(hits, session.scalars(hits.query.limit(most)).all(), {}, Pager(1, total, most))
    return Page(hits, *_read(session, hits, slice(0, most)), Pager(1, len(hits.ids), most))


def _read(session: Session, hits: Hits, part: slice) -> tuple[list[Candidate], dict[int, float]]:
    ids = (hits.ids or ())[part]
    return queries.by_ids(session, ids), hits.scores.of(ids) if hits.scores else {}
