"""What to add next: the candidates that would help the set most, each with its reason; the regions that it lacks.

A candidate helps by what it would serve of the pool that no example serves (app.selection.coverage.facility), times how
much of its source's quota is lacking, times what is known of its quality. The same state of a project always suggests
the same. What people asked for more of counts more (app.selection.adding.asked).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import and_, column, func, select, table
from sqlalchemy.orm import Session

from app.embeddings.encoder import Encoder
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.vectors import Vectors, stack
from app.examples.models import Example, ExampleState
from app.examples.queries import arrived
from app.projects.models import Project, Split
from app.selection.adding.asked import Asked
from app.selection.adding.deciding import OPEN, waiting
from app.selection.adding.grounds import Measured, rows_of
from app.selection.adding.needs import MOST, Needs, needs_of
from app.selection.adding.reasons import Facts, reason
from app.selection.areas import EVERYWHERE, Area
from app.selection.atlas.queries import given_names_of
from app.selection.coverage.baselines import by_chance, highest_first
from app.selection.coverage.centres import farthest_first
from app.selection.coverage.facility import Greed, most_served
from app.selection.coverage.whole import Places, whole
from app.sources.models import Candidate, CandidateStatus

# What `app.duplicates` keeps of each example's newest words: a sibling's table, so it is named and not imported.
EXAMPLE_TEXT = table("example_text", column("example_id"), column("model"), column("prompt_hash"))
# A candidate counts by its place among the scores of its source: the best twice as much as the last.
UNSCORED, LEAST, KEPT = 750, 500, 500


class By(StrEnum):
    """Which candidates come first."""

    NEED = "need"
    LONGEST = "longest"
    CHANCE = "chance"


@dataclass(frozen=True)
class TheSet:
    """The train examples that are encoded: their numbers, their rows as whole numbers, and when each was begun."""

    ids: Places
    rows: Vectors
    begun: Sequence[datetime]


@dataclass(frozen=True)
class Suggestion:
    """A candidate that would help, why, and the example that is nearest to it; `request` is the one it answers."""

    id: int
    facts: Facts
    reason: str
    nearest_example: int | None
    request: int | None = None


@dataclass(frozen=True)
class Advice:
    """What to add next. `widened` says that nothing is short for which the pool has candidates, so any source may.

    `eligible` counts the candidates there are to choose from in the area that was asked for, `more` says whether others
    could follow these.
    """

    suggestions: Sequence[Suggestion]
    needs: Needs
    eligible: int
    put_off: int
    widened: bool
    more: bool
    near: float


@dataclass(frozen=True)
class Choice:
    """The candidates that may be suggested, side by side: their rows in the ground, and what is known of each."""

    rows: Places
    sources: Sequence[str]
    lengths: Sequence[int]
    names: Sequence[str]
    quality: npt.NDArray[np.int64]

    def of_sources(self, wanted: Mapping[str, int]) -> npt.NDArray[np.bool_]:
        """Which of them are of these sources."""
        return np.array([source in wanted for source in self.sources], dtype=bool)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be told: so many, in this order, past how many, of which part of the map."""

    by: By = By.NEED
    count: int = 10
    skip: int = 0
    area: Area = EVERYWHERE


@dataclass(frozen=True)
class Stand:
    """A project's pool, its set and what was asked for, as they are measured now."""

    measured: Measured
    the_set: TheSet
    asked: Asked

    def greed(self) -> Greed:
        """What each candidate would add to the set, by what people asked for."""
        return self.asked.greed(self.measured, self.the_set.rows, self.the_set.begun)


def suggest(session: Session, stand: Stand, project: Project, wish: Wish) -> Advice:
    """The candidates that would help most, past the first `skip` of them."""
    needs, measured = needs_of(session, project), stand.measured
    put_off = set(session.scalars(waiting(project.id, needs.begun)))
    choice = _choice(session, measured, project.id, put_off)
    inside = _inside(session, measured, choice, project.id, wish.area)
    short = needs.shares()
    fits = choice.of_sources(short) & inside
    widened = not fits.any()
    shares = dict.fromkeys(choice.sources, MOST) if widened else short
    may = inside if widened else fits
    lacking = {} if widened else needs.lacking()
    rows = _picked(stand, choice, may, shares, lacking, wish.by, wish.skip + wish.count + 1)
    shown = rows[wish.skip : wish.skip + wish.count]
    return Advice(
        _suggestions(session, stand, project.id, choice, shown, needs, wish.area),
        needs, int(inside.sum()), len(put_off), widened, len(rows) > wish.skip + wish.count,
        measured.pool.cosine(measured.ground.floor),
    )  # fmt: skip


def _inside(session: Session, measured: Measured, choice: Choice, project_id: int, area: Area) -> npt.NDArray[np.bool_]:
    """Which of the candidates lie in the area."""
    if not area:
        return np.ones(len(choice.rows), dtype=bool)
    here = select(Candidate.id).where(Candidate.project_id == project_id, *area.conditions(project_id))
    return np.isin(measured.ids[choice.rows], np.fromiter(session.scalars(here), dtype=np.int64))


def _suggestions(
    session: Session, stand: Stand, project_id: int, choice: Choice, rows: Sequence[int], needs: Needs, area: Area
) -> list[Suggestion]:
    """The chosen rows with their reasons; where all are of one region, none says so."""
    sources = dict(zip(choice.rows.tolist(), choice.sources, strict=True))
    ids = [int(stand.measured.ids[row]) for row in rows]
    regions = {} if area.region is not None else given_names_of(session, project_id, ids)
    facts = _facts(stand.measured, stand.the_set, choice, rows, lambda row: sources[row], needs)
    found = []
    for row, number, one in zip(rows, ids, facts, strict=True):
        request = stand.asked.nearest(row)
        known = replace(one, region=regions.get(number, ""), asked=request.in_words if request else "")
        nearest = _nearest(stand, row)
        found.append(Suggestion(number, known, reason(known), nearest, request.id if request else None))
    return found


def set_of(session: Session, encoder: Encoder, project_id: int) -> TheSet:
    """The set's train examples; one that was made of a candidate just now stands by that one's vector."""
    told = func.coalesce(func.nullif(EXAMPLE_TEXT.c.prompt_hash, ""), CandidateText.prompt_hash)
    of_example = and_(EXAMPLE_TEXT.c.example_id == Example.id, EXAMPLE_TEXT.c.model == encoder.key)
    of_candidate = and_(CandidateText.candidate_id == Example.candidate_id, CandidateText.model == encoder.key)
    query = select(Example.id, Example.created_at, Embedding.vector).outerjoin(EXAMPLE_TEXT, of_example)
    query = query.outerjoin(CandidateText, of_candidate)
    query = query.join(Embedding, and_(Embedding.model == encoder.key, Embedding.text_hash == told))
    train = (Example.project_id == project_id, Example.split == Split.TRAIN, Example.state != ExampleState.REJECTED)
    rows = session.execute(query.where(*train, arrived()).order_by(Example.id)).all()
    vectors = stack([row.vector for row in rows], encoder.dimensions)
    ids = np.array([row.id for row in rows], dtype=np.int64)
    return TheSet(ids, whole(vectors).rows, [row.created_at for row in rows])


def _choice(session: Session, measured: Measured, project_id: int, put_off: set[int]) -> Choice:
    """The open and kept train candidates that are encoded and not put off, by their rows."""
    query = select(
        Candidate.id, Candidate.source, Candidate.score, Candidate.status, Candidate.length, Candidate.site,
        Candidate.external_id,
    ).where(
        Candidate.project_id == project_id, Candidate.published, Candidate.split == Split.TRAIN,
        Candidate.status.in_(OPEN),
    )  # fmt: skip
    found = session.connection().execute(query.order_by(Candidate.id)).all()
    encoded = set(measured.ids.tolist()) - put_off
    found = [row for row in found if row.id in encoded]
    return Choice(
        rows_of(measured.ids, np.array([row.id for row in found], dtype=np.int64)),
        [row.source or "unsorted" for row in found],
        [row.length for row in found],
        [f"{row.site}/{row.external_id}" for row in found],
        quality_of(found),
    )


def quality_of(found: Sequence[Any]) -> npt.NDArray[np.int64]:
    """How much each candidate counts, in whole numbers: by its place among its source's scores; more if it is kept."""
    quality = np.full(len(found), UNSCORED, dtype=np.int64)
    by_source: dict[str | None, list[int]] = {}
    for place, row in enumerate(found):
        if row.score is not None:
            by_source.setdefault(row.source, []).append(place)
    for places in by_source.values():
        scores = np.array([found[place].score for place in places])
        below = np.searchsorted(np.sort(scores), scores, side="right")
        quality[places] = LEAST + (MOST - LEAST) * below // len(scores)
    return quality + KEPT * np.array([row.status is CandidateStatus.KEPT for row in found], dtype=np.int64)


def _picked(
    stand: Stand, choice: Choice, may: npt.NDArray[np.bool_], shares: Mapping[str, int], lacking: Mapping[str, int],
    by: By, count: int,
) -> list[int]:  # fmt: skip
    places = np.flatnonzero(may)
    if by is By.CHANCE:
        order = by_chance([choice.names[place] for place in places.tolist()], count, 0)
        return [int(row) for row in choice.rows[places[order]]]
    if by is By.LONGEST:
        order = highest_first([choice.lengths[place] for place in places.tolist()])[:count]
        return [int(row) for row in choice.rows[places[order]]]
    return _by_need(stand, choice, places, shares, lacking, count)


def _by_need(
    stand: Stand, choice: Choice, places: Places, shares: Mapping[str, int], lacking: Mapping[str, int], count: int
) -> list[int]:
    """By what each would serve; where nothing is left that serves anything, the farthest from all that is there."""
    left = dict(lacking)
    of = {int(choice.rows[at]): (choice.sources[at], int(choice.quality[at])) for at in places.tolist()}

    def weigh(row: int) -> float:
        source, quality = of[row]
        return float(shares[source] * quality) if left.get(source, 1) > 0 else 0.0

    def took(row: int) -> None:
        if of[row][0] in left:
            left[of[row][0]] -= 1

    picks = most_served(stand.greed(), count, choice.rows[places], weigh, took)
    while len(picks) < count and (open_ := [row for row in of if weigh(row) and row not in picks]):
        for row in _farthest(stand.measured, stand.the_set, picks, open_, count - len(picks)):
            if weigh(row):
                picks.append(row)
                took(row)
    return picks


def _farthest(measured: Measured, the_set: TheSet, picks: list[int], open_: list[int], count: int) -> list[int]:
    eligible = np.zeros(len(measured.pool), dtype=bool)
    eligible[open_] = True
    taken = np.concatenate([the_set.rows, measured.pool.rows[picks]])
    found: list[int] = farthest_first(measured.pool, count, taken=taken, eligible=eligible).tolist()
    return found


def _facts(
    measured: Measured, the_set: TheSet, choice: Choice, rows: Sequence[int], source_of: Callable[[int], str],
    needs: Needs,
) -> list[Facts]:  # fmt: skip
    pool, floor = measured.pool, measured.ground.floor
    mine = pool.rows[list(rows)]
    like = pool.rows[choice.rows] @ mine.T > floor
    touched = choice.rows[like.any(axis=1)]
    bare = np.ones(len(choice.rows), dtype=bool)
    if len(the_set.ids):
        bare[like.any(axis=1)] = (pool.rows[touched] @ the_set.rows.T).max(axis=1, initial=-np.inf) <= floor
    among = mine @ mine.T > floor
    products = mine @ the_set.rows.T
    lacking, found = needs.lacking(), []
    for at, row in enumerate(rows):
        others = like[:, at] & (choice.rows != row)
        above = np.flatnonzero(among[at, :at])
        source = source_of(row)
        found.append(
            Facts(
                needs.labels.of(source).short, lacking.get(source, 0),
                pool.cosine(products[at].max()) if len(the_set.ids) else None, pool.cosine(floor),
                int(others.sum()), int((others & bare).sum()), int(above[0]) + 1 if len(above) else None,
            )
        )  # fmt: skip
    return found


def _nearest(stand: Stand, row: int) -> int | None:
    """The number of the example that is nearest to a candidate."""
    the_set = stand.the_set
    if not len(the_set.ids):
        return None
    return int(the_set.ids[int((the_set.rows @ stand.measured.pool.rows[row]).argmax())])
