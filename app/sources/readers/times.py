"""Dates and times as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(value: str) -> datetime:
    """Read an ISO date and time, in UTC where it names no zone. Raises ValueError, also where UTC has no such year."""
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
