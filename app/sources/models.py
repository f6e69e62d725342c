"""Imports, what each record of them became, and the candidates in the pool."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false, text
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
    KEPT = "kept"
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

    @property
    def noted_under(self) -> int:
        """The import whose records these are: its own, or those of an earlier one of the same file and settings."""
        return int(self.options.get("same_as", self.id))


LONGEST_CATEGORY = 120


def category_in(extra: Mapping[str, Any]) -> str | None:
    """The category that a record names, cut to what is stored; None where it names none."""
    named = extra.get("category")
    return named[:LONGEST_CATEGORY] if isinstance(named, str) and named else None


def _last_words(row: Any) -> str:
    messages = row.get_current_parameters().get("messages")
    return str(messages[-1]["content"]) if messages else ""


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
        # All that the pool counts, so that no row is opened for it.
        Index(
            "ix__candidate__facets",
            *("project_id", "status", "source", "site", "licence", "split", "language", "import_run_id"),
        ),
        Index(
            "ix__candidate__category",
            *("project_id", "status", "category", "import_run_id"),
            sqlite_where=text("category IS NOT NULL"),
            postgresql_where=text("category IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
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
    content_hash: Mapped[str] = mapped_column(String(64))
    # As its import's state says; here because a unique index sees one table only.
    published: Mapped[bool] = mapped_column(default=False)
    status: Mapped[CandidateStatus] = mapped_column(choice(CandidateStatus), default=CandidateStatus.OPEN)
    status_reason: Mapped[str | None] = mapped_column(String(300))
    # A person's number, without a key as below. It outlasts a rejection or use, so that undoing either gives it back.
    kept_by: Mapped[int | None]
    # Of the last message, for filters.
    length: Mapped[int] = mapped_column(default=lambda row: len(_last_words(row)), server_default="0")
    has_code: Mapped[bool] = mapped_column(default=lambda row: "```" in _last_words(row), server_default=false())
    # As `extra` has it, for filters.
    category: Mapped[str | None] = mapped_column(
        String(LONGEST_CATEGORY), default=lambda row: category_in(row.get_current_parameters().get("extra") or {})
    )
    # Whether the title says all that an answer needs to know; None until somebody judges it.
    title_alone: Mapped[bool | None]
    # A person's number, without a key: SQLite adds none to a table without copying it whole.
    title_judged_by: Mapped[int | None]
    title_judged_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    import_run: Mapped[ImportRun] = relationship(lazy="raise")


class ImportRecord(Base):
    """What one import did with one record: kept, or dropped by which rule and why; and where to read it again.

    What the record says is not copied: it stands in the upload that was kept, at `member`, `position`, `beside`.
    """

    __tablename__ = "import_record"
    __table_args__ = (
        Index("ix__import_record__import_run_id_rule_number", "import_run_id", "rule", "number"),
        # Rows lie in the order of their key, so an import writes two trees and not three.
        {"sqlite_with_rowid": False},
    )

    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    # Its place among the records of the file, from 1: a file may hold the same record twice.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member: Mapped[int] = mapped_column(default=0)
    # NULL for what was imported before places were noted.
    position: Mapped[int | None]
    beside: Mapped[int | None]
    line: Mapped[int]
    external_id: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str | None] = mapped_column(String(40))
    # NULL for a kept record that nothing is to be said of.
    reason: Mapped[str | None] = mapped_column(Text)
    # Who made a candidate of it although a rule had dropped it.
    restored_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    restored_at: Mapped[datetime | None]


class ImportRemark(Base):
    """A line that an import left out as `unreadable`, or a record that it left alone: its id has other words here."""

    __tablename__ = "import_remark"
    # Rows lie in the order of their key, as those of import_record do.
    __table_args__ = ({"sqlite_with_rowid": False},)

    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    # In the order in which they were met, from 1.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    unreadable: Mapped[bool]


class Transfer(Base):
    """An upload on its way in pieces; what has arrived lies below the folder of uploads, under its key."""

    __tablename__ = "transfer"

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(String(32), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[CreatedAt]
    # name and size in bytes of each, in their order
    files: Mapped[list[Any]]


class ColumnMapping(Base):
    """How the columns of a table were mapped when a file with these columns was imported last in this project."""

    __tablename__ = "column_mapping"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    # The SHA-256 of the columns' names, sorted.
    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    # What people call it: that of the first import that used it, unless somebody renamed it.
    name: Mapped[str] = mapped_column(String(120))
    columns: Mapped[dict[str, Any]]


class ExchangeGroup(Base):
    """Which group of sources an exchange counts towards in this project: STEM, other or discarded."""

    __tablename__ = "exchange_group"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    site: Mapped[str] = mapped_column(String(120), primary_key=True)
    group: Mapped[str] = mapped_column(String(16))
