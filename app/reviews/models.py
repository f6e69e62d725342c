"""What second persons said: verdicts on revisions, and comments on passages."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, PrimaryKey, choice
from app.examples.models import Example


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
    # What the example became by it; None while another second person is awaited, and for a verdict taken back.
    outcome: Mapped[ReviewVerdict | None] = mapped_column(choice(ReviewVerdict))
    # Where a project asks for two: the other verdict that this one decided with.
    second_to: Mapped[int | None] = mapped_column(index=True)
    created_at: Mapped[CreatedAt]
    reviewer: Mapped[User | None] = relationship(lazy="raise")


class Comment(Base):
    """Words beside a passage of one message, or an answer to such words; an empty quote speaks of the whole example.

    `start` and `end` count characters of that message in the revision that it was made on: app.reviews.pins carries
    them to later ones. Only what begins a thread is settled; its answers are settled with it.
    """

    __tablename__ = "comment"
    __table_args__ = (UniqueConstraint("example_id", "key"),)

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"))
    revision_number: Mapped[int]
    message: Mapped[int]
    start: Mapped[int]
    end: Mapped[int]
    quote: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    answer_to: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    settled_at: Mapped[datetime | None]
    # Sent by the form that made it: the same form sent twice makes one comment.
    key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[CreatedAt]
    author: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[author_id])
    settler: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[settled_by])
    example: Mapped[Example] = relationship(lazy="raise")


class CommentMention(Base):
    """A member whom a comment names."""

    __tablename__ = "comment_mention"

    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
