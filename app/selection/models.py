"""Sampling plans that were carried out, and how far the pool's words are indexed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, PrimaryKey, choice


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


class SearchableImport(Base):
    """How far the words of an import's candidates stand in the index of SQLite; PostgreSQL keeps its own."""

    __tablename__ = "searchable_import"

    import_run_id: Mapped[int] = mapped_column(
        ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    through_id: Mapped[int] = mapped_column(default=0)
    whole: Mapped[bool] = mapped_column(default=False)


class PoolStep(Base):
    """One thing that a person did to a candidate, and how it was before; those of one act are undone together."""

    __tablename__ = "pool_step"
    __table_args__ = (Index("ix__pool_step_project_id_user_id_id", "project_id", "user_id", "id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(32))
    # status, reason, title_alone, kept_by
    before: Mapped[dict[str, Any]]


class NextVerdict(StrEnum):
    """What somebody said to a candidate that was suggested."""

    ACCEPTED = "accepted"
    LATER = "later"
    NEVER = "never"


class NextDecision(Base):
    """What was decided last on a candidate that "Add next" suggested; undoing takes the row away.

    It stands as long as the candidate is what it made of it. `begun` is how many examples the set had then: what was
    put off is suggested again once the set has grown (see app.selection.deciding).
    """

    __tablename__ = "next_decision"
    __table_args__ = (Index("ix__next_decision__project_id_user_id_id", "project_id", "user_id", "id"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    verdict: Mapped[NextVerdict] = mapped_column(choice(NextVerdict))
    begun: Mapped[int] = mapped_column(default=0)
