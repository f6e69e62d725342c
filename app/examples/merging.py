"""Two people's words of one example joined turn by turn; what cannot be joined waits for a choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.examples.messages import Message
from app.text.merge import Piece, merge

# What may be taken of a conflict; `both` is theirs, then mine.
TAKES = ("mine", "theirs", "both")


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
