"""The pool's map: a layout, the place of each candidate in it, and what people call its regions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, PrimaryKey, choice

FULL = 65_535


class Method(StrEnum):
    """How a map was laid out: by principal components at once, or by UMAP, which keeps neighbours."""

    PCA = "pca"
    UMAP = "umap"


class PoolMap(Base):
    """One layout of a project's pool under one model; people see the newest one that is shown.

    A layout never changes: what comes later is placed in it. `centres` and `own` are little-endian: a float32 row for
    each region, and (id, x, y, region) of each example that is drawn over the pool.
    """

    __tablename__ = "pool_map"
    __table_args__ = (Index("ix__pool_map__project_id_shown_id", "project_id", "shown", "id"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    # The key of the model whose vectors were laid out.
    model: Mapped[str] = mapped_column(String(200))
    method: Mapped[Method] = mapped_column(choice(Method))
    seed: Mapped[int]
    shown: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[CreatedAt]
    # When it was last brought up to the pool and the set.
    followed_at: Mapped[datetime]
    # The number of the newest encoded candidate that it knows of.
    through: Mapped[int] = mapped_column(default=0)
    # left, top, right, bottom of the picture, in the layout's own measure; places are in 65,535ths of it.
    frame: Mapped[list[Any]]
    # name, x, y of each region, in order; where its name stands.
    regions: Mapped[list[Any]]
    centres: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    own: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, default=b"")


class MapPoint(Base):
    """Where a candidate lies on a map, in which region, and how near the nearest example is, in hundredths."""

    __tablename__ = "map_point"
    __table_args__ = (Index("ix__map_point__map_id_region", "map_id", "region"),)

    map_id: Mapped[int] = mapped_column(ForeignKey("pool_map.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    # Whole numbers from 0 to FULL, so that a browser and every database draw the same line around the same points.
    x: Mapped[int]
    y: Mapped[int]
    # Counted from 1, as people see it.
    region: Mapped[int]
    near: Mapped[int]


class RegionName(Base):
    """What somebody called a region, empty for its own words again; the newest that stands on a region counts.

    It stands on the region in which most of its middle lies (see atlas.queries.standing_names), on this map and on
    any that is drawn after it. Undoing takes the row away.
    """

    __tablename__ = "region_name"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    named_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]


class RegionMiddle(Base):
    """A candidate that lay in the middle of a region when it was named."""

    __tablename__ = "region_middle"

    name_id: Mapped[int] = mapped_column(ForeignKey("region_name.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True, index=True
    )
