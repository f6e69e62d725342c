"""What stands beside the text: comments at the passages that they speak of, and the remarks of house style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.examples import style_queries
from app.examples.labels import shown_title, turn_title
from app.examples.messages import Message
from app.examples.models import Example, Revision
from app.examples.style.sheet import BY_NAME
from app.examples.style_remarks import Described, remarks_on
from app.projects.models import Project
from app.reviews import queries
from app.reviews.models import Comment
from app.reviews.pins import Pin, carried

LONGEST_QUOTE = 160


@dataclass(frozen=True)
class Answer:
    """Words in a thread."""

    by: str
    words: str
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A comment with its answers and where its passage is in the text that is shown.

    `state` is "whole" (of the example), "here", "changed" (the passage reads otherwise by now) or "gone"; `field` is
    the id of the text box on the desk, where `start` and `end` count UTF-16 units, as scripts count.
    """

    id: int
    by: str
    words: str
    at: datetime
    revision: int
    quote: str
    state: str
    message: int
    place: Pin | None
    where: str
    field: str
    start: int
    end: int
    answers: Sequence[Answer]
    settled_by: str
    settled_at: datetime | None

    @property
    def settled(self) -> bool:
        """Whether it is done with."""
        return self.settled_at is not None


@dataclass(frozen=True)
class HouseRemark:
    """What the house style says of a passage."""

    rule: str
    title: str
    words: str
    suspects: bool
    message: int
    place: Pin


@dataclass(frozen=True)
class Place:
    """A passage of one message of the newest revision; without a pin it is gone from there."""

    message: int
    pin: Pin | None
    text: str


def threads(session: Session, example: Example, shown: Sequence[Message]) -> list[Thread]:
    """All threads on an example, the oldest first, with their passages carried to the words that are shown."""
    said = session.scalars(queries.comments_of(example)).all()
    answers: dict[int | None, list[Answer]] = {}
    for one in said:
        if one.answer_to is not None:
            answers.setdefault(one.answer_to, []).append(Answer(_name(one), one.words, one.created_at))
    first = [one for one in said if one.answer_to is None]
    places = _places(session, example, shown, first)
    return [_thread(one, shown, places.get(one.id), answers.get(one.id, [])) for one in first]


def _name(comment: Comment) -> str:
    return comment.author.name if comment.author else "somebody"


def _places(session: Session, example: Example, shown: Sequence[Message], said: Sequence[Comment]) -> dict[int, Place]:
    """Where each quoted passage is now: one diff for each message of each revision that was spoken of."""
    spoken: dict[tuple[int, int], list[Comment]] = {}
    for one in said:
        if one.quote:
            spoken.setdefault((one.revision_number, one.message), []).append(one)
    old = queries.revisions_numbered(session, example, {number for number, _ in spoken})
    found: dict[int, Place] = {}
    for (number, message), comments in spoken.items():
        before = old[number].messages
        now = message + _has_system(shown) - _has_system(before)
        text = str(shown[now]["content"]) if 0 <= now < len(shown) else ""
        pins = carried(str(before[message]["content"]), text, [Pin(one.start, one.end) for one in comments])
        found |= {one.id: Place(now, pin, text) for one, pin in zip(comments, pins, strict=True)}
    return found


def _has_system(messages: Sequence[Message]) -> bool:
    return bool(messages) and messages[0]["role"] == "system"


def _thread(said: Comment, shown: Sequence[Message], place: Place | None, answers: Sequence[Answer]) -> Thread:
    pin = place.pin if place else None
    message = place.message if place else said.message
    return Thread(
        id=said.id,
        by=_name(said),
        words=said.words,
        at=said.created_at,
        revision=said.revision_number,
        quote=_short(said.quote),
        state=_state(said, place),
        message=message,
        place=pin,
        where=turn_title(shown, message) if pin else "",
        field=_field(shown, message),
        start=_units(place.text[: pin.start]) if place and pin else 0,
        end=_units(place.text[: pin.end]) if place and pin else 0,
        answers=answers,
        settled_by=said.settler.name if said.settler else "",
        settled_at=said.settled_at,
    )


def _state(said: Comment, place: Place | None) -> str:
    if not said.quote or place is None:
        return "whole"
    if place.pin is None:
        return "gone"
    return "here" if place.pin.of(place.text) == said.quote else "changed"


def _short(quote: str) -> str:
    words = " ".join(quote.split())
    return shown_title(words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…") if words else ""


def _field(messages: Sequence[Message], message: int) -> str:
    number = message + 1 - _has_system(messages)
    return f"turn-{number}" if number else "system"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def house_remarks(session: Session, project: Project, example: Example, head: Revision) -> list[HouseRemark]:
    """What the project's house style says of a revision, without what was left."""
    left = style_queries.left_of(session, example.id)
    words: Mapping[int, str] = {index: str(message["content"]) for index, message in enumerate(head.messages)}
    described = Described(head.messages, example.source, example.language)
    return [
        HouseRemark(
            one.rule, BY_NAME[one.rule].title, one.words, BY_NAME[one.rule].suspects, one.message,
            Pin(one.start, one.end),
        )
        for one in remarks_on(session, project, example, described)
        if one.key(words[one.message]) not in left
    ]  # fmt: skip
