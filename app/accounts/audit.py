"""The trail: one function, called by every operation that changes something."""

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry, User


def record(
    session: Session,
    actor: User | None,
    action: str,
    subject: str,
    *,
    project_id: int | None = None,
    **detail: Any,
) -> None:
    """Write into the trail, in the caller's transaction: `action` is a verb phrase, `subject` like `example:7`."""
    session.add(
        AuditEntry(
            actor_id=actor.id if actor else None,
            actor_name=actor.email if actor else "nobody",
            action=action,
            subject=subject[:200],
            project_id=project_id,
            detail=detail,
        )
    )
