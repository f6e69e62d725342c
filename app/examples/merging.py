"""Two people's words of one example joined turn by turn; what cannot be joined waits for a choice."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.examples.messages import Message
from app.text.diff import SideBySide, side_by_side
from app.text.merge import Piece, merge

# What may be taken of a conflict; `both` is theirs, then mine.
TAKES = ("mine", "theirs", "both")
_SENTENCE_END = re.compile(r"[.!?…]\s+|[。！？]|\n+")


@dataclass(frozen=True)
class Turns:
    """An example's words as the desk has them: a system message, then prompts and responses in turn."""

    system: str
    spoken: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, the system message first."""
        return (self.system, *self.spoken)


@dataclass(frozen=True)
class Conflict:
    """One place where both changed the same words; `number` counts over the whole example, from 1."""

    number: int
    turn: int
    base: str
    mine: str
    theirs: str

    @cached_property
    def sides(self) -> SideBySide:
        """Theirs and mine, with the words marked that stand only there."""
        return side_by_side(self.theirs.strip(), self.mine.strip())


@dataclass(frozen=True)
class Merge:
    """The pieces of each text, the system message first."""

    pieces: tuple[tuple[Piece, ...], ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The places where somebody has to choose."""
        places = [(turn, piece) for turn, text in enumerate(self.pieces) for piece in text if piece.conflict]
        return tuple(
            Conflict(number, turn, piece.base, piece.mine, piece.theirs)
            for number, (turn, piece) in enumerate(places, start=1)
        )

    @property
    def joins(self) -> bool:
        """Whether both sides changed something and all of it could be joined."""
        return not self.conflicts

    def with_choices(self, takes: Mapping[int, str]) -> Turns:
        """The joined texts; what nobody has chosen yet stays mine."""
        number, texts = 0, []
        for text in self.pieces:
            joined = ""
            for piece in text:
                number += piece.conflict
                joined += _taken(piece, takes.get(number, "mine")) if piece.conflict else piece.mine
            texts.append(joined)
        return Turns(texts[0], _without_empty_end(texts[1:]))


def turns_of(messages: Sequence[Message]) -> Turns:
    """Messages as the desk has them."""
    system = str(messages[0]["content"]) if messages and messages[0]["role"] == "system" else ""
    return Turns(system, tuple(str(message["content"]) for message in messages if message["role"] != "system"))


def merge_turns(base: Turns, mine: Turns, theirs: Turns) -> Merge:
    """Join what both made of `base`, text by text; a turn that one side lacks is empty there."""
    sides = (base.texts, mine.texts, theirs.texts)
    longest = max(map(len, sides))
    filled = ((*side, *("",) * (longest - len(side))) for side in sides)
    return Merge(tuple(merge(*texts) for texts in zip(*filled, strict=True)))


def keep_both(base: Turns, mine: Turns, theirs: Turns) -> tuple[Turns, int]:
    """Join all of it without asking, and the number of places where theirs now stands before mine."""
    joined = [[_both(piece) for piece in text] for text in merge_turns(base, mine, theirs).pieces]
    texts = ["".join(words for words, _ in text) for text in joined]
    return Turns(texts[0], _without_empty_end(texts[1:])), sum(meets for text in joined for _, meets in text)


def _both(piece: Piece) -> tuple[str, bool]:
    """Where one side only added before and after what the other changed, both go together; else both stand there."""
    if not piece.conflict:
        return piece.mine, False
    for added, changed in ((piece.theirs, piece.mine), (piece.mine, piece.theirs)):
        before, found, after = added.partition(piece.base) if piece.base.strip() else ("", "", "")
        if found and piece.base not in changed:
            return before + changed + after, False
    head = _shared_beginning(piece.theirs, piece.mine)
    own = Piece(piece.mine[head:], piece.theirs[head:])
    return piece.mine[:head] + _taken(own, "both"), bool(own.mine and own.theirs)


def _shared_beginning(left: str, right: str) -> int:
    """The length of the whole sentences and lines that both begin with; all of one, if the other goes on from it."""
    pairs = enumerate(zip(left, right, strict=False))
    length = next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
    if length in {len(left), len(right)}:
        return length
    return max((found.end() for found in _SENTENCE_END.finditer(left, 0, length)), default=0)


def choose_again(merged: Merge, before: Mapping[int, str], after: Mapping[int, str], typed: Turns) -> Turns:
    """What was typed into the joined texts, with other choices: what was typed since stays."""
    old, new = merged.with_choices(before), merged.with_choices(after)
    return merge_turns(old, typed, new).with_choices({})


def _taken(piece: Piece, take: str) -> str:
    if take != "both":
        return piece.theirs if take == "theirs" else piece.mine
    apart = "" if piece.theirs.endswith("\n") or not piece.theirs or not piece.mine else "\n"
    return piece.theirs + apart + piece.mine


def _without_empty_end(texts: Sequence[str]) -> tuple[str, ...]:
    kept = list(texts)
    while kept and not kept[-1].strip():
        kept.pop()
    return tuple(kept)
