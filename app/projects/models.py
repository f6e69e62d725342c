"""A project, its composition target and its members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Role, User
from app.db import Base, CreatedAt, PrimaryKey, choice


class Split(StrEnum):
    """What an example is for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Project(Base):
    """One data set in the making."""

    __tablename__ = "project"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    guide: Mapped[str] = mapped_column(Text, default="")
    # How many people may answer the same prompt; with 1 nobody gets what another has.
    overlap: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[CreatedAt]
    archived_at: Mapped[datetime | None]
    # How many second persons have to have read a revision before it is decided on: 1 or 2.
    reviews_needed: Mapped[int] = mapped_column(default=1, server_default="1")


class CompositionRow(Base):
    """How many examples of one source the project wants in one split."""

    __tablename__ = "composition_row"
    __table_args__ = (UniqueConstraint("project_id", "source", "split"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(64))
    split: Mapped[Split] = mapped_column(choice(Split))
    title: Mapped[str] = mapped_column(String(80))
    short_title: Mapped[str] = mapped_column(String(16))
    target: Mapped[int]
    position: Mapped[int]
    colour: Mapped[int]


class Membership(Base):
    """A person's role in one project."""

    __tablename__ = "membership"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(choice(Role))
    created_at: Mapped[CreatedAt]
    user: Mapped[User] = relationship(lazy="raise")
    project: Mapped[Project] = relationship(lazy="raise")
