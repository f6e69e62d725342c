"""Base models, training runs, their checkpoints, and what checkpoints answered."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.datasets.models import Version
from app.db import Base, CreatedAt, PrimaryKey, choice


class RunState(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether the trainer has ended; a stopped or failed run can be resumed."""
        return self in {RunState.STOPPED, RunState.SUCCEEDED, RunState.FAILED}

    @property
    def live(self) -> bool:
        """Whether a worker has it, or will."""
        return self in {RunState.QUEUED, RunState.RUNNING, RunState.STOPPING}


class ModelKind(StrEnum):
    """Where a base model comes from."""

    TINY = "tiny"
    SMOLLM2 = "smollm2"
    FOLDER = "folder"


class BaseModel(Base):
    """A model that an admin registered for training: safetensors in a folder, under a name; usable once ready."""

    __tablename__ = "base_model"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[ModelKind] = mapped_column(choice(ModelKind))
    path: Mapped[str] = mapped_column(Text)
    architecture: Mapped[str] = mapped_column(String(80), default="")
    parameters: Mapped[int] = mapped_column(default=0)
    layers: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    error: Mapped[str | None] = mapped_column(Text)
    ready_at: Mapped[datetime | None]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    added_at: Mapped[CreatedAt]
    retired_at: Mapped[datetime | None]


class TrainingRun(Base):
    """One fine-tuning of a base model on a frozen version; its folder is the whole interface to the trainer."""

    __tablename__ = "training_run"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"), index=True)
    base_model_id: Mapped[int] = mapped_column(ForeignKey("base_model.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    recipe: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, Any]]
    state: Mapped[RunState] = mapped_column(choice(RunState), default=RunState.QUEUED)
    # Every process of this run carries it in its environment, so that all of them can be found and ended.
    token: Mapped[str] = mapped_column(String(32), unique=True)
    step: Mapped[int] = mapped_column(default=0)
    steps: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[int] = mapped_column(default=0)
    loss: Mapped[float | None]
    tokens_per_second: Mapped[float | None]
    seconds_left: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    version: Mapped[Version] = relationship(lazy="raise")
    base_model: Mapped[BaseModel] = relationship(lazy="raise")


class Checkpoint(Base):
    """A whole checkpoint that the trainer left behind; its row stays when a later one replaced it on disk."""

    __tablename__ = "checkpoint"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("training_run.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(32))
    epoch: Mapped[int]
    step: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[CreatedAt]
    removed_at: Mapped[datetime | None]
    run: Mapped[TrainingRun] = relationship(lazy="raise")


class Answer(Base):
    """What a checkpoint answered to a prompt, and under which decoding settings."""

    __tablename__ = "answer"

    id: Mapped[PrimaryKey]
    checkpoint_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    messages: Mapped[list[Any]]
    settings: Mapped[dict[str, Any]]
    response: Mapped[str | None] = mapped_column(Text)
    stopped_by: Mapped[str | None] = mapped_column(String(16))
    tokens: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    checkpoint: Mapped[Checkpoint] = relationship(lazy="raise")
