"""Group and flags of a prompt as our own exports say them, in whatever form; what is none of ours is left a column.

A row of a table or of JSON lines is ours by its id, a hash, between source, licence, group and flags. A line of LIMA's
form has nothing but its words, so there it is ours only where it says nothing that Handpicked does not know.
"""

from __future__ import annotations

import re
from typing import Any

from app.projects.models import PROMPT_FLAGS, AuthorGroup
from app.sources.readers.chat_rows import BadRow, Row

TOLD = "told"
"""Where in a record's `extra` group and flags of its prompt stand."""
COLUMNS = frozenset({"group", "flags"})

_TABLE = COLUMNS | {"id", "source", "licence"}
_LIMA, _LIMA_MAY = {"conversations", "source"}, COLUMNS | {"conversations", "source", "system"}
_HASH = re.compile(r"[0-9a-f]{64}|")
_GROUPS = tuple(group.value for group in AuthorGroup)


def told_in(row: Row) -> dict[str, Any]:
    """Group and flags of a row, without what it does not say. Raises BadRow for those that nobody knows."""
    group, flags = row.get("group"), _flags(row.get("flags"))
    if group not in (None, "", *_GROUPS):
        raise BadRow(f"the group {_short(group)} is none of {' and '.join(_GROUPS)}")
    for flag in flags:
        if flag not in PROMPT_FLAGS:
            *others, last = PROMPT_FLAGS
            raise BadRow(f"the flag {_short(flag)} is none of {', '.join(others)} and {last}")
    return ({"group": group} if group else {}) | ({"flags": flags} if flags else {})


def told_by_export(row: Row) -> dict[str, Any] | None:
    """The same for a row of any form, None where no export of ours wrote it."""
    names = row.keys()
    if names >= _TABLE:
        own_id = row["id"] or ""
        return told_in(row) if isinstance(own_id, str) and _HASH.fullmatch(own_id) else None
    if not (_LIMA <= names <= _LIMA_MAY):
        return None
    try:
        return told_in(row)
    except BadRow:
        return None


def _flags(value: Any) -> list[Any]:
    found = value.split() if isinstance(value, str) else [] if value is None else value
    if not isinstance(found, list):
        raise BadRow("flags are neither a list nor a text with blanks between them")
    return found


def _short(value: Any) -> str:
    return repr(str(value)[:30])
