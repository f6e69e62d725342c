"""Pins: a passage of one text found again in another, through their word diff.

A pin is kept while its words stand, moves with them, and goes over to the words that took their place; of a passage
that was deleted nothing is left.
"""

from __future__ import annotations

import re
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
    own = [piece for step in found if (piece := _kept(step, pin, new))]
    rewritten = [later.new for step, later in pairwise(found) if _replaced(step, later, pin)]
    quote = pin.of(old)
    coincidence = _letters([piece.of(new) for piece in own]) < LEAST_KEPT * _letters([quote])
    kept = [] if coincidence and not rewritten else own
    parts = sorted([*kept, *rewritten], key=lambda part: part.start)
    here = trimmed(new, Pin(parts[0].start, max(part.end for part in parts))) if parts else None
    if here is None or here.of(new) != quote:
        # Moved, the words count for more than what was left of them or put in their place.
        put_in = [step.new for step in found if step.kind == "insert"]
        return nearest(new, quote, _expected(found, pin), [*own, *put_in]) or here
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


def nearest(text: str, quote: str, place: int, among: Sequence[Pin]) -> Pin | None:
    """Where these words stand and take in one of these parts, next to a place if they do so several times; else None.

    In the case of their letters before any other ("Oak" at the head of a sentence may be "oak" within it now), and as
    whole words: "oak" is not in "soak".
    """
    words = quote.split()
    if not words:
        return None
    pattern = _edge(words[0][0], r"(?<!\w)") + r"\s+".join(map(re.escape, words)) + _edge(words[-1][-1], r"(?!\w)")
    for flags in (re.NOFLAG, re.IGNORECASE):
        places = [Pin(*match.span()) for match in re.finditer(pattern, text, flags)]
        found = [one for one in places if any(one.start < part.end and one.end > part.start for part in among)]
        if found:
            return min(found, key=lambda one: abs(one.start - place))
    return None


def _edge(letter: str, boundary: str) -> str:
    # Letters with cases belong to scripts that part their words; others may not.
    return boundary if letter.lower() != letter.upper() else ""


def across(segments: Sequence[Segment], pin: Pin, *, back: bool = False) -> Pin | None:
    """Where a passage of the left text stands in the right one (`back`: the other way), as far as both have it."""
    found = []
    for step in steps(segments):
        here, there = (step.new, step.old) if back else (step.old, step.new)
        low, high = max(here.start, pin.start), min(here.end, pin.end)
        if step.kind == "equal" and low < high:
            found.append(Pin(low - here.start + there.start, high - here.start + there.start))
    return Pin(found[0].start, found[-1].end) if found else None
