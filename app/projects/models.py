"""A project, its composition target and its members."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import Role, User
from app.db import Base, CreatedAt, PrimaryKey, choice


class Split(StrEnum):
    """What an example is for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class AuthorGroup(StrEnum):
    """LIMA's two groups of people who write prompts: A for train and dev, B for test."""

    A = "A"
    B = "B"


# What people may find a prompt to be, and its response.
PROMPT_FLAGS = ("sensitive", "format_constraint", "acknowledges_first")


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
    # Whether test prompts are kept out of sight of those who may write training examples.
    tests_hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The language of its texts, for those that state none; None: nobody said.
    language: Mapped[str | None] = mapped_column(String(16))
    # The project whose examples are translated here, and the language they are translated into.
    follows_id: Mapped[int | None]
    follows_language: Mapped[str | None] = mapped_column(String(16))
    # By which tokenizer its texts are counted, and where that one came from; None: tokens are estimated.
    tokenizer_sha256: Mapped[str | None] = mapped_column(String(64))
    tokenizer_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    # By which model its texts are compared, as app.embeddings names one; empty: the installation's. While that changes,
    # the next one, with the key of its vectors once that is known.
    encoder: Mapped[str] = mapped_column(String(400), default="", server_default="")
    next_encoder: Mapped[str | None] = mapped_column(String(400))
    next_encoder_key: Mapped[str] = mapped_column(String(200), default="", server_default="")


class TokenizerFile(Base):
    """A tokenizer.json, known by the hash of its bytes and never changed; several projects may count by one."""

    __tablename__ = "tokenizer_file"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Packed by zlib: a quarter of the file.
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]


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
    # Which group of authors the person writes in, if the project has such groups.
    author_group: Mapped[AuthorGroup | None] = mapped_column(choice(AuthorGroup))
    # Reads the test prompts although they are hidden: a second person for them who writes no training examples.
    reads_tests: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[CreatedAt]
    user: Mapped[User] = relationship(lazy="raise")
    project: Mapped[Project] = relationship(lazy="raise")
