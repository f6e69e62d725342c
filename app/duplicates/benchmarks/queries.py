"""A project's lists, what of its examples is near to them, and how much of it was compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.duplicates.benchmarks.models import (
    BenchmarkCheck,
    BenchmarkList,
    BenchmarkMatch,
    BenchmarkPrompt,
    MatchVerdict,
)
from app.duplicates.models import DuplicateScan, ExampleText, Method, On
from app.duplicates.operations import THRESHOLD, WORDING
from app.duplicates.queries import scans_of
from app.errors import NotFound
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.projects.models import Split
from app.sources.models import Candidate
from app.text.dialogue import prompts_in

PROMPTS_AT_ONCE = 500
# Prompts of the test split are what a benchmark is for: some of them may well be a benchmark's.
KEPT_CLEAR = Example.split != Split.TEST
STANDS = and_(Example.state != ExampleState.REJECTED, arrived())


def lists_of(project_id: int) -> Select[BenchmarkList]:
    """A project's lists by their names."""
    query = select(BenchmarkList).where(BenchmarkList.project_id == project_id)
    return query.order_by(BenchmarkList.name, BenchmarkList.id)


def list_in(project_id: int, list_id: int) -> Select[BenchmarkList]:
    """One list, if it belongs to the project."""
    return select(BenchmarkList).where(BenchmarkList.id == list_id, BenchmarkList.project_id == project_id)


def list_named(session: Session, project_id: int, name: str) -> BenchmarkList:
    """The list of that name. Raises NotFound with the names that there are."""
    lists = session.scalars(lists_of(project_id)).all()
    for one in lists:
        if one.name == name:
            return one
    there = ", ".join(one.name for one in lists) or "none"
    raise NotFound(f"There is no list {name[:80]}; there are: {there}.")


def thresholds_of(session: Session, project_id: int) -> dict[Method, float]:
    """From where on two prompts are near: as the project's last finished look at prompts asked, else as usual."""
    looked = scans_of(project_id).where(DuplicateScan.on == On.PROMPT, DuplicateScan.finished_at.is_not(None))
    last = session.scalar(looked.limit(1))
    if last is None:
        return {Method.EMBEDDING: THRESHOLD, Method.LEXICAL: WORDING}
    return {Method.EMBEDDING: last.threshold, Method.LEXICAL: last.result.get("lexical_threshold", WORDING)}


def in_words(thresholds: Mapping[Method, float]) -> str:
    """Thresholds as a check notes them."""
    return f"{thresholds[Method.EMBEDDING]:g} {thresholds[Method.LEXICAL]:g}"


def compared_as_it_stands(thresholds: Mapping[Method, float], *more: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an example's newest words were compared with all lists, by meaning as well where they have a vector.

    `more` are further conditions on the check that says so.
    """
    # Another model has made its vector since, or there was none.
    newer = exists().where(
        ExampleText.example_id == BenchmarkCheck.example_id,
        ExampleText.revision_number == BenchmarkCheck.revision_number,
        ExampleText.model != BenchmarkCheck.model,
    )
    return exists().where(
        BenchmarkCheck.example_id == Example.id,
        BenchmarkCheck.revision_number == Example.revision_number,
        BenchmarkCheck.thresholds == in_words(thresholds),
        ~newer,
        *more,
    )


def uncompared(project_id: int, thresholds: Mapping[Method, float]) -> Select[int, int, list[Any]]:
    """(id, number, messages) of the examples whose newest words were not compared yet."""
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = select(Example.id, Revision.number, Revision.messages).join(Revision, head)
    missing = (Example.project_id == project_id, STANDS, ~compared_as_it_stands(thresholds))
    return query.where(*missing).order_by(Example.id)


@dataclass(frozen=True)
class Progress:
    """Of the `total` examples outside the test split, how many were compared as they stand, and how many by meaning."""

    compared: int
    by_meaning: int
    total: int


def progress(session: Session, project_id: int) -> Progress:
    """How far a project's examples are compared."""
    thresholds = thresholds_of(session, project_id)
    ways = (compared_as_it_stands(thresholds), compared_as_it_stands(thresholds, BenchmarkCheck.model != ""))
    counts = [func.coalesce(func.sum(case((way, 1), else_=0)), 0) for way in ways]
    query = select(*counts, func.count(Example.id))
    row = session.execute(query.where(Example.project_id == project_id, STANDS, KEPT_CLEAR)).one()
    return Progress(*map(int, row))


@dataclass(frozen=True)
class Tally:
    """How many different examples are near to prompts of a list: undecided, and kept for a reason."""

    open: int = 0
    stays: int = 0


def tallies(session: Session, project_id: int) -> dict[int, Tally]:
    """What stands near to each list that anything is near to."""
    different = func.count(func.distinct(BenchmarkMatch.example_id))
    query = select(BenchmarkMatch.list_id, BenchmarkMatch.verdict, different).join(Example)
    query = query.where(BenchmarkMatch.project_id == project_id, STANDS, KEPT_CLEAR)
    found: dict[int, dict[str, int]] = {}
    for list_id, verdict, count in session.execute(query.group_by(BenchmarkMatch.list_id, BenchmarkMatch.verdict)):
        found.setdefault(list_id, {})[verdict.value] = count
    return {
        list_id: Tally(counts.get(MatchVerdict.OPEN, 0), counts.get(MatchVerdict.STAYS, 0))
        for list_id, counts in found.items()
    }


def matches_of(
    project_id: int, list_id: int | None = None, verdict: MatchVerdict | None = None
) -> Select[BenchmarkMatch]:
    """A project's matches with lists, examples and deciders: what waits first, then the likest.

    Of rejected examples those that a decision here has rejected, so that it can be undone.
    """
    here = or_(and_(STANDS, KEPT_CLEAR), BenchmarkMatch.verdict == MatchVerdict.REJECTED)
    query = (
        select(BenchmarkMatch)
        .join(BenchmarkMatch.example)
        .join(BenchmarkMatch.benchmark)
        .where(BenchmarkMatch.project_id == project_id, here)
        .options(
            contains_eager(BenchmarkMatch.example), contains_eager(BenchmarkMatch.benchmark),
            joinedload(BenchmarkMatch.decider),
        )
    )  # fmt: skip
    query = query if list_id is None else query.where(BenchmarkMatch.list_id == list_id)
    query = query if verdict is None else query.where(BenchmarkMatch.verdict == verdict)
    waits = case((BenchmarkMatch.verdict == MatchVerdict.OPEN, 0), else_=1)
    return query.order_by(waits, BenchmarkMatch.score.desc(), BenchmarkMatch.id)


def match_in(project_id: int, match_id: int) -> Select[BenchmarkMatch]:
    """One match, if it belongs to the project."""
    return matches_of(project_id).where(BenchmarkMatch.id == match_id)


def candidate_in(project_id: int, candidate_id: int) -> Select[Candidate]:
    """One candidate of the pool, if it belongs to the project."""
    here = (Candidate.id == candidate_id, Candidate.project_id == project_id, Candidate.published)
    return select(Candidate).where(*here)


def listed_texts(session: Session, prompt_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """(line, words) of listed prompts by their numbers, as far as this session's person may read them."""
    found: dict[int, tuple[int, str]] = {}
    for start in range(0, len(prompt_ids), PROMPTS_AT_ONCE):
        part = prompt_ids[start : start + PROMPTS_AT_ONCE]
        query = select(BenchmarkPrompt.id, BenchmarkPrompt.line, BenchmarkPrompt.text)
        rows = session.execute(query.where(BenchmarkPrompt.id.in_(part)))
        found |= {number: (line, text) for number, line, text in rows}
    return found


def asked_by(session: Session, example_ids: Sequence[int]) -> dict[int, list[str]]:
    """What the user asks in the newest words of these examples, turn by turn."""
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = select(Example.id, Revision.messages).join(Revision, head).where(Example.id.in_(example_ids))
    return {number: prompts_in(messages) for number, messages in session.execute(query)}
