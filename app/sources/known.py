"""Pairs of questions that a site itself closed as copies of each other, as an import found them in its dump."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.sources import licences, queries
from app.sources.models import ImportRun
from app.web.paging import PAGE_SIZE, Pager


@dataclass(frozen=True)
class Question:
    """A question by its number at the site, with the first of its answers that is in the pool, if one is."""

    id: int
    url: str
    title: str | None
    candidate: int | None


@dataclass(frozen=True)
class KnownPair:
    """Two questions of one site; it closed `copy` as saying what `first` says."""

    copy: Question
    first: Question


def known_total(run: ImportRun) -> int:
    """How many pairs an import found."""
    return len(run.result.get("known_duplicates", ()))


def known_pairs(
    session: Session, run: ImportRun, number: int = 1, size: int = PAGE_SIZE
) -> tuple[Sequence[KnownPair], Pager]:
    """One page of the pairs, in the order of the dump: one query, however many."""
    found = run.result.get("known_duplicates", ())
    pager = Pager(min(number, max(1, -(-len(found) // size))), len(found), size)
    shown = found[(pager.number - 1) * size : pager.number * size]
    threads = {str(one) for pair in shown for one in pair}
    there = queries.candidates_of_threads(session, run.project_id, run.site, threads)

    def question(one: int) -> Question:
        candidate, title = there.get(str(one), (None, None))
        return Question(one, licences.question_url(run.site, one), title, candidate)

    return [KnownPair(question(copy), question(first)) for copy, first in shown], pager
