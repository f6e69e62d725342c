"""What a plan draws from, out of the database: counted by its indexes, and read no further than the draw goes.

A part that goes by score reads its best candidates and, of a stratum that gives more than those, the next ones. Every
other part orders its own by a hash of what they are called, and so reads what it needs of each.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, String, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.examples.models import Example, ExampleState
from app.projects.models import Split
from app.selection.queries import published
from app.selection.sampling.drawing import UNSORTED, Choosable, InHand, Shelf, in_order, is_wanted
from app.selection.sampling.plans import Part, Plan, Prompt, Strata, Within
from app.sources.models import Candidate, CandidateStatus, ImportRun

ELIGIBLE = (CandidateStatus.KEPT, CandidateStatus.OPEN)
# The fewest that are read at once: of a large source, and of one of its strata.
HEAD, MORE = 1000, 100
AT_ONCE = 500
OPEN = Candidate.status == CandidateStatus.OPEN


@dataclass(frozen=True, slots=True)
class _Count:
    source: str | None
    split: str
    language: str
    site: str
    candidates: int


class Pool:
    """The open and kept candidates of a project's published imports."""

    def __init__(self, session: Session, project_id: int) -> None:
        """Count nothing yet."""
        self.session = session
        self.project_id = project_id

    def shelf_of(self, plan: Plan, part: Part, missing: int) -> Shelf:
        """What the part draws from when it lacks so many."""
        counts = [one for one in self._counts if (one.source, one.split) == (part.source, part.split)]
        spoken = {one.language for one in counts}
        wanted = frozenset(code for code in spoken if is_wanted(code, plan.languages, plan.excluded_languages))
        rows = _Rows(self, part, wanted)
        if part.within == Within.SCORE and part.strata in {Strata.NONE, Strata.SITE} and not part.generation:
            return _ByScore(rows, counts, max(HEAD, 2 * missing))
        return _Whole(plan, rows, counts)

    @cached_property
    def _counts(self) -> list[_Count]:
        # In the order of an index, so that nothing is sorted and no row is opened.
        by = (
            Candidate.status, Candidate.source, Candidate.site, Candidate.licence, Candidate.split, Candidate.language,
            Candidate.import_run_id,
        )  # fmt: skip
        query = select(
            Candidate.source, type_coerce(Candidate.split, String), Candidate.language, Candidate.site, func.count()
        )
        found = self.session.connection().execute(query.where(*self.here).group_by(*by)).all()
        return [_Count(*row) for row in found]

    @cached_property
    def size(self) -> int:
        """How many candidates there are for all parts."""
        return sum(one.candidates for one in self._counts)

    @property
    def here(self) -> tuple[ColumnElement[bool], ...]:
        """The candidates that a plan may take."""
        return Candidate.project_id == self.project_id, Candidate.status.in_(ELIGIBLE), published()

    @cached_property
    def tossed(self) -> frozenset[int]:
        """The imports that have tossed the coin between title and body."""
        runs = select(ImportRun.id, ImportRun.options["prompt"]["part"].as_string())
        found = self.session.execute(runs.where(ImportRun.project_id == self.project_id))
        return frozenset(number for number, part in found if part == "either")


@dataclass(frozen=True)
class _Rows:
    """The candidates of one part in the languages of its plan; of their JSON only what the part asks for is read."""

    pool: Pool
    part: Part
    languages: frozenset[str]

    def all(self, *where: ColumnElement[bool]) -> list[Choosable]:
        """Those that fit."""
        return self._read(self._query(*where).where(Candidate.source == self.part.source))

    def best(self, most: int, among: int) -> list[Choosable]:
        """So many open ones with the highest scores above 0; `among` says how many of the part there are."""
        own: ColumnElement[bool] = Candidate.source == self.part.source
        if most * self.pool.size < among**2 // 2:
            # The index of scores has the best first, and those of other sources on the way: that pays where the part
            # is much of the pool. To what is said so, the index of sources is of no use.
            own = func.coalesce(Candidate.source, "") == self.part.source
        return self._read(self._query(OPEN, Candidate.score > 0, own).order_by(Candidate.score.desc()).limit(most))

    def next(self, site: str | None, end: int, most: int) -> list[Choosable]:
        """So many open ones of a site (None: of all) with the highest scores up to `end`; no score counts as 0."""
        score = func.coalesce(Candidate.score, 0)
        here = [OPEN, Candidate.source == self.part.source, or_(Candidate.score.is_(None), Candidate.score <= end)]
        here += [] if site is None else [Candidate.site == site]
        return self._read(self._query(*here).where(score <= end).order_by(score.desc()).limit(most))

    def given(self) -> dict[str, int]:
        """How many of each stratum are examples by now, whoever made them; rejected ones do not count."""
        part = self.part
        divided = {
            Strata.NONE: literal("all"), Strata.SITE: Candidate.site, Strata.CATEGORY: Candidate.category,
            Strata.TASK: Candidate.extra["task"].as_string(),
        }[part.strata]  # fmt: skip
        own = (Candidate.source == part.source, Candidate.split == Split(part.split))
        there = (Example.project_id == self.pool.project_id, Example.state != ExampleState.REJECTED)
        query = select(divided).join_from(Example, Candidate, Example.candidate_id == Candidate.id)
        return Counter(name or UNSORTED for name in self.pool.session.scalars(query.where(*own, *there)))

    def _query(self, *where: ColumnElement[bool]) -> Select[Any]:
        extra = Candidate.extra
        divided = {Strata.TASK: extra["task"].as_string(), Strata.CATEGORY: Candidate.category}.get(self.part.strata)
        stratum = literal("") if divided is None else divided
        generation = extra["generation"].as_boolean() if self.part.generation else literal(None)
        # What stands behind a long text is read by going through all of it, so only what the part goes by is.
        score = Candidate.score if self.part.within is Within.SCORE else literal(None)
        judged = Candidate.title_alone if self.part.prompt is Prompt.EITHER else literal(None)
        # Without the type of its enumeration: a member is made more slowly than all the rest of its row.
        status = type_coerce(Candidate.status, String)
        query = select(
            Candidate.id, Candidate.site, Candidate.external_id, Candidate.language, score, judged,
            Candidate.import_run_id, status, stratum, generation,
        )  # fmt: skip
        own = (Candidate.split == Split(self.part.split), Candidate.language.in_(sorted(self.languages)))
        return query.where(*self.pool.here, *own, *where)

    def _read(self, query: Select[Any]) -> list[Choosable]:
        source, split, tossed = self.part.source, self.part.split, self.pool.tossed
        found = self.pool.session.connection().execute(query)
        return [
            Choosable(
                number, site, external_id, source, language, score, split, name or "", name or "", alone,
                run in tossed, status == CandidateStatus.KEPT, generation,
            )
            for rows in found.partitions(AT_ONCE)
            for number, site, external_id, language, score, alone, run, status, name, generation in rows
        ]  # fmt: skip


class _Whole:
    """All candidates of a part at once, when its strata are asked for."""

    def __init__(self, plan: Plan, rows: _Rows, counts: Iterable[_Count]) -> None:
        self.there = sum(one.candidates for one in counts)
        self._plan, self._rows = plan, rows

    @property
    def sizes(self) -> dict[str, int]:
        """How many each stratum has."""
        return self._in_hand.sizes

    @property
    def given(self) -> Mapping[str, int]:
        """What the set has of each stratum."""
        return self._rows.given()

    def queue(self, stratum: str, seed: int) -> Iterator[Choosable]:
        """The stratum in its order."""
        return self._in_hand.queue(stratum, seed)

    @cached_property
    def _in_hand(self) -> InHand:
        return InHand(self._plan, self._rows.part, self._rows.all() if self._rows.languages else ())


class _ByScore:
    """Kept candidates and the best open ones of the whole part; of a stratum that gives more, the next ones."""

    def __init__(self, rows: _Rows, counts: Iterable[_Count], head: int) -> None:
        self.there = sum(one.candidates for one in counts)
        self._rows, self._most = rows, head
        found: dict[str, int] = {}
        for one in counts:
            if one.language in rows.languages:
                found[self._name(one.site)] = found.get(self._name(one.site), 0) + one.candidates
        self.sizes = {name: found[name] for name in sorted(found)}

    @property
    def given(self) -> Mapping[str, int]:
        """What the set has of each stratum."""
        return self._rows.given()

    def _name(self, site: str) -> str:
        return (site or UNSORTED) if self._rows.part.strata == Strata.SITE else "all"

    def queue(self, stratum: str, seed: int) -> Iterator[Choosable]:
        """The stratum in its order: kept ones, then the best score first."""
        kept, best, end = self._head
        some, more = [*kept.get(stratum, []), *best.get(stratum, [])], MORE
        site = None if self._rows.part.strata == Strata.NONE else "" if stratum == UNSORTED else stratum
        yield from in_order(some, Within.SCORE, seed)
        read_to_its_end = len(some) >= self.sizes[stratum]
        while not read_to_its_end:
            found = self._rows.next(site, end, more)
            some, end = _whole_levels(found, more)
            yield from in_order(some, Within.SCORE, seed)
            # Where others have changed the pool since it was counted, the count is no reason to go on.
            read_to_its_end = len(found) < more
            more *= 8

    @cached_property
    def _head(self) -> tuple[dict[str, list[Choosable]], dict[str, list[Choosable]], int]:
        """Kept ones and the best open ones by stratum, and the score above which no open one is left out."""
        best, end = _whole_levels(self._rows.best(self._most, sum(self.sizes.values())), self._most)
        kept = self._rows.all(Candidate.status == CandidateStatus.KEPT)
        return self._by_stratum(kept), self._by_stratum(best), max(end, 0)

    def _by_stratum(self, found: Iterable[Choosable]) -> dict[str, list[Choosable]]:
        groups: dict[str, list[Choosable]] = {}
        for one in found:
            groups.setdefault(self._name(one.site), []).append(one)
        return groups


def _whole_levels(found: list[Choosable], most: int) -> tuple[list[Choosable], int]:
    """Those whose score nobody has who was not read, and the highest score that is still to be read."""
    if len(found) < most:
        return found, -(2**31)
    end = found[-1].score or 0
    return [one for one in found if (one.score or 0) > end], end
