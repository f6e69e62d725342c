"""Publications of frozen versions on the Hugging Face Hub, and the tokens by which projects publish."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, MaybeJson, PrimaryKey, choice


class Visibility(StrEnum):
    """Who can read the repository."""

    PRIVATE = "private"
    PUBLIC = "public"


class Way(StrEnum):
    """How the files come into the repository."""

    COMMIT = "commit"
    PULL_REQUEST = "pull_request"


class PublicationState(StrEnum):
    """Where a publication stands."""

    WAITING = "waiting"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Publication(Base):
    """A version on its way to a repository of the Hub, or there: what was sent, and the commit that holds it."""

    __tablename__ = "publication"

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    # Of the Hub, such as https://huggingface.co: it is that one which is asked ever after.
    endpoint: Mapped[str] = mapped_column(String(200))
    repository: Mapped[str] = mapped_column(String(200))
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility))
    way: Mapped[Way] = mapped_column(choice(Way))
    # A Format; as text, so that a format which goes takes no publication with it.
    format: Mapped[str] = mapped_column(String(32))
    # Stands in the commit's description: a worker that finds it there has nothing left to send.
    mark: Mapped[str] = mapped_column(String(32), unique=True)
    # The hash of the list of files that somebody saw and let go; and the list: path, sha256, git, bytes.
    shown: Mapped[str | None] = mapped_column(String(64))
    files: Mapped[list[Any] | None] = mapped_column(MaybeJson)
    state: Mapped[PublicationState] = mapped_column(choice(PublicationState), default=PublicationState.WAITING)
    revision: Mapped[str | None] = mapped_column(String(64))
    pull_request: Mapped[int | None]
    url: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[CreatedAt]
    published_at: Mapped[datetime | None]
    # The last comparison with what the Hub holds: its job, when, whether it holds it, in words, file by file.
    check_job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    checked_at: Mapped[datetime | None]
    holds: Mapped[bool | None]
    found: Mapped[str | None] = mapped_column(Text)
    problems: Mapped[list[Any] | None] = mapped_column(MaybeJson)

    @property
    def is_pull_request(self) -> bool:
        """Whether the files came as a proposal."""
        return self.way is Way.PULL_REQUEST

    @property
    def was_on_main(self) -> bool:
        """Whether main held it when it was to be proposed, so that there was nothing to propose."""
        return self.is_pull_request and self.state is PublicationState.PUBLISHED and self.pull_request is None


class HubToken(Base):
    """The token by which a project publishes, sealed for one Hub: it opens for no other."""

    __tablename__ = "hub_token"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str] = mapped_column(String(200))
    added_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    added_at: Mapped[CreatedAt]
