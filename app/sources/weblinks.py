"""Web addresses that are written out: LIMA's answers hold none, so each leaves the name of its host."""

from __future__ import annotations

import re

# An address ends at what none may hold, and at the converter's private marks, which are syntax; round brackets belong
# to it where they close again.
_SIGN = '[^\\s<>()\\[\\]{}|^"`\U00100000-\U0010ffff]'
_BEGIN = r"(?:\bhttps?://(?:www\.)?|\bwww\.)"
ADDRESS = rf"{_BEGIN}{_SIGN}(?:{_SIGN}|\({_SIGN}*\))*"
"""An address in a text, whatever the case of its letters."""

_ADDRESS, _BEGINNING = re.compile(ADDRESS, re.IGNORECASE), re.compile(_BEGIN, re.IGNORECASE)
# Of the sentence around it, or of its emphasis.
_SENTENCE = ".,;:!?*_'\"”’»"


def may_hold_address(text: str) -> bool:
    """Whether a text is worth the search: most texts are not."""
    return "://" in text or "www." in text or "WWW." in text


def without_addresses(text: str) -> str:
    """Leave of each address in a text the name of its host: the sentence around it stays one."""
    return _ADDRESS.sub(lambda found: host_of(found.group()), text) if may_hold_address(text) else text


def host_of(address: str) -> str:
    """The host of an address that stands in a text, with the signs at its end that are not its own."""
    bare = address.rstrip(_SENTENCE)
    host = re.split("[/?#(]", _BEGINNING.sub("", bare, count=1), maxsplit=1)[0]
    return host.rstrip(_SENTENCE) + address[len(bare) :]
