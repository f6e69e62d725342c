"""How sources, titles and changes are named on pages: plain words, with nothing hidden in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.examples.messages import Message
from app.projects.models import CompositionRow
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


class SourceLabels:
    """The labels of a project's sources by key; what is not in the target is named by its key."""

    def __init__(self, rows: Iterable[CompositionRow]) -> None:
        """Take the rows of the target."""
        self._known = {row.source: SourceLabel(row.source, row.colour, row.short_title, row.title) for row in rows}

    def of(self, source: str | None) -> SourceLabel:
        """The label of one source."""
        key = source or "unsorted"
        return self._known.get(key) or SourceLabel(key, 0, key, key)

    def options(self, others: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
        """(key, title) of the target's sources and these others, for a select."""
        rest = sorted(set(others) - set(self._known))
        return tuple((label.key, label.title) for label in self._known.values()) + tuple((key, key) for key in rest)


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
