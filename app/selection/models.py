"""How far the pool's words are indexed, and what people did to candidates, to be undone."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, PrimaryKey


class SearchableImport(Base):
    """How far the words of an import's candidates stand in the index of SQLite; PostgreSQL keeps its own."""

    __tablename__ = "searchable_import"

    import_run_id: Mapped[int] = mapped_column(
        ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    through_id: Mapped[int] = mapped_column(default=0)
    whole: Mapped[bool] = mapped_column(default=False)


class PoolStep(Base):
    """One thing that a person did to a candidate, and how it was before; those of one act are undone together."""

    __tablename__ = "pool_step"
    __table_args__ = (Index("ix__pool_step_project_id_user_id_id", "project_id", "user_id", "id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"), index=True)
    act: Mapped[str] = mapped_column(String(32))
    # status, reason, title_alone, kept_by
    before: Mapped[dict[str, Any]]
