"""Model servers."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, CreatedAt, PrimaryKey


class Endpoint(Base):
    """A model at an OpenAI-style address; its address never changes, so a key never goes to another."""

    __tablename__ = "endpoint"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(64), unique=True)
    base_url: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(200))
    sealed_key: Mapped[str | None] = mapped_column(Text)
    # Stands in the installation's own network: only then may its address be a private one.
    inside: Mapped[bool]
    timeout_seconds: Mapped[int]
    # The last test: its job, then how long the answer took or why there was none.
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"))
    tested_at: Mapped[datetime | None]
    test_seconds: Mapped[float | None]
    test_error: Mapped[str | None] = mapped_column(Text)
    added_by: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    added_at: Mapped[CreatedAt]

    @property
    def state(self) -> str:
        """Where its last test stands: untested, testing, answers, fails."""
        if self.tested_at is None:
            return "untested" if self.job_id is None else "testing"
        return "answers" if self.test_error is None else "fails"
