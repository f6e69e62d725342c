"""Every kind of source that is read, one module each; a new one is registered by a line in READERS.

Order decides: of an input's files each format claims, in this order, those that nobody before it did.
"""

from app.sources.readers import (
    chats,
    reddit,
    reddit_csv,
    stackexchange,
    superni,
    tables,
    wikihow,
    wikihow_csv,
    writingprompts,
)
from app.sources.readers.base import Format

READERS: tuple[Format, ...] = (
    stackexchange.FORMAT,
    wikihow.FORMAT,
    wikihow_csv.FORMAT,
    reddit.FORMAT,
    reddit_csv.FORMAT,
    superni.FORMAT,
    writingprompts.FORMAT,
    *(shape.format() for shape in chats.SHAPES),
    tables.FORMAT,
)
