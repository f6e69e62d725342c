"""The original beside the translation that somebody reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.examples.labels import turn_title
from app.examples.messages import Message
from app.examples.models import Example
from app.examples.translation_pages import OriginalView, original_beside
from app.projects.access import ProjectAccess


@dataclass(frozen=True)
class OriginalBeside:
    """The original and its texts by the place of the message that translates each; `further` ones have none.

    Without a view the original is gone, or not this person's to read.
    """

    view: OriginalView | None
    texts: Mapping[int, str] = field(default_factory=dict)
    further: Sequence[tuple[str, str]] = ()


def original_of(
    session: Session, access: ProjectAccess, example: Example, messages: Sequence[Message]
) -> OriginalBeside | None:
    """The original of a translation; None for an example that is none."""
    if example.translation_of_id is None:
        return None
    found = original_beside(session, access, example)
    if found is None:
        return OriginalBeside(None)
    view, said = found
    # A system message that only one of them has keeps the turns.
    by = int(_has_system(messages)) - int(_has_system(said))
    system = 0 if _has_system(messages) and _has_system(said) else None
    places = [system if message["role"] == "system" else index + by for index, message in enumerate(said)]
    texts: dict[int, str] = {}
    further: list[tuple[str, str]] = []
    for index, place in enumerate(places):
        words = str(said[index]["content"])
        if place is not None and place < len(messages):
            texts[place] = words
        else:
            further.append((turn_title(said, index), words))
    return OriginalBeside(view, texts, further)


def _has_system(messages: Sequence[Message]) -> bool:
    return bool(messages) and messages[0]["role"] == "system"
