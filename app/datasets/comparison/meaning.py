"""Texts that differ in no meaning: in line ends, Unicode form, quotation marks, white space; code keeps its own."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

Messages = Sequence[Mapping[str, Any]]


class Way(StrEnum):
    """A way in which two texts may differ without a difference in meaning."""

    LINE_ENDS = "line ends"
    UNICODE = "Unicode form"
    QUOTES = "quotation marks"
    SPACE = "white space"


def ways_of(old: Messages, new: Messages) -> tuple[Way, ...]:
    """The ways in which messages differ, where none of them changes a meaning; empty where the words differ."""
    if [said["role"] for said in old] != [said["role"] for said in new]:
        return ()
    found: set[Way] = set()
    for one, other in zip(old, new, strict=True):
        left, right = str(one["content"]), str(other["content"])
        if left == right:
            continue
        if _words(left) != _words(right) or sense(left) != sense(right):
            return ()
        found |= _ways(left, right)
    return tuple(way for way in Way if way in found)


def _words(text: str) -> list[str]:
    """Texts of the same sense have the same words: asked first, because it is quick."""
    return unicodedata.normalize("NFC", text).translate(_QUOTES).split()


def _ways(left: str, right: str) -> set[Way]:
    """A way is meant where the texts still differ once everything but it is levelled."""
    found = {way for way in (Way.UNICODE, Way.QUOTES, Way.SPACE) if sense(left, but=way) != sense(right, but=way)}
    if not found or set(_LINE_ENDS.findall(left)) != set(_LINE_ENDS.findall(right)):
        found.add(Way.LINE_ENDS)
    return found


_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")
# In code blanks and quotation marks mean something: fenced (to the end where nothing closes it), between backticks,
# indented.
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|\Z)"
    r"|(?<!`)`+[^`\n]+`+|^(?: {4}|\t)[^\n]*",
    re.MULTILINE | re.DOTALL,
)
_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    }
)


def sense(text: str, *, but: Way | None = None) -> str:
    """Give the form that texts share which differ in no meaning; `but` leaves one way as it is. Code stays as it is."""
    text = _LINE_ENDS.sub("\n", text)
    if but is not Way.UNICODE:
        text = unicodedata.normalize("NFC", text)
    if "`" not in text and "~~~" not in text and "    " not in text and "\t" not in text:
        return _levelled(text, but).strip() if but is not Way.SPACE else _levelled(text, but)
    level = "".join(part if is_code else _levelled(part, but) for part, is_code in _parts(text))
    return level if but is Way.SPACE else level.strip()


def _levelled(text: str, but: Way | None) -> str:
    if but is not Way.QUOTES:
        text = text.translate(_QUOTES)
    return text if but is Way.SPACE else _SPACE.sub(" ", text)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    last = 0
    for found in _CODE.finditer(text):
        yield text[last : found.start()], False
        yield found.group(), True
        last = found.end()
    yield text[last:], False
