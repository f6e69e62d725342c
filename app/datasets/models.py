"""Frozen versions; triggers in the database refuse any change of them."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, CreatedAt, PrimaryKey, choice
from app.projects.models import Split


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
