"""A map is drawn, filled and shown, its regions are named; an older one goes in steps, so that nobody waits for it."""

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.embeddings.vectors import STORED
from app.errors import Conflict, NotFound, Refusal
from app.jobs.models import Job
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.projects.limits import require_open
from app.projects.models import Project
from app.selection.areas import NoSuchRegion
from app.selection.atlas import queries
from app.selection.map_models import MapPoint, PoolMap, RegionMiddle, RegionName
from app.sources.bulk import write_rows
from app.text.marks import without_hidden
from app.text.wellformed import require_wellformed

KIND = "draw_map"
POINTS_AT_ONCE = 2_000
_ADD = insert(MapPoint)
_COLUMNS = ("map_id", "candidate_id", "x", "y", "region", "near")
LONGEST_NAME = 60
# So many of a region's candidates tell which region it is on another map.
MIDDLE = 25


class CalledSoAlready(Conflict):
    """Region {number} is called {name} already, so this one cannot be; nothing was changed. Give it another name."""


class NotNamed(NotFound):
    """Nobody has named region {number} of this map, so there is nothing to undo; nothing was changed."""


class NothingToKnowItBy(Conflict):
    """No vector of region {number} is left to know it by on the next map; nothing was changed. Draw the map anew."""


def start_mapping(session: Session, actor: User, project: Project, *, anew: bool = False) -> Job:
    """Have the pool's map drawn, or what is new placed on it; where that is under way already, what is under way.

    `anew` lays everything out from the beginning: every point may move and every region be called otherwise.
    """
    require_open(project)
    if (live := live_mapping(session, project)) is not None:
        return live
    record(session, actor, "draw map", f"project:{project.slug}", project_id=project.id, anew=anew)
    return enqueue_mapping(session, actor, project, anew=anew)


def enqueue_mapping(session: Session, actor: User | None, project: Project, *, anew: bool = False) -> Job:
    """Put it into the queue, whoever asked."""
    title = f"Draw the map of {project.name}"
    return enqueue(session, actor, KIND, title=title, project_id=project.id, project=project.id, anew=int(anew))


def live_mapping(session: Session, project: Project) -> Job | None:
    """The job that draws the project's map, if one waits or is under way."""
    here = (Job.kind == KIND, Job.project_id == project.id, Job.state.in_(LIVE))
    return session.scalars(select(Job).where(*here).order_by(Job.id).limit(1)).first()


def add_points(session: Session, map_id: int, points: Sequence[Sequence[int]]) -> None:
    """Put (candidate, x, y, region, near) on a map; the numbers are plain ints."""
    write_rows(session, _ADD, _COLUMNS, [(map_id, *point) for point in points])


def change_nearness(session: Session, map_id: int, near: Sequence[tuple[int, int]]) -> None:
    """Note how near the nearest example is by now, as (candidate, hundredths)."""
    rows: list[dict[str, Any]] = [{"map_id": map_id, "candidate_id": one, "near": score} for one, score in near]
    if rows:
        session.execute(update(MapPoint), rows)


def show_map(session: Session, map_id: int, project_id: int) -> None:
    """Let people see this map and no other."""
    session.execute(update(PoolMap).where(PoolMap.project_id == project_id).values(shown=PoolMap.id == map_id))


def forget_some(session: Session, project_id: int) -> bool:
    """Take away some points of maps that nobody sees, and at last the maps; whether something may be left."""
    unseen = select(PoolMap.id).where(PoolMap.project_id == project_id, PoolMap.shown.is_(False))
    map_id = session.scalar(unseen.order_by(PoolMap.id).limit(1))
    if map_id is None:
        return False
    some = select(MapPoint.candidate_id).where(MapPoint.map_id == map_id).limit(POINTS_AT_ONCE)
    gone = session.execute(delete(MapPoint).where(MapPoint.map_id == map_id, MapPoint.candidate_id.in_(some)))
    if not gone.rowcount:  # type: ignore[attr-defined]
        session.execute(delete(PoolMap).where(PoolMap.id == map_id))
    return True


def name_region(session: Session, actor: User, project: Project, number: int, name: str) -> str:
    """Call a region of the map by a name, or with an empty one by its own words again; what it is called now.

    Raises NoSuchRegion and CalledSoAlready.
    """
    require_open(project)
    drawn = _with_region(session, project, number)
    name = " ".join(without_hidden(require_wellformed(name, "The name")).split())
    if len(name) > LONGEST_NAME:
        raise Refusal(f"A region's name has at most {LONGEST_NAME} characters; nothing was changed.")
    called = _called(session, drawn)
    own = str(drawn.regions[number - 1]["name"])
    if name == own:
        name = ""
    if (name or own) == called[number]:
        return called[number]
    if same := [one for one, other in called.items() if one != number and other.casefold() == name.casefold()]:
        raise CalledSoAlready(number=same[0], name=called[same[0]])
    made = RegionName(project_id=project.id, name=name, named_by=actor.id)
    session.add(made)
    session.flush()
    middle = _middle_of(session, drawn, number)
    session.add_all(RegionMiddle(name_id=made.id, candidate_id=one) for one in middle)
    session.flush()
    record(
        session, actor, "name region", f"map:{drawn.id}/{number}", project_id=project.id,
        name=name or own, before=called[number],
    )  # fmt: skip
    return name or own


def take_back_name(session: Session, actor: User, project: Project, number: int) -> str:
    """Undo the last naming of a region; what it is called now. Raises NoSuchRegion and NotNamed."""
    require_open(project)
    drawn = _with_region(session, project, number)
    standing = queries.standing_names(session, drawn.id).get(number)
    if standing is None:
        raise NotNamed(number=number)
    session.execute(delete(RegionName).where(RegionName.id == standing[0]))
    name = _called(session, drawn)[number]
    record(
        session, actor, "take back name of region", f"map:{drawn.id}/{number}", project_id=project.id,
        name=name, before=standing[1] or str(drawn.regions[number - 1]["name"]),
    )  # fmt: skip
    return name


def _with_region(session: Session, project: Project, number: int) -> PoolMap:
    drawn = queries.map_of(session, project.id, whole=True)
    if drawn is None or not 1 <= number <= len(drawn.regions):
        raise NoSuchRegion(number=number)
    return drawn


def _called(session: Session, drawn: PoolMap) -> dict[int, str]:
    given = queries.given_names(session, drawn.id)
    return {number: given.get(number, str(one["name"])) for number, one in enumerate(drawn.regions, 1)}


def _middle_of(session: Session, drawn: PoolMap, number: int) -> list[int]:
    """The candidates that lie nearest to a region's middle by meaning; of equal ones the first."""
    centres = np.frombuffer(drawn.centres, dtype=STORED).reshape(len(drawn.regions), -1)
    rows = queries.in_parts(session, queries.vectors_in(drawn, number))
    near = ((-float(np.frombuffer(vector, dtype=STORED) @ centres[number - 1]), one) for one, vector in rows)
    found = [one for _, one in heapq.nsmallest(MIDDLE, near)]
    if not found:
        raise NothingToKnowItBy(number=number)
    return found
