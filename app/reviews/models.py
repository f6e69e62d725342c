"""What the second person said of a revision."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, PrimaryKey, choice


class ReviewVerdict(StrEnum):
    """The three ways a review can end; imported sets were approved elsewhere; a verdict can be taken back."""

    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    IMPORTED = "imported"
    WITHDRAWN = "withdrawn"


class Review(Base):
    """One verdict on one revision."""

    __tablename__ = "review"

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), index=True)
    revision_number: Mapped[int]
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    verdict: Mapped[ReviewVerdict] = mapped_column(choice(ReviewVerdict))
    words: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[CreatedAt]
    reviewer: Mapped[User | None] = relationship(lazy="raise")
