"""A selection of a size as a command: by what it covers, or by a baseline of the same size to set beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.embeddings.encoder import Encoder
from app.errors import Refusal
from app.projects.models import Project
from app.selection.adding.deciding import OPEN
from app.selection.adding.grounds import train_rows
from app.selection.coverage.baselines import by_chance, filtered, highest_first
from app.selection.coverage.centres import farthest_first
from app.selection.coverage.facility import Greed, ground_of, most_served
from app.selection.coverage.whole import Places, Whole, measured, whole
from app.sources.models import Candidate

AT_ONCE = 500


class NothingEncoded(Refusal):
    """No open candidate of the pool has a vector yet; nothing was selected. `handpicked encode {slug}` gives them."""


class Method(StrEnum):
    """How a selection is made."""

    COVERAGE = "coverage"
    CENTRES = "k-center"
    DEITA = "deita"
    RANDOM = "random"
    LONGEST = "longest"
    SCORE = "score"


@dataclass(frozen=True)
class Open:
    """The encoded train candidates that are open or kept: what is known of each, side by side with their rows."""

    known: Sequence[Any]
    pool: Whole


@dataclass(frozen=True)
class Selected:
    """The numbers of the chosen candidates in their order, and how well they cover the pool that they are of.

    `lowest` is the cosine of the candidate that is farthest from any chosen one, `mean` that of all on the average.
    """

    method: Method
    seed: int
    of: int
    chosen: Sequence[Any]
    lowest: float
    mean: float


def open_pool(session: Session, database: Database, encoder: Encoder, project: Project) -> Open:
    """What a selection is made of. Raises NothingEncoded."""
    ids, rows = train_rows(session, database, encoder, project.id)
    query = select(
        Candidate.id, Candidate.site, Candidate.external_id, Candidate.title, Candidate.score, Candidate.length
    ).where(Candidate.project_id == project.id, Candidate.published, Candidate.status.in_(OPEN))
    known = {row.id: row for row in session.execute(query)}
    here = np.isin(ids, np.fromiter(known, dtype=np.int64, count=len(known)))
    if not here.any():
        raise NothingEncoded(slug=project.slug)
    return Open([known[number] for number in ids[here].tolist()], whole(rows[here]))


def choose(pool: Open, method: Method, count: int, seed: int = 0) -> Selected:
    """So many candidates by a method; fewer where there are not so many."""
    places = _places(pool, method, min(count, len(pool.known)), seed)
    lowest, mean = measured(pool.pool, places)
    return Selected(method, seed, len(pool.known), [pool.known[place] for place in places.tolist()], lowest, mean)


def _places(pool: Open, method: Method, count: int, seed: int) -> Places:
    if method is Method.COVERAGE:
        return covering(pool.pool, count)
    if method is Method.CENTRES:
        return farthest_first(pool.pool, count)
    if method is Method.RANDOM:
        return by_chance([f"{one.site}/{one.external_id}" for one in pool.known], count, seed)
    if method is Method.LONGEST:
        return highest_first([one.length for one in pool.known])[:count]
    order = highest_first([one.score for one in pool.known])
    return filtered(pool.pool, order, count) if method is Method.DEITA else order[:count]


def covering(pool: Whole, count: int) -> Places:
    """Facility location; where no other row serves anything, the farthest from those taken."""
    picks = np.array(most_served(Greed(ground_of(pool)), count, np.arange(len(pool), dtype=np.int64)), dtype=np.int64)
    if len(picks) == count:
        return picks
    others = np.ones(len(pool), dtype=bool)
    others[picks] = False
    more = farthest_first(pool, count - len(picks), taken=pool.rows[picks], eligible=others)
    return np.concatenate([picks, more])
