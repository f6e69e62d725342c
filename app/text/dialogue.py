"""What each side says in a dialogue, as one text."""

from collections.abc import Mapping, Sequence
from typing import Any


def prompt_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the user says."""
    return _said(messages, "user")


def prompts_in(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the user says, turn by turn."""
    return [str(message["content"]) for message in messages if message["role"] == "user"]


def response_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """All that the assistant says; empty for a prompt alone."""
    return _said(messages, "assistant")


def _said(messages: Sequence[Mapping[str, Any]], role: str) -> str:
    return "\n\n".join(str(message["content"]) for message in messages if message["role"] == role)
