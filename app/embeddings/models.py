"""Vectors, stored once a text and model; and which texts of the pool have one."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, PrimaryKey


class Embedding(Base):
    """A unit vector, float32 little-endian, of the text with this SHA-256 under this model."""

    __tablename__ = "embedding"
    __table_args__ = (UniqueConstraint("model", "text_hash"),)

    id: Mapped[PrimaryKey]
    model: Mapped[str] = mapped_column(String(200))
    text_hash: Mapped[str] = mapped_column(String(64))
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class CandidateText(Base):
    """A candidate whose prompt has a vector under this model; the row comes once the vector is there.

    A row is never changed: whoever keeps vectors in memory asks for those with higher numbers. What has no prompt to
    encode has a row with an empty hash, and no vector.
    """

    __tablename__ = "candidate_text"
    __table_args__ = (
        UniqueConstraint("candidate_id", "model"),
        Index("ix__candidate_text__project_id_model_id", "project_id", "model", "id"),
        # A row that takes a higher number than any before, even than one that is gone.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    # The key of the model.
    model: Mapped[str] = mapped_column(String(200))
    # SHA-256 of the prompt, by which its vector is kept.
    prompt_hash: Mapped[str] = mapped_column(String(64))
