"""What people said to suggestions, and what they asked for more of."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, PrimaryKey, choice


class NextVerdict(StrEnum):
    """What somebody said to a candidate that was suggested."""

    ACCEPTED = "accepted"
    LATER = "later"
    NEVER = "never"


class NextDecision(Base):
    """What was decided last on a candidate that "Add next" suggested; undoing takes the row away.

    It stands as long as the candidate is what it made of it. `begun` is how many examples the set had then: what was
    put off is suggested again once the set has grown (see app.selection.adding.deciding).
    """

    __tablename__ = "next_decision"
    __table_args__ = (Index("ix__next_decision__project_id_user_id_id", "project_id", "user_id", "id"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    verdict: Mapped[NextVerdict] = mapped_column(choice(NextVerdict))
    begun: Mapped[int] = mapped_column(default=0)


class CoverageRequest(Base):
    """Words of which the set needs more, and who said so; suggestions weigh it by meaning until it is withdrawn."""

    __tablename__ = "coverage_request"

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    words: Mapped[str] = mapped_column(String(300))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    withdrawn_at: Mapped[datetime | None]
