"""Every kind of source that is read, one module each; a new one is registered by a line in MODULES.

Order decides: of an input's files each format claims, in this order, those that nobody before it did.
"""

from importlib import import_module
from itertools import chain

from app.sources.readers.base import Format

MODULES = (
    "exported",
    "stackexchange",
    "wikihow",
    "wikihow_csv",
    "reddit",
    "reddit_csv",
    "superni",
    "writingprompts",
    "chats",
    "tables",
)


def _formats_of(module: str) -> tuple[Format, ...]:
    found = import_module(f"{__name__}.{module}")
    return getattr(found, "FORMATS", None) or (found.FORMAT,)


READERS: tuple[Format, ...] = tuple(chain.from_iterable(map(_formats_of, MODULES)))
