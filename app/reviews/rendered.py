"""A rendered text that still knows its characters: marks and remarks are put into the HTML at their places.

The sanitised HTML is cut into tags and texts, which join back to it, and nothing but escaped text, `ins`, `del` and
`mark` is ever added.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from itertools import islice
from typing import Literal

from app.reviews.lines import text_diff
from app.reviews.pins import Pin, across, steps
from app.text.diff import word_diff
from app.text.markdown import render_markdown

# Formulas are set by the browser and hidden characters stand for themselves: they are marked whole or not at all.
_WHOLE = r'<span (?:class="(?:math|hidden-character)[^"]*"|title="[^"]*")[^>]*>[^<]*</span>'
_PIECES = re.compile(rf'({_WHOLE}|<(?:"[^"]*"|[^">])*>)')
_VOID = ("<br", "<hr")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Piece:
    """A tag, a text or something that stays whole, with the text that a reader sees of it."""

    html: str
    text: str
    kind: Literal["tag", "text", "whole"]


@dataclass(frozen=True)
class Shown:
    """A rendered text in pieces; `text` is all that a reader sees of it."""

    pieces: tuple[Piece, ...]
    text: str

    def form_outside(self, changed: Sequence[Pin]) -> list[str]:
        """The tags that give the text its form, but not those of what changed anyway or of every new paragraph."""
        at, found, ends = 0, [], [pin.end for pin in changed]
        for piece in self.pieces:
            place = bisect_right(ends, at)
            inside = place < len(changed) and changed[place].start <= at
            if piece.kind == "tag" and not inside and not _common(piece.html):
                found.append(piece.html)
            at += len(piece.text)
        return found


def _common(tag: str) -> bool:
    return tag.startswith("</") or tag in {"<p>", "<li>", "<br>"}


def shown(markdown: str) -> Shown:
    """Render a Markdown text."""
    pieces = tuple(_piece(part) for part in _PIECES.split(render_markdown(markdown)) if part)
    return Shown(pieces, "".join(piece.text for piece in pieces))


def _piece(part: str) -> Piece:
    if not part.startswith("<"):
        return Piece(part, unescape(part), "text")
    if part.endswith("</span>") and part != "</span>":
        return Piece(part, unescape(part[part.index(">") + 1 : -len("</span>")]), "whole")
    return Piece(part, "", "tag")


@dataclass(frozen=True)
class Span:
    """A passage of the shown text that stands between two tags."""

    start: int
    end: int
    opening: str
    closing: str


@dataclass(frozen=True)
class Insert:
    """Something to stand after a character of the shown text: words that are gone (HTML), or a remark by number."""

    place: int
    html: str = ""
    remark: int | None = None
    block: bool = False


@dataclass(frozen=True)
class Part:
    """A stretch of HTML, or the remark that stands here."""

    html: str
    remark: int | None = None


@dataclass(frozen=True)
class Changes:
    """What differs between two shown texts, to be put into the newer one; `formed`: also in what is not marked."""

    spans: Sequence[Span] = ()
    inserts: Sequence[Insert] = ()
    formed: bool = False


def changes(old: Shown, new: Shown) -> Changes:
    """The words that came and went, and whether links, headings or emphasis changed round words that stayed."""
    found = list(steps(text_diff(old.text, new.text)))
    come = [step.new for step in found if step.kind == "insert"]
    gone = [step.old for step in found if step.kind == "delete"]
    inserts = [
        _taken_out(step.old.of(old.text), step.new.start)
        for step in found
        if step.kind == "delete" and step.old.of(old.text).strip()
    ]
    formed = old.form_outside(gone) != new.form_outside(come)
    return Changes([Span(pin.start, pin.end, "<ins>", "</ins>") for pin in come], inserts, formed)


def _taken_out(text: str, place: int) -> Insert:
    return Insert(place, _gone(text), block=text[:1] == "\n" or text[-1:] == "\n")


def _gone(text: str) -> str:
    lead = " " if text[:1].isspace() else ""
    tail = " " if text[-1:].isspace() else ""
    lines = [escape(line, quote=False) for line in text.strip().splitlines() if line.strip()]
    return f"{lead}<del>{'<br>'.join(lines)}</del>{tail}"


def put(text: Shown, spans: Sequence[Span], inserts: Sequence[Insert]) -> list[Part]:
    """The HTML with its marks, cut where remarks stand; without remarks it is one part. Inserted spans are disjoint."""
    return _Writer(spans, inserts).write(text)


class _Writer:
    """Goes through the pieces once; what has no place where it is due waits until there is one."""

    def __init__(self, spans: Sequence[Span], inserts: Sequence[Insert]) -> None:
        self.inserted = sorted((span for span in spans if span.opening == "<ins>"), key=lambda span: span.start)
        self.ends = [span.end for span in self.inserted]
        self.marks = [span for span in spans if span.opening != "<ins>"]
        self.queue = deque(sorted(inserts, key=lambda one: one.place))
        places = {place for span in spans for place in (span.start, span.end)}
        self.cuts = sorted(places | {one.place for one in inserts})
        self.due: list[Insert] = []
        self.parts: list[Part] = []
        self.out: list[str] = []
        self.at = self.depth = self.links = 0

    def write(self, text: Shown) -> list[Part]:
        for piece in text.pieces:
            if piece.kind == "tag":
                self._tag(piece.html)
            elif piece.kind == "whole":
                self._stretch(piece.html, self.at + len(piece.text))
            elif piece.text.strip():
                self._text(piece.text)
            else:
                self._blank(piece)
        self._come(len(text.text))
        self._let_go(self.due, block=True)
        return [*self.parts, Part("".join(self.out))]

    def _tag(self, tag: str) -> None:
        self.out.append(tag)
        if tag.startswith(_VOID):
            return
        step = -1 if tag.startswith("</") else 1
        self.depth += step
        if tag.startswith(("<a ", "</a>")):
            self.links += step

    def _text(self, text: str) -> None:
        first, end = self.at, self.at + len(text)
        between = self.cuts[bisect_right(self.cuts, first) : bisect_left(self.cuts, end)]
        for stop in (*between, end):
            self._stretch(escape(text[self.at - first : stop - first], quote=False), stop)

    def _stretch(self, html: str, stop: int) -> None:
        """One stretch that is marked alike, with what stands before and after it."""
        self._inline()
        over = self._over(self.at, stop)
        closing = "".join(span.closing for span in reversed(over))
        self.out.append("".join(span.opening for span in over) + html + closing)
        self.at = stop
        self._inline()

    def _over(self, start: int, stop: int) -> list[Span]:
        place = bisect_right(self.ends, start)
        near = self.inserted[place : place + 1]
        return [span for span in (*near, *self.marks) if span.start < stop and span.end > start]

    def _blank(self, piece: Piece) -> None:
        """Blanks between blocks: here words that were a block of their own have their place."""
        self.out.append(piece.html)
        self.at += len(piece.text)
        self._come(self.at)
        blocks = [one for one in self.due if one.block]
        if not blocks or "\n" not in piece.text:
            return
        if self.depth == 0:
            self._let_go(blocks, block=True)
        else:  # within a list they go before the words of the next item
            self.due = [replace(one, block=False, html=f"{one.html}<br>") if one.block else one for one in self.due]

    def _come(self, place: int) -> None:
        while self.queue and self.queue[0].place <= place:
            self.due.append(self.queue.popleft())

    def _inline(self) -> None:
        self._come(self.at)
        self._let_go([one for one in self.due if not one.block and not (self.links and one.remark is not None)])

    def _let_go(self, ready: Sequence[Insert], *, block: bool = False) -> None:
        self.due = [one for one in self.due if one not in ready]
        for one in ready:
            if one.remark is not None:
                self.parts.append(Part("".join(self.out), one.remark))
                self.out = []
            else:
                self.out.append(f"<p>{one.html.removesuffix('<br>').strip()}</p>\n" if block else one.html)


def found(markdown: str, quote: str, nth: int = 0) -> Pin | None:
    """Where a reader's words stand in the Markdown text: the nth time as it is shown, else as it is written.

    In the case of their letters before any other.
    """
    words = _BLANKS.sub(" ", quote).strip()
    if not words:
        return None
    seen = shown(markdown).text
    for flags in (re.NOFLAG, re.IGNORECASE):
        if place := _nth(seen, words, nth, flags):
            return across(word_diff(markdown, seen), place, back=True)
        if place := _nth(markdown, words, nth, flags):
            return place
    return None


def _nth(text: str, words: str, nth: int, flags: re.RegexFlag) -> Pin | None:
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words.split(" ")), flags)
    places = [Pin(match.start(), match.end()) for match in islice(pattern.finditer(text), nth + 1)]
    return places[min(nth, len(places) - 1)] if places else None
