"""Lists of benchmark prompts that a project names, what of its examples is near to them, and what was compared."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, PrimaryKey, choice
from app.duplicates.models import Method
from app.examples.models import Example
from app.examples.sight import hiding_projects, limits


class MatchVerdict(StrEnum):
    """What was decided about an example that is near to a listed prompt."""

    OPEN = "open"
    STAYS = "stays"
    REJECTED = "rejected"


class BenchmarkList(Base):
    """A file of prompts that nothing may be trained on; `sha256` is that of the file as it came."""

    __tablename__ = "benchmark_list"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        UniqueConstraint("project_id", "sha256"),
        # A list takes a number that none had before: whoever compares knows the lists by them.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    licence: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(1000), default="")
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    # Rows of the file, and the different prompts in them.
    records: Mapped[int]
    prompts: Mapped[int]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]


class BenchmarkPrompt(Base):
    """One prompt of a list; `line` is where its row begins in the file.

    No candidate and no example: nothing lists, searches, samples or exports it. Whom a project keeps from its test
    prompts it keeps from these as well.
    """

    __tablename__ = "benchmark_prompt"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("benchmark_list.id", ondelete="CASCADE"), index=True)
    line: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


limits(BenchmarkPrompt, lambda person: BenchmarkPrompt.project_id.not_in(hiding_projects(person)))


class BenchmarkMatch(Base):
    """An example, by one of its prompts, that is near to a listed prompt.

    A decision is about the words of that prompt, whose SHA-256 is `text_hash`: other words are asked about again.
    """

    __tablename__ = "benchmark_match"
    __table_args__ = (
        UniqueConstraint("prompt_id", "example_id"),
        Index("ix__benchmark_match__list_id_verdict", "list_id", "verdict"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("benchmark_list.id", ondelete="CASCADE"))
    prompt_id: Mapped[int] = mapped_column(ForeignKey("benchmark_prompt.id", ondelete="CASCADE"))
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), index=True)
    # Which of a dialogue's prompts it is, from 1.
    turn: Mapped[int]
    method: Mapped[Method] = mapped_column(choice(Method))
    score: Mapped[float]
    text_hash: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[MatchVerdict] = mapped_column(choice(MatchVerdict), default=MatchVerdict.OPEN)
    reason: Mapped[str] = mapped_column(String(1000), default="")
    # What the decision changed, so that an undo can put exactly that back.
    effect: Mapped[dict[str, Any]] = mapped_column(default=dict)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    decider: Mapped[User | None] = relationship(lazy="raise")
    benchmark: Mapped[BenchmarkList] = relationship(lazy="raise")
    example: Mapped[Example] = relationship(lazy="raise")


class BenchmarkCheck(Base):
    """Which words of an example were compared with all lists, at which thresholds, and by which model if by any."""

    __tablename__ = "benchmark_check"

    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    revision_number: Mapped[int]
    thresholds: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(200))
