"""What a map holds, and whether the pool or the set has gone on since."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, ScalarSelect, Select, and_, case, func, select
from sqlalchemy.orm import Session, undefer

from app.embeddings.models import CandidateText, Embedding
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Split
from app.selection.areas import NoSuchRegion, shown_map
from app.selection.map_models import MapPoint, PoolMap, RegionMiddle, RegionName
from app.sources.models import Candidate

Whole = npt.NDArray[np.int64]
# An example that is drawn over the pool, as its map keeps it.
OWN = np.dtype([("id", "<i8"), ("x", "<u2"), ("y", "<u2"), ("region", "u1")])
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Points:
    """All points of a map in the order of their candidates' numbers, a column each."""

    ids: Whole
    x: Whole
    y: Whole
    region: Whole
    near: Whole


def map_of(session: Session, project_id: int, *, whole: bool = False) -> PoolMap | None:
    """The map that people of a project see; `whole` with its regions' centres and the examples that it places."""
    query = select(PoolMap).where(PoolMap.project_id == project_id, PoolMap.shown).order_by(PoolMap.id.desc()).limit(1)
    if whole:
        query = query.options(undefer(PoolMap.centres), undefer(PoolMap.own))
    return session.scalar(query)


def points_of(session: Session, map_id: int) -> Points:
    """Every point of a map, whoever may see its candidate: for jobs alone."""
    columns = (MapPoint.candidate_id, MapPoint.x, MapPoint.y, MapPoint.region, MapPoint.near)
    query = select(*columns).where(MapPoint.map_id == map_id).order_by(MapPoint.candidate_id)
    rows = session.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    held = np.fromiter((value for row in rows for value in row), dtype=np.int64).reshape(-1, len(columns))
    return Points(*held.T)


def seen_points(map_id: int) -> Select[*tuple[Any, ...]]:
    """A map's points with what colours them, by candidate; a session shows those whose candidates it shows."""
    columns = (
        MapPoint.candidate_id, MapPoint.x, MapPoint.y, MapPoint.region, MapPoint.near,
        Candidate.status, Candidate.source, Candidate.split,
    )  # fmt: skip
    query = select(*columns).join(Candidate, Candidate.id == MapPoint.candidate_id)
    return query.where(MapPoint.map_id == map_id, Candidate.published)


def tallied(session: Session, map_id: int, near_from: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """(region, status, source, held, far: so many of them have no example near), of the candidates that are shown."""
    columns = (MapPoint.region, Candidate.status, Candidate.source)
    far = func.sum(case((MapPoint.near < near_from, 1), else_=0)).label("far")
    query = select(*columns, func.count().label("held"), far).join(Candidate, Candidate.id == MapPoint.candidate_id)
    return session.execute(query.where(MapPoint.map_id == map_id, Candidate.published).group_by(*columns)).all()


def own_of(stored: bytes) -> Any:
    """The examples of a map as an array of OWN."""
    return np.frombuffer(stored, dtype=OWN)


def examples_seen(project_id: int) -> Select[*tuple[Any, ...]]:
    """(id, candidate, state, split, source) of the set's examples: those that are not rejected."""
    columns = (Example.id, Example.candidate_id, Example.state, Example.split, Example.source)
    return select(*columns).where(Example.project_id == project_id, Example.state != ExampleState.REJECTED)


def examples_with_words(project_id: int) -> Select[*tuple[Any, ...]]:
    """(id, candidate, split, messages) of the set's examples at their newest revision, by number."""
    newest = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    query = select(Example.id, Example.candidate_id, Example.split, Revision.messages).join(Revision, newest)
    here = (Example.project_id == project_id, Example.state != ExampleState.REJECTED)
    return query.where(*here).order_by(Example.id)


def titles(project_id: int) -> Select[*tuple[Any, ...]]:
    """(id, title) of the candidates that may give a region its name: no prompt of a test is among them."""
    here = (Candidate.project_id == project_id, Candidate.published, Candidate.split != Split.TEST)
    return select(Candidate.id, Candidate.title).where(*here).order_by(Candidate.id)


def titles_seen(session: Session, project_id: int, ids: Sequence[int]) -> dict[int, str]:
    """The titles of these candidates of the project by number; those that this session does not show are left out."""
    here = (Candidate.project_id == project_id, Candidate.published, Candidate.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(select(Candidate.id, Candidate.title).where(*here))}


def in_parts(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of a long query, not all in memory at once."""
    yield from session.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def places_of(session: Session, map_id: int, candidate_ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """(x, y, region) of these candidates on a map, by their numbers; those that it does not have are left out."""
    found: dict[int, tuple[int, int, int]] = {}
    for start in range(0, len(candidate_ids), 500):
        part = list(candidate_ids[start : start + 500])
        query = select(MapPoint.candidate_id, MapPoint.x, MapPoint.y, MapPoint.region)
        for row in session.execute(query.where(MapPoint.map_id == map_id, MapPoint.candidate_id.in_(part))):
            found[row[0]] = (row[1], row[2], row[3])
    return found


def standing_names(session: Session, map_id: int | ScalarSelect[int]) -> dict[int, tuple[int, str]]:
    """The naming that stands on each region of a map, as (number of the naming, name); without one a region is missing.

    A naming stands where more than half of its middle lies, of what of it is on the map; of several the newest.
    """
    lie = select(RegionName.id, RegionName.name, MapPoint.region, func.count().label("held"))
    lie = lie.join(RegionMiddle, RegionMiddle.name_id == RegionName.id)
    lie = lie.join(MapPoint, MapPoint.candidate_id == RegionMiddle.candidate_id).where(MapPoint.map_id == map_id)
    rows = session.execute(lie.group_by(RegionName.id, RegionName.name, MapPoint.region)).all()
    placed: Counter[int] = Counter()
    for row in rows:
        placed[row.id] += row.held
    standing: dict[int, tuple[int, str]] = {}
    for row in sorted(rows, key=lambda one: -one.id):
        if 2 * row.held > placed[row.id]:
            standing.setdefault(row.region, (row.id, row.name))
    return standing


def given_names(session: Session, map_id: int | ScalarSelect[int]) -> dict[int, str]:
    """What people call the regions of a map, by number; those that are called by their own words are left out."""
    return {region: name for region, (_, name) in standing_names(session, map_id).items() if name}


def name_of_region(session: Session, project_id: int, number: int) -> str:
    """What a region is called on the map that people see. Raises NoSuchRegion."""
    drawn = map_of(session, project_id)
    if drawn is None or not 1 <= number <= len(drawn.regions):
        raise NoSuchRegion(number=number)
    return given_names(session, drawn.id).get(number, str(drawn.regions[number - 1]["name"]))


def given_names_of(session: Session, project_id: int, candidate_ids: Sequence[int]) -> dict[int, str]:
    """What people call the region in which each of these candidates lies on the map that people see."""
    shown = shown_map(project_id)
    names = given_names(session, shown)
    here = (MapPoint.map_id == shown, MapPoint.candidate_id.in_(candidate_ids), MapPoint.region.in_(list(names)))
    rows = session.execute(select(MapPoint.candidate_id, MapPoint.region).where(*here))
    return {row.candidate_id: names[row.region] for row in rows}


def vectors_in(drawn: PoolMap, region: int) -> Select[int, bytes]:
    """(candidate, stored vector) of what lies in a region of a map."""
    coded = and_(CandidateText.candidate_id == MapPoint.candidate_id, CandidateText.model == drawn.model)
    kept = and_(Embedding.model == drawn.model, Embedding.text_hash == CandidateText.prompt_hash)
    query = select(MapPoint.candidate_id, Embedding.vector).join(CandidateText, coded).join(Embedding, kept)
    return query.where(MapPoint.map_id == drawn.id, MapPoint.region == region)


def unplaced(session: Session, drawn: PoolMap) -> int:
    """How many encoded candidates have no place on the map yet."""
    there = and_(MapPoint.map_id == drawn.id, MapPoint.candidate_id == CandidateText.candidate_id)
    query = select(func.count(CandidateText.id)).outerjoin(MapPoint, there)
    mine = (CandidateText.project_id == drawn.project_id, CandidateText.model == drawn.model)
    return session.scalar(query.where(*mine, CandidateText.prompt_hash != "", MapPoint.map_id.is_(None))) or 0


def set_changed(session: Session, drawn: PoolMap) -> bool:
    """Whether an example was changed since the map was brought up to the set."""
    newest = select(func.max(Example.changed_at)).where(Example.project_id == drawn.project_id)
    changed = session.scalar(newest)
    return changed is not None and changed > drawn.followed_at


def last_text_of(session: Session, project_id: int, model: str) -> int:
    """The number of the newest encoded candidate, by which a look sees that there is more."""
    mine = (CandidateText.project_id == project_id, CandidateText.model == model)
    return session.scalar(select(func.max(CandidateText.id)).where(*mine)) or 0
