"""Sampling plans that were carried out."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, PrimaryKey


class Sampling(Base):
    """One plan carried out: the plan, its hash, the seed, and the document that it ended in."""

    __tablename__ = "sampling"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    plan: Mapped[dict[str, Any]]
    plan_sha256: Mapped[str] = mapped_column(String(64))
    seed: Mapped[int]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]


class SamplingPick(Base):
    """A candidate that a plan took into the set."""

    __tablename__ = "sampling_pick"

    sampling_id: Mapped[int] = mapped_column(ForeignKey("sampling.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True, index=True
    )
