"""What each side says in a dialogue, as one text."""

from collections.abc import Mapping, Sequence
from typing import Any


def prompt_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the user says."""
    return _said(messages, "user")


def response_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the assistant says; empty for a prompt alone."""
    return _said(messages, "assistant")


def _said(messages: Sequence[Mapping[str, Any]], role: str) -> str:
    return "\n\n".join(str(message["content"]) for message in messages if message["role"] == role)
