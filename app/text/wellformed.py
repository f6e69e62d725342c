"""Text that both databases can store: no NUL, no lone surrogate.

PostgreSQL refuses NUL and UTF-8 has no lone surrogates, while SQLite takes either; so both are refused
here, before any database is asked, and the answer is the same on both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.errors import Refusal

_FAULT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Fault:
    """One character that cannot be stored: its place (0-based, in code points) and its name."""

    position: int
    name: str

    def __str__(self) -> str:
        """Name the fault and its place, counted from 1."""
        return f"{self.name} at character {self.position + 1}"


class MalformedText(Refusal):
    """{what} holds {fault}, which cannot be stored. Nothing was saved; remove it and try again."""


def first_fault(text: str) -> Fault | None:
    """Give the first character of `text` that cannot be stored, or None."""
    if "\x00" not in text and _is_unicode(text):
        return None
    found = _FAULT.search(text)
    assert found is not None
    code = ord(found.group())
    name = "a NUL character" if code == 0 else f"the lone surrogate U+{code:04X}"
    return Fault(found.start(), name)


def _is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates: UTF-8 cannot encode one, and to try is ten times faster than a search."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_wellformed(text: str, what: str = "The text") -> str:
    """Return `text` unchanged; raise MalformedText (422) naming `what` and the position otherwise."""
    fault = first_fault(text)
    if fault is not None:
        raise MalformedText(what=what, fault=fault)
    return text
