"""Examples: an ordered list of messages with its history."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, PrimaryKey, choice, now
from app.projects.models import Split


class ExampleState(StrEnum):
    """Where an example stands on its way into the set."""

    DRAFT = "draft"
    REVIEW = "review"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"


class Example(Base):
    """A prompt and its response, or a conversation; its words live in its revisions."""

    __tablename__ = "example"
    __table_args__ = (
        UniqueConstraint("project_id", "site", "external_id"),
        UniqueConstraint("project_id", "creation_key"),
        Index("ix__example__project_id_state_id", "project_id", "state", "id"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    split: Mapped[Split] = mapped_column(choice(Split))
    source: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16), default="en")
    flags: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[ExampleState] = mapped_column(choice(ExampleState), default=ExampleState.DRAFT)
    # Where it came from; (site, external_id) makes an import into the set idempotent.
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("candidate.id", ondelete="SET NULL"), unique=True)
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id", ondelete="SET NULL"), index=True)
    site: Mapped[str | None] = mapped_column(String(120))
    external_id: Mapped[str | None] = mapped_column(String(120))
    licence: Mapped[str | None] = mapped_column(String(80))
    # author, author_url, url, site, date: what an attribution needs
    attribution: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The number of the newest revision; a save names the one it was based on and a stale one is refused.
    revision_number: Mapped[int] = mapped_column(default=0)
    approved_number: Mapped[int | None]
    # What the second person said last: the writer reads it here; reviews keep the whole history.
    verdict_words: Mapped[str] = mapped_column(Text, default="")
    verdict_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    verdict_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    # Sent by the form that made it: the same form sent twice makes one example.
    creation_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[CreatedAt]
    changed_at: Mapped[datetime] = mapped_column(default=now)
    creator: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[created_by])
    judge: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[verdict_by])


class Revision(Base):
    """The words of an example at one moment; never changed, only followed by another."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("example_id", "number"),
        UniqueConstraint("example_id", "idempotency_key"),
    )

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"))
    number: Mapped[int]
    messages: Mapped[list[Any]]
    title: Mapped[str] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(300), default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[CreatedAt]
    author: Mapped[User | None] = relationship(lazy="raise")
    example: Mapped[Example] = relationship(lazy="raise")
