"""JSON without its traps: no doubled keys, no NaN, no endless numbers, no bottomless nesting."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_LONGEST_NUMBER = 400
_DEEPEST = 200


class BadJson(ValueError):
    """The text is no JSON that can be kept; the message is a sentence part."""

    def __init__(self, reason: str, *, unfinished: bool = False) -> None:
        """Say why; `unfinished` when it seems to end too early."""
        super().__init__(reason)
        self.unfinished = unfinished


class NotJson(BadJson):
    """It breaks the syntax `at` a character of the text, from 0; more text might mend it."""

    def __init__(self, error: json.JSONDecodeError, text: str, start: int) -> None:
        """Say what the library says of the value that begins at `start`."""
        self.at = error.pos
        # Some of Python's words end in "at" already.
        self._what = (error.msg[0].lower() + error.msg[1:]).removesuffix(" at")
        is_at_end = error.pos >= len(text.rstrip())
        self._end = ", where the text ends" if is_at_end else ""
        super().__init__(
            self.told(error.pos - start + 1), unfinished=is_at_end or error.msg.startswith("Unterminated string")
        )

    def told(self, character: int) -> str:
        """The same, where it is to be counted from elsewhere."""
        return f"it is not valid JSON: {self._what} at character {character}{self._end}"


def parse(text: str) -> Any:
    """Parse one JSON text. Raises BadJson."""
    value, end = parse_from(text, 0)
    rest = text[end:].lstrip(" \t\r\n")
    if rest:
        raise BadJson(f"there is more after the JSON ends, at character {len(text) - len(rest) + 1}")
    return value


def parse_from(text: str, start: int) -> tuple[Any, int]:
    """Parse the JSON value that begins at or after `start`; give it and where it ends. Raises BadJson."""
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJson(error, text, start) from None
    except RecursionError:
        raise BadJson(f"the JSON is nested more than {_DEEPEST} deep") from None
    _require_shallow(value)
    return value, end


def _require_shallow(value: Any) -> None:
    level = _items(value) if isinstance(value, dict | list) else []
    if not level:
        return
    for _ in range(_DEEPEST):
        level = [item for outer in level if isinstance(outer, dict | list) for item in _items(outer)]
        if not level:
            return
    raise BadJson(f"the JSON is nested more than {_DEEPEST} deep")


def _items(outer: dict[str, Any] | list[Any]) -> list[Any]:
    inner = outer.values() if isinstance(outer, dict) else outer
    return [item for item in inner if isinstance(item, dict | list)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise BadJson(f"the key {doubled[:40]!r} stands there twice")
    return out


def _constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise BadJson(f"a number has {len(digits):,} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits) if len(digits) <= _LONGEST_NUMBER else math.inf
    if math.isinf(number):
        raise BadJson(f"the number {digits[:20]} is too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_decimal
)
