"""What a project makes of its gates."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, now


class GateSettings(Base):
    """A project's policies; a gate that is not named has its default, a project without a row has all of these."""

    __tablename__ = "gate_settings"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # By the name of the gate: block, warn, or off.
    policies: Mapped[dict[str, Any]]
    # The rules of house style whose remarks count, by their names.
    style_rules: Mapped[list[Any]]
    changed_at: Mapped[datetime] = mapped_column(default=now)
