"""Sees to it that templates get pages, never rows of the database."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jinja2.runtime import Context

from app.db import Base

PLAIN = (str, bytes, int, float, bool, type(None))


def mapped_object(value: Any, path: str = "page", depth: int = 0) -> str | None:
    """Where in a page a mapped object stands, or None; looks into dataclasses, plain objects, mappings, sequences."""
    if isinstance(value, Base):
        return f"{path} is a {type(value).__name__}"
    if depth > 8 or isinstance(value, PLAIN):
        return None
    for name, part in _parts(value):
        found = mapped_object(part, f"{path}.{name}", depth + 1)
        if found:
            return found
    return None


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, Sequence):
        return list(enumerate(value))
    return []


class WatchedContext(Context):
    """A template's context that refuses mapped objects under `page` and `frame`."""

    # Every include of a template, once for each row of a list, has a context of its own over the same page.
    looked_through: ClassVar[dict[str, Any]] = {}

    def __init__(self, environment: Any, parent: dict[str, Any], *rest: Any, **more: Any) -> None:
        for key in ("page", "frame"):
            value = parent.get(key)
            if self.looked_through.get(key) is value:
                continue
            found = mapped_object(value, key)
            assert not found, found
            self.looked_through[key] = value
        super().__init__(environment, parent, *rest, **more)
