"""Scans for duplicates, the pairs they found, and what people decided."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
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
    """How a pair was found.

    `translation` by the link of the two; the others by a scan, or by somebody who wrote the one beside the other.
    """

    EXACT = "exact"
    LEXICAL = "lexical"
    EMBEDDING = "embedding"
    TRANSLATION = "translation"


# What a scan can look by.
SCANNED = (Method.EXACT, Method.LEXICAL, Method.EMBEDDING)


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
    # texts, pairs, clusters, leaks, seconds, peak_rss_mb: the CLI's JSON document; and "standing", see looking.Looking
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
    # The newest scan that found it; none where somebody settled it while writing and no scan has been by since.
    scan_id: Mapped[int | None] = mapped_column(ForeignKey("duplicate_scan.id", ondelete="CASCADE"), index=True)
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

    @property
    def reason(self) -> str:
        """What whoever decided said about it, if anything."""
        return self.kept_because or str(self.effect.get("why", ""))

    @property
    def judged(self) -> bool:
        """Whether it is open and somebody said that both are the same, without choosing yet."""
        return self.verdict is Verdict.OPEN and self.effect.get("judged") == "same"


class ExampleText(Base):
    """What of an example's newest words is compared while somebody writes: made by a worker soon after each save.

    A row is never changed, only replaced by one with a higher number: whoever keeps rows in memory asks for newer ones.
    """

    __tablename__ = "example_text"
    __table_args__ = (
        Index("ix__example_text__project_id_model_id", "project_id", "model", "id"),
        Index("ix__example_text__project_id_prompt_form", "project_id", "prompt_form"),
        # A row that takes a higher number than any before, even than one that is gone.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    revision_number: Mapped[int]
    # The key of the model under which both texts have a vector.
    model: Mapped[str] = mapped_column(String(200))
    # SHA-256 of the prompt and the response, by which their vectors are kept, and of the prompt's normal form; empty
    # for a blank text.
    prompt_hash: Mapped[str] = mapped_column(String(64))
    response_hash: Mapped[str] = mapped_column(String(64))
    prompt_form: Mapped[str] = mapped_column(String(64))
    # See app.duplicates.lexical: uint32, little-endian.
    prompt_signature: Mapped[bytes] = mapped_column(LargeBinary)
