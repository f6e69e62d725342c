"""Parts of the pool's map as conditions on candidates: a region, or what lies within a line that somebody drew."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypeAlias

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, and_, case, cast, func, select

from app.errors import NotFound, Refusal
from app.selection.map_models import FULL, MapPoint, PoolMap
from app.sources.models import Candidate

Corners: TypeAlias = Sequence[tuple[int, int]]

# Each corner costs every candidate a comparison.
MOST_CORNERS = 64
LASSO = rf"^(\d{{1,5}}\.\d{{1,5}}(-\d{{1,5}}\.\d{{1,5}}){{2,{MOST_CORNERS - 1}}})?$"


class NoLine(Refusal):
    """This is no line around a part of the map: it takes 3 to 64 corners as x.y-x.y-x.y, each from 0 to 65535. Nothing was looked for."""  # noqa: E501


class NoSuchRegion(NotFound):
    """There is no region {number} on the map of this pool; nothing was changed."""


def corners_of(words: str) -> list[tuple[int, int]]:
    """The corners of a line as an address has them, "x.y-x.y-x.y". Raises NoLine."""
    if not words or not re.fullmatch(LASSO, words):
        raise NoLine
    pairs = (corner.split(".") for corner in words.split("-"))
    corners = [(int(x), int(y)) for x, y in pairs]
    if max(max(corner) for corner in corners) > FULL:
        raise NoLine
    return corners


@dataclass(frozen=True)
class Area:
    """A part of the map: a region by number, what lies within a line, or where both say something what is in both."""

    region: int | None = None
    lasso: str = ""

    def __bool__(self) -> bool:
        """Whether it is less than the whole."""
        return self.region is not None or bool(self.lasso)

    def conditions(self, project_id: int) -> list[ColumnElement[bool]]:
        """What a candidate has to fulfil to lie in it. Raises NoLine."""
        found = [] if self.region is None else [in_region(project_id, self.region)]
        return [*found, in_lasso(project_id, corners_of(self.lasso))] if self.lasso else found


EVERYWHERE = Area()


def shown_map(project_id: int) -> ScalarSelect[int]:
    """The number of the map that people of a project see; NULL where there is none."""
    mine = (PoolMap.project_id == project_id, PoolMap.shown)
    return select(func.max(PoolMap.id)).where(*mine).scalar_subquery()


def in_region(project_id: int, region: int) -> ColumnElement[bool]:
    """Candidates in a region of the map, counted from 1."""
    return _among(project_id, MapPoint.region == region)


def in_lasso(project_id: int, corners: Corners) -> ColumnElement[bool]:
    """Candidates within a closed line, by the even-odd rule; a browser finds the same ones by the same numbers."""
    x, y = cast(MapPoint.x, BigInteger), cast(MapPoint.y, BigInteger)
    xs, ys = zip(*corners, strict=True)
    near = and_(MapPoint.x.between(min(xs), max(xs)), MapPoint.y.between(min(ys), max(ys)))
    crossed = [case((_crosses(x, y, *one, *other), 1), else_=0) for one, other in _edges(corners) if one[1] != other[1]]
    if not crossed:
        return _among(project_id, MapPoint.region < 0)
    return _among(project_id, near, reduce(add, crossed) % 2 == 1)


def _edges(corners: Corners) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def _crosses(x: ColumnElement[int], y: ColumnElement[int], x1: int, y1: int, x2: int, y2: int) -> ColumnElement[bool]:
    """Whether a ray to the right of (x, y) crosses this edge; whole numbers only, so nothing is rounded."""
    (x1, y1), (x2, y2) = ((x1, y1), (x2, y2)) if y1 < y2 else ((x2, y2), (x1, y1))
    return and_(y >= y1, y < y2, (x - x1) * (y2 - y1) < (y - y1) * (x2 - x1))


def _among(project_id: int, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    points = select(MapPoint.candidate_id).where(MapPoint.map_id == shown_map(project_id), *conditions)
    return Candidate.id.in_(points)
