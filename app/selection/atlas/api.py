"""/api/v1: the pool's map."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.projects.access import Annotator
from app.selection.atlas import operations, queries
from app.selection.atlas.figures import map_document
from app.selection.atlas.forms import DrawForm, NameForm
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["map"], responses=REFUSALS)


class MapHead(BaseModel):
    """A map: how it was made, what it holds, and how many encoded candidates have no place on it yet."""

    id: int
    model: str
    method: str
    seed: int
    drawn_at: str
    followed_at: str
    candidates: int
    examples: int
    not_near: int
    near_from: float
    waiting: int


class RegionOut(BaseModel):
    """A region with its figures; shares are of 1, `not_near` counts candidates without an example near.

    `name` is what somebody called it, else its own `words`.
    """

    number: int
    name: str
    words: str
    candidates: int
    open: int
    kept: int
    rejected: int
    used: int
    examples: int
    not_near: int
    share_of_pool: float
    share_of_set: float
    thin: bool
    sources: dict[str, int]


class MapOut(BaseModel):
    """The map that people see, or null where none was drawn, and its regions."""

    map: MapHead | None
    regions: list[RegionOut]


class PointsOut(BaseModel):
    """Where candidates lie: a row each, with whole numbers from 0 to 65535 for places and hundredths for `near`."""

    columns: list[str]
    rows: list[list[int]]


class CalledOut(BaseModel):
    """What a region is called now."""

    number: int
    name: str


class DrawnOut(BaseModel):
    """The job that draws the map."""

    job_id: int


@router.get("/map", name="api:map")
def see(session: SessionDep, access: Annotator) -> MapOut:
    """The map's regions in figures, without the picture."""
    drawn = queries.map_of(session, access.project.id, whole=True)
    return MapOut.model_validate(map_document(session, drawn))


@router.get("/map/points", name="api:map_points")
def points(session: SessionDep, access: Annotator) -> PointsOut:
    """Where every candidate lies."""
    drawn = queries.map_of(session, access.project.id)
    rows = session.execute(queries.seen_points(drawn.id)).all() if drawn else []
    return PointsOut(columns=["candidate", "x", "y", "region", "near"], rows=[list(row[:5]) for row in rows])


@router.post("/map", name="api:draw_map", status_code=202)
def draw(session: SessionDep, access: Annotator, body: DrawForm) -> DrawnOut:
    """Have the map drawn, or what is new placed on it; `anew` lays everything out from the beginning."""
    return DrawnOut(job_id=operations.start_mapping(session, access.user, access.project, anew=body.anew).id)


@router.put("/map/regions/{number}/name", name="api:name_region")
def name_region(session: SessionDep, access: Annotator, number: int, body: NameForm) -> CalledOut:
    """Call a region by a name; an empty one gives it its own words again."""
    called = operations.name_region(session, access.user, access.project, number, body.name)
    return CalledOut(number=number, name=called)


@router.delete("/map/regions/{number}/name", name="api:undo_region_name")
def undo_region_name(session: SessionDep, access: Annotator, number: int) -> CalledOut:
    """Undo the last naming of a region."""
    return CalledOut(number=number, name=operations.take_back_name(session, access.user, access.project, number))
