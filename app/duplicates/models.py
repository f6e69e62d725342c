"""Scans for duplicates, the pairs they found, and what people decided."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, PrimaryKey, choice


class Verdict(StrEnum):
    """What was decided about a pair."""

    OPEN = "open"
    KEEP_LEFT = "keep_left"
    KEEP_RIGHT = "keep_right"
    KEEP_BOTH = "keep_both"


class Method(StrEnum):
    """How a pair was found."""

    EXACT = "exact"
    EMBEDDING = "embedding"


class On(StrEnum):
    """What of two texts is compared: what is asked, what is answered, or both together."""

    PROMPT = "prompt"
    RESPONSE = "response"
    PAIR = "pair"


class DuplicateScan(Base):
    """One look for duplicates over candidates and examples."""

    __tablename__ = "duplicate_scan"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    methods: Mapped[list[Any]]
    on: Mapped[On] = mapped_column(choice(On))
    threshold: Mapped[float]
    # texts, pairs, clusters, leaks, seconds, peak_rss_mb: the CLI's JSON document
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)


class DuplicatePair(Base):
    """Two texts that look alike; keys are `candidate:SITE/ID` or `example:ID`, left before right.

    A pair is remembered by its keys and what was compared, so the next scan finds the decision in place.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("project_id", "left_key", "right_key", "on"),
        Index("ix__duplicate_pair__project_id_verdict_score", "project_id", "verdict", "score"),
        Index("ix__duplicate_pair__project_id_right_key", "project_id", "right_key"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    # The newest scan that found it.
    scan_id: Mapped[int] = mapped_column(ForeignKey("duplicate_scan.id", ondelete="CASCADE"), index=True)
    left_key: Mapped[str] = mapped_column(String(260))
    right_key: Mapped[str] = mapped_column(String(260))
    on: Mapped[On] = mapped_column(choice(On))
    method: Mapped[Method] = mapped_column(choice(Method))
    score: Mapped[float]
    leak: Mapped[bool]
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict), default=Verdict.OPEN)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    # What the decision changed, so that an undo can put exactly that back; and why a leak was kept.
    effect: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decider: Mapped[User | None] = relationship(lazy="raise")

    @property
    def kept_because(self) -> str:
        """Why both were kept although one is trained on and the other held out; empty for all others."""
        return str(self.effect.get("kept_because", ""))
