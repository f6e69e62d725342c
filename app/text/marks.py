"""Characters that cannot be seen, made visible: they are kept in the data and marked on the page.

Right-to-left overrides can make a text read otherwise than it is stored; zero-width characters and tag
characters can hide words. Joiners stay unmarked where scripts and emoji need them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_ALWAYS = "\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f"
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
_HIDDEN = re.compile(f"[{_ALWAYS}{_CONTROLS}]|(?:(?<=[ -~])|^)[\u200c\u200d]")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")


@dataclass(frozen=True)
class Run:
    """A stretch of plain text (`mark` is None) or one hidden character with the mark to show for it."""

    text: str
    mark: str | None = None
    name: str = ""


def runs(text: str) -> tuple[Run, ...]:
    """Split a text at its hidden characters; the runs' texts join back to it."""
    if not _HIDDEN.search(text):
        return (Run(text),) if text else ()
    out: list[Run] = []
    last = 0
    flags = [found.span() for found in _FLAG.finditer(text)]
    for found in _HIDDEN.finditer(text):
        if any(start <= found.start() < end for start, end in flags):
            continue
        if found.start() > last:
            out.append(Run(text[last : found.start()]))
        out.append(Run(found.group(), mark_of(found.group()), name_of(found.group())))
        last = found.end()
    if last < len(text):
        out.append(Run(text[last:]))
    return tuple(out)


def without_hidden(text: str) -> str:
    """A name on one line, without what cannot be seen: what names of files and mappings are cut down to."""
    seen = "".join(run.text for run in runs(text) if run.mark is None)
    return "".join(character for character in seen if character.isprintable()).strip()


def mark_of(character: str) -> str:
    """Give the visible mark of one character, such as U+202E."""
    return f"U+{ord(character):04X}"


def name_of(character: str) -> str:
    """Give a character's Unicode name in lower case, or `control character`."""
    return unicodedata.name(character, "control character").lower()
