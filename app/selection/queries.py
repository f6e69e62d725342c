"""The pool: candidates of published imports, to scan, to search and to pick from."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.projects.models import Split
from app.sources.models import Candidate, CandidateStatus, ImportRun, ImportState

MOST_WORDS = 12


class Order(StrEnum):
    """How the pool is sorted."""

    SCORE = "score"
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


@dataclass(frozen=True)
class PoolFilter:
    """Which candidates to list; what is None or empty does not narrow. Words are looked for in the title."""

    status: CandidateStatus | None = None
    source: str = ""
    site: str = ""
    licence: str = ""
    split: Split | None = None
    words: str = ""
    order: Order = Order.SCORE


@dataclass(frozen=True)
class Facets:
    """What there is to filter by."""

    sources: Sequence[str]
    sites: Sequence[str]
    licences: Sequence[str]


def pool_candidates(project_id: int, wanted: PoolFilter | None = None) -> Select[Candidate]:
    """Candidates of published imports that fit the filter, in its order."""
    wanted = wanted or PoolFilter()
    return select(Candidate).where(*_conditions(project_id, wanted)).order_by(*_order(wanted.order))


def _conditions(project_id: int, wanted: PoolFilter) -> list[ColumnElement[bool]]:
    found = [Candidate.project_id == project_id, published()]
    if wanted.status is not None:
        found.append(Candidate.status == wanted.status)
    if wanted.split is not None:
        found.append(Candidate.split == wanted.split)
    texts = (Candidate.source, wanted.source), (Candidate.site, wanted.site), (Candidate.licence, wanted.licence)
    found += [column == value for column, value in texts if value]
    found += [Candidate.title.icontains(word, autoescape=True) for word in wanted.words.split()[:MOST_WORDS]]
    return found


def _order(order: Order) -> tuple[Any, ...]:
    by: dict[Order, Any] = {
        Order.SCORE: func.coalesce(Candidate.score, 0).desc(),
        Order.NEWEST: Candidate.id.desc(),
        Order.OLDEST: Candidate.id.asc(),
        Order.TITLE: func.lower(Candidate.title),
    }
    return by[order], Candidate.id.asc()


def published() -> ColumnElement[bool]:
    """Candidates that may be seen: those of an import appear all at once, when it is published."""
    return Candidate.import_run_id.in_(select(ImportRun.id).where(ImportRun.state == ImportState.PUBLISHED))


def candidate_in(session: Session, project_id: int, candidate_id: int) -> Candidate:
    """The project's candidate of that number, or NotFound."""
    here = (Candidate.id == candidate_id, Candidate.project_id == project_id, published())
    candidate = session.scalar(select(Candidate).where(*here))
    if candidate is None:
        raise NotFound("There is no such candidate here.")
    return candidate


def status_counts(session: Session, project_id: int) -> dict[CandidateStatus, int]:
    """How many candidates are open, rejected and used."""
    query = select(Candidate.status, func.count()).where(Candidate.project_id == project_id, published())
    found = dict.fromkeys(CandidateStatus, 0)
    for status, count in session.execute(query.group_by(Candidate.status)):
        found[status] = count
    return found


def facets(session: Session, project_id: int) -> Facets:
    """The sources, sites and licences that occur."""
    columns = (Candidate.source, Candidate.site, Candidate.licence)
    rows = session.execute(select(*columns).where(Candidate.project_id == project_id, published()).distinct()).all()
    sources, sites, licences = (sorted({str(row[index]) for row in rows if row[index]}) for index in range(3))
    return Facets(sources, sites, licences)
