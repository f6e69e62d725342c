"""How sources, titles and changes are named on pages: plain words, with nothing hidden in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from app.examples.messages import Message
from app.projects.models import Split
from app.text.diff import Segment, word_diff
from app.text.marks import runs

UNTITLED = "Nothing written yet"


@dataclass(frozen=True)
class SourceLabel:
    """A source as people read it; number is its colour in the composition, 0 where it has none."""

    key: str
    number: int
    short: str
    title: str

    @property
    def tint(self) -> str:
        """The class that draws in its colour."""
        return f"s{(self.number - 1) % 8 + 1 if self.number else 0}"


class NamesSource(Protocol):
    """A row that says how a source is called in a split: one of the target, or one of a version's composition."""

    @property
    def source(self) -> str:
        """Its key."""

    @property
    def split(self) -> str:
        """In which split."""

    @property
    def title(self) -> str:
        """Its name."""

    @property
    def short_title(self) -> str:
        """Its name where there is little room."""

    @property
    def colour(self) -> int:
        """Its colour, 0 where the row is not of the target."""


class SourceLabels:
    """The labels of sources by key, of a project or of a version: name and colour of a source are decided here alone.

    A source is called and coloured alike in every split, as its train row says, or the first that there is. What the
    target does not name at all is grey, and named by its key in words.
    """

    def __init__(self, rows: Iterable[NamesSource]) -> None:
        """Take the rows of the target, in its order; rows of a composition that stand outside it name nothing."""
        named = [row for row in rows if row.colour]
        self._known: dict[str, SourceLabel] = {}
        for row in sorted(named, key=lambda row: row.split != Split.TRAIN):
            self._known.setdefault(row.source, _label(row))

    def of(self, source: str | None) -> SourceLabel:
        """The label of one source."""
        key = source or "unsorted"
        if key not in self._known:
            words = in_words(key)
            return SourceLabel(key, 0, words, words)
        return self._known[key]

    def options(self, others: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
        """(key, title) of the target's sources and these others, for a select."""
        rest = sorted(set(others) - set(self._known))
        return tuple((key, self.of(key).title) for key in (*self._known, *rest))

    def in_order(self, sources: Iterable[str]) -> list[str]:
        """These in the order of the target, then what is not in it."""
        places = {key: place for place, key in enumerate(self._known)}
        return sorted(sources, key=lambda key: (places.get(key, len(places)), key))


def _label(row: NamesSource) -> SourceLabel:
    return SourceLabel(row.source, row.colour, shown_text(row.short_title), shown_text(row.title))


def in_words(key: str) -> str:
    """A source that the target does not name, called by its key: blog_posts reads Blog posts."""
    words = shown_text(" ".join(key.replace("_", " ").split())) or key
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Change:
    """A run of a word diff, or within one a hidden character with its visible mark and its name."""

    kind: str
    text: str
    name: str = ""


@dataclass(frozen=True)
class MessageDiff:
    """What changed in one message; `turn` is its heading."""

    turn: str
    changes: tuple[Change, ...]
    changed: bool


def shown_title(title: str) -> str:
    """A title for lists, with hidden characters shown as marks."""
    return shown_text(title) or UNTITLED


def shown_text(text: str) -> str:
    """A text with hidden characters shown as marks."""
    return "".join(f"[{run.mark}]" if run.mark else run.text for run in runs(text))


def turn_title(messages: Sequence[Message], index: int) -> str:
    """Prompt and Response; numbered where a conversation has several."""
    role = messages[index]["role"]
    if role == "system":
        return "System message"
    word = "Prompt" if role == "user" else "Response"
    same = [place for place, message in enumerate(messages) if message["role"] == role]
    return word if len(same) == 1 else f"{word} {same.index(index) + 1}"


def diff_messages(old: Sequence[Message], new: Sequence[Message]) -> tuple[MessageDiff, ...]:
    """What changed from one list of messages to the next, turn by turn; a missing system message keeps the turns."""
    left, right = _aligned(old), _aligned(new)
    found = []
    for index in range(max(len(left), len(right))):
        before, after = (side[index] if index < len(side) else None for side in (left, right))
        here, place = (right, index) if after is not None else (left, index)
        if before is None and after is None:
            continue
        segments = word_diff(str(before["content"]) if before else "", str(after["content"]) if after else "")
        changed = any(segment.kind != "equal" for segment in segments)
        found.append(MessageDiff(_title(here, place), tuple(_visible(segments)), changed))
    return tuple(found)


def _aligned(messages: Sequence[Message]) -> list[Message | None]:
    has_system = bool(messages) and messages[0]["role"] == "system"
    return [*messages] if has_system else [None, *messages]


def _title(side: Sequence[Message | None], index: int) -> str:
    known = [message for message in side if message is not None]
    return turn_title(known, index - (len(side) - len(known)))


def plain_changes(text: str) -> tuple[Change, ...]:
    """A text without changes, its hidden characters marked."""
    return tuple(_visible([Segment("equal", text)]))


def _visible(segments: Iterable[Segment]) -> Iterable[Change]:
    for segment in segments:
        for run in runs(segment.text):
            yield Change(segment.kind, run.mark or run.text, run.name)


def web_address(url: str | None) -> str | None:
    """The address if a browser may follow it: http or https, else None."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else None
