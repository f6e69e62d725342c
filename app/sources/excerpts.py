"""The words of a record that a list shows: its beginning, or what stands round the passage that a rule objects to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.sources.cleaning import visible_text
from app.sources.records import Decision, Message, Record
from app.sources.rules import FirstPerson
from app.sources.rulesets import Ruleset
from app.text.formulas import FORMULA, tex_of
from app.text.marks import runs
from app.text.plain import plain_words

BEGINNING = 320
BEFORE, AFTER = 160, 260

# What a rule's reason says of a passage: first person: "I would" at character 12 of answer 2.
_PLACE = re.compile(
    r': "(?P<words>.+)" at character (?P<start>\d+)(?: of (?P<whose>answer|message) (?P<turn>\d+))?$', re.DOTALL
)


@dataclass(frozen=True)
class Excerpt:
    """Some words of a record, and where in them the passages stand that a rule objects to."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Piece:
    """A stretch of an excerpt as it is shown; `pinned` is what a rule objects to, a `formula` is TeX to be set."""

    text: str
    pinned: bool = False
    formula: bool = False


def excerpt_of(
    record: Record, decision: Decision, others: Iterable[str] = (), ruleset: Ruleset | None = None
) -> Excerpt:
    """Give the passage that dropped or marked a record with some words round it, else how its last message begins.

    `others` are reasons of the same kind: what they speak of is marked as well where it stands in those words. With
    `ruleset` every other passage there that the deciding rule objects to is marked too.
    """
    rule = next((one for one in ruleset.rules if one.name == decision.rule), None) if ruleset else None
    found = [place for reason in (decision.reason, *others) if (place := _passage(record, decision.rule, reason))]
    if found:
        text, start, end = found[0]
        alike = [place[1:] for place in found[1:] if place[0] is text]
        return _around(text, start, end, [*alike, *(rule.passages(text) if rule else ())])
    if not record.messages:
        return Excerpt("")
    text = _legible(record.messages[-1])
    return Excerpt(text if len(text) <= BEGINNING else f"{text[:BEGINNING].rsplit(None, 1)[0]} …")


# A short index at a word, as the Markdown of it has one: 2^10, H_2.
_INDEX = re.compile(r"(?<=[\w)\]])<(sup|sub)>([^\s<]{1,8})</\1>", re.IGNORECASE)
_SIGNS = {"sup": "^", "sub": "_"}


def _legible(message: Message) -> str:
    """The text as it is read, of HTML with powers and indices told from what they stand at, which only tags tell."""
    if message.markup != "html":
        return _as_read(message.visible[: 10 * BEGINNING]).text
    return visible_text(_INDEX.sub(lambda found: f"{_SIGNS[found[1].lower()]}{found[2]}", message.text))


def _passage(record: Record, rule: str | None, reason: str) -> tuple[str, int, int] | None:
    """The text that a reason speaks of, and where in it."""
    place = _PLACE.search(reason)
    if place is None:
        return None
    turns = record.messages if place["whose"] == "message" else record.responses
    turn = int(place["turn"] or 1) - 1
    if turn >= len(turns):
        return None
    text = turns[turn].content
    words = r"\w+" if rule == FirstPerson.name else r"\s+".join(map(re.escape, place["words"].split()))
    found = re.compile(words).match(text, int(place["start"]) - 1)
    return (text, found.start(), found.end()) if found else None


def _around(text: str, start: int, end: int, others: Sequence[tuple[int, int]] = ()) -> Excerpt:
    first, last = max(0, start - BEFORE), min(len(text), end + AFTER)
    lead, tail = ("… " if first else ""), (" …" if last < len(text) else "")
    first += len(text[first:start].partition(" ")[0]) + 1 if first and " " in text[first:start] else 0
    last -= len(text[end:last].rpartition(" ")[2]) + 1 if tail and " " in text[end:last] else 0
    shown = sorted({(start, end), *(one for one in others if first <= one[0] and one[1] <= last)})
    marks = tuple((begin - first + len(lead), stop - first + len(lead)) for begin, stop in _apart(shown))
    return _as_read(f"{lead}{text[first:last]}{tail}", marks)


_OPENS, _CLOSES = "\ufdd0", "\ufdd1"
_CODE = re.compile(r"(?<![`\\])(`{1,3})(?!`)([^`]{1,500}?)\1(?!`)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HELD = re.compile("[\U000f0000-\U000fffff]")


def _as_read(markdown: str, marks: Iterable[tuple[int, int]] = ()) -> Excerpt:
    """The words of a Markdown text without its signs, and its marks with them; formulas and code stay as written."""
    held: dict[str, str] = {}

    def hold(piece: str) -> str:
        sign = chr(0xF0000 + len(held))
        held[sign] = piece
        return sign

    at, signed = 0, ""
    for start, end in marks:
        signed += f"{markdown[at:start]}{_OPENS}{markdown[start:end]}{_CLOSES}"
        at = end
    signed = _CODE.sub(lambda found: hold(found[2]), signed + markdown[at:])
    signed = FORMULA.sub(lambda found: hold(found[0]), signed)
    plain = _ESCAPED.sub(r"\1", plain_words(signed))
    text, *marked = _HELD.sub(lambda found: held.get(found[0], found[0]), plain).split(_OPENS)
    spans: list[tuple[int, int]] = []
    for one in marked:
        inside, _, after = one.partition(_CLOSES)
        spans.append((len(text), len(text) + len(inside)))
        text += inside + after
    return Excerpt(text, tuple(spans))


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in their order, those that lie in one before them left out."""
    at = 0
    for start, end in spans:
        if start >= at:
            yield start, end
            at = end


def pieces(text: str, marks: Iterable[Sequence[int]]) -> tuple[Piece, ...]:
    """Split an excerpt at its marks; characters that cannot be seen are written out."""
    return tuple(_pieces(text, marks))


def _pieces(text: str, marks: Iterable[Sequence[int]]) -> Iterator[Piece]:
    at = 0
    for start, end in marks:
        yield from _formulas(text[at:start])
        yield Piece(visible(text[start:end]), pinned=True)
        at = end
    yield from _formulas(text[at:])


def _formulas(text: str) -> Iterator[Piece]:
    at = 0
    for found in FORMULA.finditer(text):
        if found.start() > at:
            yield Piece(visible(text[at : found.start()]))
        yield Piece(visible(tex_of(found[0])[0]), formula=True)
        at = found.end()
    if text[at:]:
        yield Piece(visible(text[at:]))


def visible(text: str) -> str:
    """Write out characters that cannot be seen, such as [U+202E], which would turn the words round."""
    return "".join(f"[{run.mark}]" if run.mark else run.text for run in runs(text))
