"""A map is drawn, filled and shown; an older one goes in steps, so that nobody waits for it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.jobs.models import Job
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.projects.limits import require_open
from app.projects.models import Project
from app.selection.map_models import MapPoint, PoolMap
from app.sources.bulk import write_rows

KIND = "draw_map"
POINTS_AT_ONCE = 2_000
_ADD = insert(MapPoint)
_COLUMNS = ("map_id", "candidate_id", "x", "y", "region", "near")


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
