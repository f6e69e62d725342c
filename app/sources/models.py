"""Imports, what each record of them became, and the candidates in the pool."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, CreatedAt, PrimaryKey, choice
from app.projects.models import Split


class Into(StrEnum):
    """Where kept records go: candidates to pick from, or submitted examples."""

    POOL = "pool"
    SET = "set"


class ImportState(StrEnum):
    """Rows of an import show only once it is published."""

    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CandidateStatus(StrEnum):
    """What people made of a candidate; nothing is ever deleted."""

    OPEN = "open"
    REJECTED = "rejected"
    USED = "used"


class ImportRun(Base):
    """One import: what was read, by which rules, and the funnel it ended in."""

    __tablename__ = "import_run"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(120))
    path: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(32))
    site: Mapped[str] = mapped_column(String(120))
    source: Mapped[str | None] = mapped_column(String(64))
    licence: Mapped[str | None] = mapped_column(String(80))
    into: Mapped[Into] = mapped_column(choice(Into))
    ruleset: Mapped[dict[str, Any]]
    ruleset_hash: Mapped[str] = mapped_column(String(64))
    skip_bad: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[ImportState] = mapped_column(choice(ImportState), default=ImportState.WAITING)
    error: Mapped[str | None] = mapped_column(Text)
    # records, funnel, created, unchanged, flagged, errors, seconds, peak_rss_mb: the CLI's JSON document
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Candidate(Base):
    """A record that the rules let through, with its provenance for ever; unique by site and external id.

    Until its import is published it is unique within that import only: two imports of one file at once do not
    meet before one of them is published, and a cancelled one takes nothing of the other's away.
    """

    __tablename__ = "candidate"
    __table_args__ = (
        UniqueConstraint("import_run_id", "site", "external_id"),
        Index(
            "uq__candidate__published",
            "project_id",
            "site",
            "external_id",
            unique=True,
            # Said as queries say it, or SQLite would not use it for them.
            sqlite_where=text("published = 1"),
            postgresql_where=text("published"),
        ),
        Index("ix__candidate__project_id_status_id", "project_id", "status", "id"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), index=True)
    site: Mapped[str] = mapped_column(String(120))
    external_id: Mapped[str] = mapped_column(String(120))
    # Answers to one question share it; they are no duplicates by prompt.
    thread_id: Mapped[str | None] = mapped_column(String(120))
    source: Mapped[str | None] = mapped_column(String(64))
    split: Mapped[Split] = mapped_column(choice(Split), default=Split.TRAIN)
    language: Mapped[str] = mapped_column(String(16), default="en")
    title: Mapped[str] = mapped_column(Text)
    messages: Mapped[list[Any]]
    score: Mapped[int | None]
    author: Mapped[str | None] = mapped_column(String(200))
    author_url: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    licence: Mapped[str | None] = mapped_column(String(80))
    posted_at: Mapped[datetime | None]
    # What else its licence asks to name or people may want to know: the question's author, link and licence, tags.
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    # As its import's state says; here because a unique index sees one table only.
    published: Mapped[bool] = mapped_column(default=False)
    status: Mapped[CandidateStatus] = mapped_column(choice(CandidateStatus), default=CandidateStatus.OPEN)
    status_reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[CreatedAt]
    import_run: Mapped[ImportRun] = relationship(lazy="raise")


class ImportRecord(Base):
    """What one import did with one record: kept, or dropped by which rule and why."""

    __tablename__ = "import_record"
    __table_args__ = (
        UniqueConstraint("import_run_id", "number"),
        Index("ix__import_record__import_run_id_rule_id", "import_run_id", "rule", "id"),
    )

    id: Mapped[PrimaryKey]
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    # Its place among the records of the file, from 1: a file may hold the same record twice.
    number: Mapped[int]
    line: Mapped[int]
    external_id: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)
    # [start, end] in the excerpt of each passage that the rule objected to
    marks: Mapped[list[Any]] = mapped_column(default=list)
    score: Mapped[int | None]
    author: Mapped[str | None] = mapped_column(String(200))
    licence: Mapped[str | None] = mapped_column(String(80))
    url: Mapped[str | None] = mapped_column(Text)


class ExchangeGroup(Base):
    """Which group of sources an exchange counts towards in this project: STEM, other or discarded."""

    __tablename__ = "exchange_group"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    site: Mapped[str] = mapped_column(String(120), primary_key=True)
    group: Mapped[str] = mapped_column(String(16))
