"""Pins: a passage of one text found again in another, through their word diff.

A pin is kept while its words stand, moves with them, and goes over to the words that took their place; of a passage
that was deleted nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.reviews.lines import text_diff
from app.text.diff import Segment

# Less than this part of a quoted passage left standing is a coincidence of small words.
LEAST_KEPT = 0.2
# More than half of what was replaced is what was spoken of.
MOST_OF_IT = 0.5


@dataclass(frozen=True)
class Pin:
    """A passage: characters from `start` to before `end`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Its words."""
        return text[self.start : self.end]


@dataclass(frozen=True)
class Step:
    """One segment of a diff with its place on both sides."""

    kind: str
    old: Pin
    new: Pin


def steps(segments: Sequence[Segment]) -> Iterator[Step]:
    """The segments of a diff with the places that they take."""
    old = new = 0
    for part in segments:
        more = len(part.text)
        after_old = old if part.kind == "insert" else old + more
        after_new = new if part.kind == "delete" else new + more
        yield Step(part.kind, Pin(old, after_old), Pin(new, after_new))
        old, new = after_old, after_new


def carried(old: str, new: str, pins: Sequence[Pin]) -> list[Pin | None]:
    """The same passages in the next text; None for what is gone from there."""
    if old == new:
        return list(pins)
    found = list(steps(text_diff(old, new)))
    return [_carried(old, new, pin, found) for pin in pins]


def _carried(old: str, new: str, pin: Pin, found: Sequence[Step]) -> Pin | None:
    kept = [piece for step in found if (piece := _kept(step, pin, new))]
    rewritten = [later.new for step, later in pairwise(found) if _replaced(step, later, pin)]
    quote = pin.of(old)
    if not rewritten and _letters([piece.of(new) for piece in kept]) < LEAST_KEPT * _letters([quote]):
        kept = []
    parts = sorted([*kept, *rewritten], key=lambda part: part.start)
    here = trimmed(new, Pin(parts[0].start, max(part.end for part in parts))) if parts else None
    if here is None or here.of(new) != quote:
        # Moved as they are, the words count for more than what was left of them or put in their place.
        return nearest(new, quote, _expected(found, pin)) or here
    return here


def _kept(step: Step, pin: Pin, new: str) -> Pin | None:
    low, high = max(step.old.start, pin.start), min(step.old.end, pin.end)
    if step.kind != "equal" or low >= high:
        return None
    by = step.new.start - step.old.start
    return trimmed(new, Pin(low + by, high + by))


def _replaced(step: Step, later: Step, pin: Pin) -> bool:
    """Whether a deletion took mostly this passage and other words stand in its place."""
    if step.kind != "delete" or later.kind != "insert":
        return False
    shared = min(step.old.end, pin.end) - max(step.old.start, pin.start)
    return shared > MOST_OF_IT * (step.old.end - step.old.start)


def _expected(found: Sequence[Step], pin: Pin) -> int:
    return next((step.new.start for step in found if step.old.end > pin.start), 0)


def _letters(texts: Sequence[str]) -> int:
    return sum(character.isalnum() for text in texts for character in text)


def trimmed(text: str, pin: Pin) -> Pin | None:
    """A passage without the blanks at its ends, or None if nothing else is in it."""
    words = pin.of(text)
    start = pin.start + len(words) - len(words.lstrip())
    end = pin.end - (len(words) - len(words.rstrip()))
    return Pin(start, end) if start < end else None


def nearest(text: str, quote: str, place: int) -> Pin | None:
    """Where these very words stand, next to a place if they stand at several; None if they are blank or nowhere."""
    if not quote.strip():
        return None
    found, at = [], text.find(quote)
    while at >= 0:
        found.append(at)
        at = text.find(quote, at + 1)
    start = min(found, key=lambda one: abs(one - place), default=None)
    return None if start is None else Pin(start, start + len(quote))


def across(segments: Sequence[Segment], pin: Pin, *, back: bool = False) -> Pin | None:
    """Where a passage of the left text stands in the right one (`back`: the other way), as far as both have it."""
    found = []
    for step in steps(segments):
        here, there = (step.new, step.old) if back else (step.old, step.new)
        low, high = max(here.start, pin.start), min(here.end, pin.end)
        if step.kind == "equal" and low < high:
            found.append(Pin(low - here.start + there.start, high - here.start + there.start))
    return Pin(found[0].start, found[-1].end) if found else None
