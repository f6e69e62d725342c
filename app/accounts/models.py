"""People, how they prove who they are, what they may do, and the trail of what was done."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, CreatedAt, PrimaryKey, choice


class Role(StrEnum):
    """What a person may do, in rising order."""

    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Scope(StrEnum):
    """How far an API token reaches; never further than its owner."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class User(Base):
    """A person, or the local operator, as whom the command line acts by default."""

    __tablename__ = "user"

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[Role] = mapped_column(choice(Role))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_operator: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    theme: Mapped[str] = mapped_column(String(8), default="system")
    # One e-mail a day with what waits, for who asked for it; when the last one went.
    daily_letter: Mapped[bool] = mapped_column(default=False)
    letter_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class LoginSession(Base):
    """A signed-in browser; the token itself is stored only as its SHA-256."""

    __tablename__ = "login_session"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[CreatedAt]
    seen_at: Mapped[CreatedAt]
    user: Mapped[User] = relationship(lazy="raise")


class Invitation(Base):
    """A one-time link to an account; the set-up link is the invitation of the first admin, made by nobody."""

    __tablename__ = "invitation"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(choice(Role))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    # Set where the link is for somebody who has an account and sets its password anew.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    @property
    def is_setup(self) -> bool:
        """Whether this is the link of the first admin, printed by the server itself."""
        return self.invited_by is None and self.role is Role.ADMIN and self.project_id is None


class ApiToken(Base):
    """A revocable key to the API for one person, of limited scope, optionally for one project."""

    __tablename__ = "api_token"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    scope: Mapped[Scope] = mapped_column(choice(Scope))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="raise")


class SignInFailure(Base):
    """A failed sign-in, counted by name and by address so that guessing gets slow."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("ix__sign_in_failure__at", "at"),)

    id: Mapped[PrimaryKey]
    at: Mapped[CreatedAt]
    name_hash: Mapped[str] = mapped_column(String(64), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)


class AuditEntry(Base):
    """Who did what to which thing when, written in the same transaction as what it records."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix__audit_entry__project_id_id", "project_id", "id"),)

    id: Mapped[PrimaryKey]
    at: Mapped[CreatedAt]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
