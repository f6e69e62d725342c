"""The regions of a pool that its set does not cover: what each is about, how large it is, and how little is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.selection.adding.grounds import Measured
from app.selection.adding.suggesting import TheSet
from app.selection.atlas.naming import names
from app.selection.atlas.queries import given_names_of
from app.selection.coverage.facility import most_served, strided
from app.selection.coverage.whole import Places, nearest
from app.sources.models import Candidate

LOOKED_AT, SHOWN = 16, 4
# A region is thin where so many of its candidates have no example near, and not fewer than these.
BARE_SHARE, FEWEST = 0.25, 3
TITLES_A_REGION, TITLES_OF_ALL = 60, 400


@dataclass(frozen=True)
class ThinRegion:
    """What lies nearer to `candidate_id` than to any other region's middle, and is like it.

    `within` is what people call the region of the map in which that one lies.
    """

    name: str
    candidate_id: int
    candidates: int
    examples: int
    bare: int
    within: str = ""

    @property
    def bare_share(self) -> int:
        """How many of its candidates have no example near, in per cent."""
        return round(100 * self.bare / self.candidates)


def thin_regions(session: Session, measured: Measured, the_set: TheSet, project_id: int) -> Sequence[ThinRegion]:
    """The thinnest regions, the one with most candidates without an example first."""
    pool, floor = measured.pool, measured.ground.floor
    middles = _apart(measured, most_served(measured.greed(the_set.rows), LOOKED_AT, np.arange(len(pool))))
    if not middles:
        return ()
    products = pool.rows @ pool.rows[middles].T
    held, near = products.argmax(axis=1), products.max(axis=1) > floor
    theirs = _of_the_set(measured, the_set, middles)
    regions: list[tuple[ThinRegion, Places]] = []
    for at, middle in enumerate(middles):
        rows = np.flatnonzero(near & (held == at))
        bare = int((nearest(pool.rows[rows], the_set.rows) <= floor).sum())
        if bare >= FEWEST and bare >= BARE_SHARE * len(rows):
            thin = ThinRegion("", int(measured.ids[middle]), len(rows), int((theirs == at).sum()), bare)
            regions.append((thin, rows[np.argsort(-products[rows, at], kind="stable")][:TITLES_A_REGION]))
    regions.sort(key=lambda one: -one[0].bare)
    return _named(session, measured, regions[:SHOWN], project_id)


def _apart(measured: Measured, picks: Sequence[int]) -> list[int]:
    """Those that are not near to one before them: the others are of its region."""
    found: list[int] = []
    for row in picks:
        if not found or (measured.pool.rows[found] @ measured.pool.rows[row]).max() <= measured.ground.floor:
            found.append(row)
    return found


def _of_the_set(measured: Measured, the_set: TheSet, middles: Sequence[int]) -> Places:
    """In which region each example lies; -1 for none."""
    if not len(the_set.ids):
        return np.empty(0, dtype=np.int64)
    products = the_set.rows @ measured.pool.rows[list(middles)].T
    return np.where(products.max(axis=1) > measured.ground.floor, products.argmax(axis=1), -1)


def _named(
    session: Session, measured: Measured, regions: Sequence[tuple[ThinRegion, Places]], project_id: int
) -> list[ThinRegion]:
    """Named by the words that set their titles apart from those of the pool."""
    others = strided(len(measured.ids), min(TITLES_OF_ALL, len(measured.ids)))
    parts = [*(rows for _, rows in regions), others]
    titles: list[tuple[str, int]] = []
    for number, rows in enumerate(parts):
        ids = measured.ids[rows].tolist()
        found = session.scalars(select(Candidate.title).where(Candidate.id.in_(ids)).order_by(Candidate.id))
        titles += [(title, number) for title in found]
    called = names(titles, len(parts))
    given = given_names_of(session, project_id, [thin.candidate_id for thin, _ in regions])
    return [
        replace(thin, name=name, within=given.get(thin.candidate_id, ""))
        for (thin, _), name in zip(regions, called, strict=False)
    ]
