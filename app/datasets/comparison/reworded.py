"""What changed in the words of two rows: message by message, word by word, with long unchanged stretches folded."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from app.examples.labels import Change, turn_title
from app.text.diff import Segment, word_diff
from app.text.marks import mark_of, name_of, runs

Messages = Sequence[Mapping[str, Any]]
# Characters that stay beside a change, how much further a whole line may take them, and the least that is folded.
BESIDE = 160
FURTHER = 80
LEAST_FOLDED = 200
# What stands of a text that only one side has, and of one change, before the rest is folded.
OPENING = 420
LONGEST = 700

_BLANKS = {
    "\n": ("↵", "line feed"),
    "\r": ("CR", "carriage return"),
    "\t": ("→", "tab"),
    " ": ("·", "space"),
}


@dataclass(frozen=True)
class Turn:
    """One message of either side, or of both; `change` is "", "added" or "removed" for the message as a whole."""

    title: str
    segments: tuple[Segment, ...]
    change: str = ""

    @property
    def changed(self) -> bool:
        """Whether any of its words did."""
        return any(segment.kind != "equal" for segment in self.segments)


@dataclass(frozen=True)
class Part:
    """A stretch of a text as it is shown; `folded` counts the characters of one that is opened first.

    The kinds are equal, insert, delete; and folded ones: fold (the same on both sides), more, more insert, more delete.
    """

    kind: str
    pieces: tuple[Change, ...]
    folded: int = 0


def turns_of(old: Messages, new: Messages) -> tuple[Turn, ...]:
    """Pair the messages of both sides in order and diff each pair; one that only one side has stands alone."""
    found = []
    for before, after in _aligned(old, new):
        left = str(old[before]["content"]) if before is not None else ""
        right = str(new[after]["content"]) if after is not None else ""
        if after is None:
            assert before is not None
            found.append(Turn(turn_title(old, before), (Segment("delete", left),), "removed"))
        elif before is None:
            found.append(Turn(turn_title(new, after), (Segment("insert", right),), "added"))
        else:
            found.append(Turn(turn_title(new, after), word_diff(left, right)))
    return tuple(found)


def _aligned(old: Messages, new: Messages) -> Iterator[tuple[int | None, int | None]]:
    """Places of messages that belong together: those with the same words, and between them those of the same role."""
    left, right = ([(said["role"], said["content"]) for said in side] for side in (old, new))
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(range(i1, i2), range(j1, j2), strict=True)
        else:
            yield from _by_role(old, new, range(i1, i2), range(j1, j2))


def _by_role(old: Messages, new: Messages, left: range, right: range) -> Iterator[tuple[int | None, int | None]]:
    waiting = list(right)
    for place in left:
        other = next((one for one in waiting if new[one]["role"] == old[place]["role"]), None)
        if other is None:
            yield place, None
            continue
        while waiting[0] != other:
            yield None, waiting.pop(0)
        yield place, waiting.pop(0)
    yield from ((None, place) for place in waiting)


def parts_of(segments: Sequence[Segment], *, spelt: bool = False) -> tuple[Part, ...]:
    """The segments to show; of what is equal only what stands beside a change is not folded.

    `spelt` marks characters of changes whose Unicode form is all that differs, which look the same.
    """
    found: list[Part] = []
    last = len(segments) - 1
    for place, segment in enumerate(segments):
        if segment.kind == "equal":
            found += _folded(segment.text, opens=place == 0, closes=place == last)
        else:
            found += _change(segment, spelt=spelt)
    return tuple(found)


def _change(segment: Segment, *, spelt: bool) -> Iterator[Part]:
    """What was deleted or is new; of a long stretch its opening, and more."""
    cut = _cut_before(segment.text, LONGEST) if len(segment.text) > LONGEST + LEAST_FOLDED else len(segment.text)
    yield Part(segment.kind, tuple(_seen(Segment(segment.kind, segment.text[:cut]), spelt=spelt)))
    if rest := segment.text[cut:]:
        yield Part(f"more {segment.kind}", tuple(_marked(segment.kind, rest)), len(rest))


def opening_of(text: str) -> tuple[Part, ...]:
    """A text that has nothing to be compared with: its opening, and more."""
    if len(text) <= OPENING + LEAST_FOLDED:
        return (_part(text),)
    cut = _cut_before(text, OPENING)
    return _part(text[:cut]), _fold(text[cut:], "more")


def folded(text: str) -> tuple[Part, ...]:
    """A text that is the same on both sides, all of it folded."""
    return (_fold(text),)


def _folded(text: str, *, opens: bool, closes: bool) -> Iterator[Part]:
    """Words between two changes; at the beginning of a text nothing stands before them, at its end nothing after."""
    start = 0 if opens else _cut_before(text, BESIDE)
    end = len(text) if closes else _cut_after(text, len(text) - BESIDE)
    if end - start < LEAST_FOLDED:
        yield _part(text)
        return
    if start:
        yield _part(text[:start])
    yield _fold(text[start:end])
    if end < len(text):
        yield _part(text[end:])


def _part(text: str) -> Part:
    return Part("equal", tuple(_marked("equal", text)))


def _fold(text: str, kind: str = "fold") -> Part:
    return Part(kind, tuple(_marked("equal", text)), len(text))


def _cut_before(text: str, place: int) -> int:
    """Where to stop reading near a place: at the end of a line that is not far, else of a word."""
    if place >= len(text):
        return len(text)
    line = text.rfind("\n", max(0, place - FURTHER), place + FURTHER)
    if line > 0:
        return line
    blank = text.rfind(" ", max(0, place - FURTHER), place)
    return blank if blank > 0 else place


def _cut_after(text: str, place: int) -> int:
    """Where to begin reading near a place."""
    if place <= 0:
        return 0
    line = text.find("\n", max(0, place - FURTHER), place + FURTHER)
    if line >= 0:
        return line + 1
    blank = text.find(" ", place, place + FURTHER)
    return blank + 1 if blank >= 0 else place


def _seen(segment: Segment, *, spelt: bool) -> Iterable[Change]:
    """A change with what nobody could see in it made visible: blanks that stand alone, composed letters."""
    if segment.text.isspace():
        return [piece for character in segment.text for piece in _blank(segment.kind, character)]
    return _spelt(segment) if spelt else _marked(segment.kind, segment.text)


def _blank(kind: str, character: str) -> Iterator[Change]:
    mark, name = _BLANKS.get(character, (mark_of(character), name_of(character)))
    yield Change(kind, mark, name)
    if character == "\n":
        yield Change(kind, character)


def _spelt(segment: Segment) -> Iterator[Change]:
    plain = ""
    for character in segment.text:
        if unicodedata.combining(character):
            yield from _marked(segment.kind, plain)
            plain = ""
        elif unicodedata.normalize("NFD", character) == character:
            plain += character
            continue
        else:
            yield from _marked(segment.kind, plain + character)
            plain = ""
        yield Change(segment.kind, mark_of(character), name_of(character))
    yield from _marked(segment.kind, plain)


def _marked(kind: str, text: str) -> Iterator[Change]:
    for run in runs(text):
        yield Change(kind, run.mark or run.text, run.name)
