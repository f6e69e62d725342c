"""Whom words name: @ and a member's name, or its first word where only one member has it."""

import re
from collections.abc import Mapping

_AFTER = r"(?!\w)"


def mentioned(words: str, members: Mapping[int, str]) -> set[int]:
    """The numbers of the members whom these words name; capitals do not matter, and the longer name goes first."""
    ways = [(way, number) for number, name in members.items() for way in _ways(name, members)]
    found = set()
    for way, number in sorted(ways, key=lambda one: -len(one[0])):
        words, times = re.subn(rf"(?<!\w)@{re.escape(way)}{_AFTER}", "", words, flags=re.IGNORECASE)
        if times:
            found.add(number)
    return found


def _ways(name: str, members: Mapping[int, str]) -> list[str]:
    first = _first(name)
    alone = sum(_first(other) == first for other in members.values()) == 1
    return [way for way in (name.strip(), first if alone else "") if way]


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0].lower() if name.split() else ""
