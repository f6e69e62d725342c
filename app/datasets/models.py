"""Frozen versions, whose change triggers in the database refuse; what they were found to be since; and splits drawn."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, CreatedAt, PrimaryKey, choice
from app.projects.models import Split

# Bytes that are kept of each row: enough to name the one that changed; the hash of the whole is the proof.
KEPT = 4


class Version(Base):
    """A set of approved revisions, named once and for all; its id is the SHA-256 of examples.jsonl."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    # With it a trigger can tell the rows of the freeze from rows that somebody adds later.
    row_count: Mapped[int]
    # names, times, people, gates, counts and software: all that is not the examples themselves
    manifest: Mapped[dict[str, Any]]
    # Not a foreign key: a person may go, the version stays as it was.
    frozen_by: Mapped[int | None]
    frozen_at: Mapped[CreatedAt]


class VersionRow(Base):
    """One line of examples.jsonl, byte for byte, and the revision that it came from."""

    __tablename__ = "version_row"
    __table_args__ = (
        UniqueConstraint("version_id", "position"),
        Index("ix__version_row__example_id", "example_id"),
    )

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"))
    position: Mapped[int]
    example_id: Mapped[int]
    revision_number: Mapped[int]
    split: Mapped[Split] = mapped_column(choice(Split))
    source: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    line: Mapped[str] = mapped_column(Text)
    version: Mapped[Version] = relationship(lazy="raise")


class VersionCheck(Base):
    """What a version was at its freeze, kept apart from it, and what the last look at it found.

    No foreign key to the version: that it is gone is the worst that can be found.
    """

    __tablename__ = "version_check"

    version_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    row_count: Mapped[int]
    # Of the manifest's canonical JSON; and a few bytes of each row, by which a changed one is named.
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    row_digests: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    checked_at: Mapped[datetime | None]
    # What is wrong in a sentence, empty while nothing is; since when; and the place of the first wrong row, if one is.
    problem: Mapped[str] = mapped_column(Text, default="")
    broken_since: Mapped[datetime | None]
    position: Mapped[int | None]

    def digest_at(self, position: int) -> bytes:
        """What is kept of the row at that position, empty where there was none."""
        return self.row_digests[KEPT * position :][:KEPT] if position >= 0 else b""


class SplitPlan(Base):
    """One application of the seeded rule that draws dev and test: what was asked for, and which examples it moved."""

    __tablename__ = "split_plan"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    # dev, test, seed, by, redraw
    asked: Mapped[dict[str, Any]]
    # [example's number, split before, split after]
    moves: Mapped[list[Any]]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None]
