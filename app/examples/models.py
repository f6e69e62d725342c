"""Examples: an ordered list of messages with its history."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db import Base, CreatedAt, MaybeJson, PrimaryKey, choice, now
from app.projects.models import AuthorGroup, Split

SHARE = (
    "created_by", "project_id", "state", "import_run_id", "candidate_id", "revision_number", "changed_at",
)  # fmt: skip


class ExampleState(StrEnum):
    """Where an example stands on its way into the set."""

    DRAFT = "draft"
    REVIEW = "review"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"


def _few(name: str, where: str, *columns: str, sqlite: str = "") -> Index:
    """An index of the few examples of which that is true; SQLite spells truth `= 1`."""
    here, there = text(sqlite or where), text(where)
    return Index(f"ix__example__{name}", "project_id", *columns, "id", sqlite_where=here, postgresql_where=there)


class Example(Base):
    """A prompt and its response, or a conversation; its words live in its revisions."""

    __tablename__ = "example"
    __table_args__ = (
        UniqueConstraint("project_id", "site", "external_id"),
        UniqueConstraint("project_id", "creation_key"),
        Index("ix__example__project_id_state_id", "project_id", "state", "id"),
        # The lists, the latest change first; and whose examples are in which state.
        Index("ix__example__recent", "project_id", "changed_at", "id"),
        Index("ix__example__recent_state", "project_id", "state", "changed_at", "id"),
        # A person's share, counted without opening a row.
        Index("ix__example__share", *SHARE),
        Index("ix__example__held", "project_id", "claimed_until"),
        Index("ix__example__handed", "project_id", "handed_at"),
        Index("ix__example__queue", "project_id", "state", "source", "split", "revision_number", "id", "import_run_id"),
        _few("tests", "split = 'test'"),
        _few("sensitive", "sensitive", sqlite="sensitive = 1"),
        _few("format_constraint", "format_constraint", sqlite="format_constraint = 1"),
        _few("acknowledges_first", "acknowledges_first", sqlite="acknowledges_first = 1"),
        _few("author_group", "author_group IS NOT NULL", "author_group"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    split: Mapped[Split] = mapped_column(choice(Split))
    source: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16), default="en")
    flags: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[ExampleState] = mapped_column(choice(ExampleState), default=ExampleState.DRAFT)
    # Where it came from; (site, external_id) makes an import into the set idempotent.
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("candidate.id", ondelete="SET NULL"), unique=True)
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id", ondelete="SET NULL"), index=True)
    site: Mapped[str | None] = mapped_column(String(120))
    external_id: Mapped[str | None] = mapped_column(String(120))
    # Answers to one question share it, as candidates do.
    thread_id: Mapped[str | None] = mapped_column(String(120))
    licence: Mapped[str | None] = mapped_column(String(80))
    # author, author_url, url, site, date: what an attribution needs
    attribution: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The number of the newest revision; a save names the one it was based on and a stale one is refused.
    revision_number: Mapped[int] = mapped_column(default=0)
    approved_number: Mapped[int | None]
    # What the second person said last: the writer reads it here; reviews keep the whole history.
    verdict_words: Mapped[str] = mapped_column(Text, default="")
    verdict_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    verdict_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    # Sent by the form that made it: the same form sent twice makes one example.
    creation_key: Mapped[str | None] = mapped_column(String(64))
    # Who writes on it: alone until then, and the last to have done so afterwards. Persons' numbers, as below.
    claimed_by: Mapped[int | None] = mapped_column(index=True)
    claimed_until: Mapped[datetime | None]
    handed_to: Mapped[int | None] = mapped_column(index=True)
    handed_by: Mapped[int | None]
    handed_at: Mapped[datetime | None]
    handed_words: Mapped[str] = mapped_column(Text, default="")
    # Another answer to the prompt of that example; it counts its answers, itself among them.
    beside_id: Mapped[int | None] = mapped_column(index=True)
    answers: Mapped[int] = mapped_column(default=1)
    # Its author's group when it was written; and what a person found the prompt and its response to be.
    author_group: Mapped[AuthorGroup | None] = mapped_column(choice(AuthorGroup))
    sensitive: Mapped[bool] = mapped_column(default=False, server_default=false())
    format_constraint: Mapped[bool] = mapped_column(default=False, server_default=false())
    acknowledges_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The example that this one translates, be it of this project or of the one it follows, and the revision of it
    # that the translator has seen.
    translation_of_id: Mapped[int | None] = mapped_column(index=True)
    translation_seen: Mapped[int | None]
    created_at: Mapped[CreatedAt]
    changed_at: Mapped[datetime] = mapped_column(default=now)
    creator: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[created_by])
    judge: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[verdict_by])


class Revision(Base):
    """The words of an example at one moment; never changed, only followed by another."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("example_id", "number"),
        UniqueConstraint("example_id", "idempotency_key"),
        Index("ix__revision__author", "author_id", "example_id"),
    )

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"))
    number: Mapped[int]
    messages: Mapped[list[Any]]
    title: Mapped[str] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(300), default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    # What a model had said of this example by then, and how many words of it stand here (marking.py); None: nothing.
    help: Mapped[list[Any] | None] = mapped_column(MaybeJson)
    created_at: Mapped[CreatedAt]
    author: Mapped[User | None] = relationship(lazy="raise")
    example: Mapped[Example] = relationship(lazy="raise")


class SkipReason(StrEnum):
    """Why somebody did not want to write an example; `passed` is no reason, they only went on to the next."""

    PASSED = "passed"
    NOT_MY_FIELD = "not my field"
    NOT_WORTH_IT = "not worth it"
    UNCLEAR = "unclear"
    SENSITIVE = "sensitive"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Skip(Base):
    """One person does not want to write one example; it stays in the queue of the others."""

    __tablename__ = "example_skip"

    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    reason: Mapped[SkipReason] = mapped_column(choice(SkipReason))
    words: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[CreatedAt]
    user: Mapped[User] = relationship(lazy="raise")
    example: Mapped[Example] = relationship(lazy="raise")


class WorkingCopy(Base):
    """What one person types into an example, or into one that is not made yet: kept before it is a revision.

    An example that is not made yet is known by the creation key of its form.
    """

    __tablename__ = "working_copy"
    __table_args__ = (
        UniqueConstraint("user_id", "example_id"),
        UniqueConstraint("user_id", "project_id", "creation_key"),
    )

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    example_id: Mapped[int | None] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), index=True)
    creation_key: Mapped[str | None] = mapped_column(String(64))
    messages: Mapped[list[Any]]
    # split, source, language, flags: as they were typed, be they right or not
    description: Mapped[dict[str, Any]]
    # The revision it began from; 0 where there is none yet.
    based_on: Mapped[int]
    # Each save names the counter it follows, so that two tabs never overwrite each other.
    counter: Mapped[int]
    # Of the save that stands here: sent again, it is answered and not done again.
    key: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(default=now)


class HouseStyle(Base):
    """Which remarks a project makes; a project without a row has every rule on, set as it is by itself."""

    __tablename__ = "house_style"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    # {rule: {"on": bool, parameter: value, …}}
    rules: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime] = mapped_column(default=now)


class LeftRemark(Base):
    """A remark that somebody read and left as it is, for one example."""

    __tablename__ = "left_remark"
    __table_args__ = (UniqueConstraint("example_id", "key"),)

    id: Mapped[PrimaryKey]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[CreatedAt]


class ModelExample(Base):
    """An approved example that a lead shows to everybody who writes: like this."""

    __tablename__ = "model_example"

    example_id: Mapped[int] = mapped_column(
        ForeignKey("example.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[CreatedAt]


class SuggestionKind(StrEnum):
    """What a model was asked for."""

    CRITIQUE = "critique"
    OUTLINE = "outline"


class Suggestion(Base):
    """What somebody asked a model about an example, all that was sent, and what it said; shown, never written anywhere.

    One for an example that is not made yet is known by the creation key of its form until it is.
    """

    __tablename__ = "suggestion"
    __table_args__ = (Index("ix__suggestion__unmade", "project_id", "creation_key"),)

    id: Mapped[PrimaryKey]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    example_id: Mapped[int | None] = mapped_column(ForeignKey("example.id", ondelete="CASCADE"), index=True)
    creation_key: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[SuggestionKind] = mapped_column(choice(SuggestionKind))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    asked_at: Mapped[CreatedAt]
    # Whom: "model server local", "run 3, epoch-05", and the model's name; they stay when the server or the run goes.
    by: Mapped[str] = mapped_column(String(120))
    model: Mapped[str] = mapped_column(String(200))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("endpoint.id", ondelete="SET NULL"))
    checkpoint_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id", ondelete="SET NULL"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    # The instruction and the text as it was typed, as messages, word for word.
    sent: Mapped[list[Any]]
    words: Mapped[str | None] = mapped_column(Text)
    cut: Mapped[bool] = mapped_column(default=False)
    tokens: Mapped[int | None]
    seconds: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    copied_at: Mapped[datetime | None]
    copied_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    asker: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[asked_by])

    @property
    def waits(self) -> bool:
        """Whether an answer may still come."""
        return self.words is None and self.error is None
