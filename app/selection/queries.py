"""The pool: candidates of published imports, to scan, to search and to pick from."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.projects.models import Split
from app.selection import searching
from app.selection.areas import Area
from app.sources.models import LONGEST_CATEGORY, Candidate, CandidateStatus, ImportRun, ImportState
from app.text.search import exactly, parse
from app.web.paging import PAGE_SIZE, Pager

# What the filter calls candidates without a source.
NO_SOURCE = "(none)"
# A table's column may hold another one in each row.
MOST_CATEGORIES = 60


class TitleJudged(StrEnum):
    """What people said of a title."""

    YES = "yes"
    NO = "no"
    UNSEEN = "unseen"


class Order(StrEnum):
    """How the pool is sorted; the best are the nearest where meaning is searched, else those with the best score."""

    BEST = "best"
    SCORE = "score"
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


class By(StrEnum):
    """What a search goes by: every word, the meaning of the sentence, or both at once."""

    WORDS = "words"
    MEANING = "meaning"
    BOTH = "both"


@dataclass(frozen=True)
class PoolFilter:
    """Which candidates to list; what is None or empty does not narrow. Lengths are characters of the last message.

    `like` and `unlike` are numbers of candidates: the nearer to the first and the further from the second, the better.
    """

    status: CandidateStatus | None = None
    source: str = ""
    site: str = ""
    licence: str = ""
    split: Split | None = None
    words: str = ""
    language: str = ""
    flag: str = ""
    category: str = ""
    import_run_id: int | None = None
    title: TitleJudged | None = None
    shortest: int | None = None
    longest: int | None = None
    least_score: int | None = None
    code: bool | None = None
    region: int | None = None
    lasso: str = ""
    order: Order = Order.BEST
    by: By = By.WORDS
    like: tuple[int, ...] = ()
    unlike: tuple[int, ...] = ()


@dataclass(frozen=True)
class Facets:
    """What there is to filter by, with how many candidates in the state asked for."""

    status: Counter[str]
    source: Counter[str]
    site: Counter[str]
    licence: Counter[str]
    split: Counter[str]
    language: Counter[str]
    import_run: Counter[str]


def pool_candidates(project_id: int, wanted: PoolFilter | None = None) -> Select[Candidate]:
    """Candidates of published imports that fit the filter but for its words, in its order."""
    wanted = wanted or PoolFilter()
    return select(Candidate).where(*_conditions(project_id, wanted)).order_by(*_order(wanted.order))


def searched(session: Session, project_id: int, wanted: PoolFilter) -> Select[Candidate]:
    """Candidates that fit the filter, its words included; see app.text.search for what they may say."""
    return pool_candidates(project_id, wanted).where(*searching.conditions(session, project_id, parse(wanted.words)))


def fitting(session: Session, project_id: int, wanted: PoolFilter) -> Select[int]:
    """The numbers of candidates that fit the filter, of its words only what stands in quotes and what is left out."""
    held = searching.conditions(session, project_id, exactly(parse(wanted.words)))
    return select(Candidate.id).where(*_conditions(project_id, wanted), *held)


def among(session: Session, ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether a candidate is one of these, which may be thousands: one parameter, however many they are."""
    if searching.on_sqlite(session):
        each = func.json_each(json.dumps(list(ids))).table_valued("value")
        return Candidate.id.in_(select(each.c.value))
    return Candidate.id == func.any(bindparam(None, list(ids), ARRAY(BigInteger)))


def in_order(session: Session, ids: Sequence[int], order: Order) -> list[int]:
    """The same numbers in this order."""
    return list(session.scalars(select(Candidate.id).where(among(session, ids)).order_by(*_order(order))))


def count_of(session: Session, query: Select[Any]) -> int:
    """How many rows a query gives."""
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def page_of_pool(session: Session, query: Select[Candidate], number: int) -> tuple[Sequence[Candidate], Pager]:
    """One page of the pool: found by number first, so that sorting carries no texts about."""
    ids = query.with_only_columns(Candidate.id)
    pager = pager_of(count_of(session, ids), number)
    wanted = session.scalars(ids.limit(PAGE_SIZE).offset((pager.number - 1) * PAGE_SIZE)).all()
    return by_ids(session, wanted), pager


def pager_of(total: int, number: int) -> Pager:
    """That page of so many candidates, or the last one."""
    return Pager(min(number, max(1, -(-total // PAGE_SIZE))), total)


def by_ids(session: Session, ids: Sequence[int]) -> list[Candidate]:
    """The candidates of these numbers in their order, as far as they are there and may be seen."""
    rows = {one.id: one for one in session.scalars(select(Candidate).where(among(session, ids)))}
    return [rows[one] for one in ids if one in rows]


def seen(session: Session, project_id: int, ids: Sequence[int]) -> list[Candidate]:
    """Those of these candidates that are in this project and may be seen, in their order."""
    here = (Candidate.project_id == project_id, Candidate.id.in_(ids), published())
    rows = {one.id: one for one in session.scalars(select(Candidate).where(*here))} if ids else {}
    return [rows[one] for one in dict.fromkeys(ids) if one in rows]


def _conditions(project_id: int, wanted: PoolFilter) -> list[ColumnElement[bool]]:
    found = [Candidate.project_id == project_id, published()]
    if wanted.status is not None:
        found.append(Candidate.status == wanted.status)
    if wanted.split is not None:
        found.append(Candidate.split == wanted.split)
    if wanted.source == NO_SOURCE:
        found.append(or_(Candidate.source.is_(None), Candidate.source == ""))
    elif wanted.source:
        found.append(Candidate.source == wanted.source)
    texts = (Candidate.site, wanted.site), (Candidate.licence, wanted.licence)
    found += [column == value for column, value in texts if value]
    if wanted.language:
        found.append(Candidate.language == wanted.language)
    if wanted.import_run_id is not None:
        found.append(Candidate.import_run_id == wanted.import_run_id)
    found += Area(wanted.region, wanted.lasso).conditions(project_id)
    return found + _of_the_words(wanted)


def _of_the_words(wanted: PoolFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.flag:
        # The first condition is that of an index, which holds only those that are marked.
        found.append(literal_column("candidate.flags <> '[]'"))
        found.append(cast(Candidate.flags, String).contains(f'"{wanted.flag}"', autoescape=True))
    if wanted.category:
        found.append(Candidate.category == wanted.category[:LONGEST_CATEGORY])
    if wanted.title is not None:
        judged = {TitleJudged.YES: True, TitleJudged.NO: False, TitleJudged.UNSEEN: None}[wanted.title]
        found.append(Candidate.title_alone.is_(judged))
    if wanted.shortest is not None:
        found.append(Candidate.length >= wanted.shortest)
    if wanted.longest is not None:
        found.append(Candidate.length <= wanted.longest)
    if wanted.least_score is not None:
        found.append(Candidate.score >= wanted.least_score)
    if wanted.code is not None:
        found.append(Candidate.has_code.is_(wanted.code))
    return found


def _order(order: Order) -> tuple[Any, ...]:
    by: dict[Order, Any] = {
        Order.BEST: Candidate.score.desc().nulls_last(),
        Order.SCORE: Candidate.score.desc().nulls_last(),
        Order.NEWEST: Candidate.id.desc(),
        Order.OLDEST: Candidate.id.asc(),
        # As an index has it, to the letter; what begins with the same 60 letters is in the order of arrival.
        Order.TITLE: literal_column("substr(lower(candidate.title), 1, 60)"),
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
    """How many candidates are in each state."""
    query = select(Candidate.status, func.count()).where(Candidate.project_id == project_id, published())
    found = dict.fromkeys(CandidateStatus, 0)
    for status, count in session.execute(query.group_by(Candidate.status)):
        found[status] = count
    return found


def facets(session: Session, project_id: int, status: CandidateStatus | None = None) -> Facets:
    """What occurs among the candidates in this state, or in any, with counts; the states are counted over all."""
    columns = (
        Candidate.status, Candidate.source, Candidate.site, Candidate.licence, Candidate.split, Candidate.language,
        Candidate.import_run_id,
    )  # fmt: skip
    query = select(*columns, func.count()).where(Candidate.project_id == project_id, published())
    counts: list[Counter[str]] = [Counter() for _ in columns]
    for *values, count in session.execute(query.group_by(*columns)):
        here = status is None or values[0] is status
        for place, value in enumerate(values):
            if value in {None, ""} and columns[place] is not Candidate.source:
                continue
            if here or place == 0:
                counts[place][getattr(value, "value", None) or str(value or NO_SOURCE)] += count
    return Facets(*counts)


def categories_of(session: Session, project_id: int, status: CandidateStatus | None = None) -> Counter[str]:
    """The categories of candidates in this state, or in any, with how many are in each; those that have most."""
    there = [Candidate.project_id == project_id, Candidate.category.is_not(None), published()]
    here = [] if status is None else [Candidate.status == status]
    count = func.count()
    query = select(Candidate.category, count).where(*there, *here).group_by(Candidate.category)
    rows = session.execute(query.order_by(count.desc(), Candidate.category).limit(MOST_CATEGORIES))
    return Counter({str(category): number for category, number in rows})


def flags_of(session: Session, project_id: int, status: CandidateStatus | None = None) -> Counter[str]:
    """The words under which candidates in this state, or in any, are marked, with how many are."""
    marked = [Candidate.project_id == project_id, literal_column("candidate.flags <> '[]'"), published()]
    here = [] if status is None else [Candidate.status == status]
    found: Counter[str] = Counter()
    query = select(Candidate.flags, func.count()).where(*marked, *here).group_by(Candidate.flags)
    for flags, count in session.execute(query):
        found.update(dict.fromkeys(map(str, flags), count))
    return found


def judged_titles(session: Session, project_id: int) -> int:
    """How many open candidates have a title of which somebody said whether it stands alone."""
    judged = (Candidate.status == CandidateStatus.OPEN, Candidate.title_alone.is_not(None), published())
    return session.scalar(select(func.count()).where(Candidate.project_id == project_id, *judged)) or 0


def import_names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The names of imports by number."""
    query = select(ImportRun.id, ImportRun.name).where(ImportRun.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)}


def titles_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The titles of candidates by number."""
    query = select(Candidate.id, Candidate.title).where(Candidate.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)}
