"""What may stand in an example: an optional system message, then user and assistant in turn."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from app.config import Settings
from app.errors import Refusal
from app.projects.models import Split
from app.text.wellformed import require_wellformed

Message = Mapping[str, Any]
ROLES = ("system", "user", "assistant")
TITLE_LENGTH = 200


class BadMessages(Refusal):
    """These messages make no example."""


class TextTooLarge(Refusal):
    """The texts have {size:,} bytes together and an example may have {limit:,}; nothing was saved. Cut them down."""


def validate_messages(messages: Sequence[Message], split: Split | str) -> list[dict[str, str]]:
    """Give the messages as plain dicts if they are a whole example of that split; raise BadMessages otherwise.

    A whole example ends with the assistant; a dev or test prompt needs no response and may end with the user.
    """
    checked = draft_messages(messages)
    if not checked or checked[-1]["role"] == "system":
        raise BadMessages("There is no prompt yet; write one, then submit.")
    if checked[-1]["role"] == "user" and Split(split) is Split.TRAIN:
        raise BadMessages("There is no response to the last prompt yet, and a train example needs one.")
    return checked


def draft_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Give the messages of a draft as plain dicts: in order, nothing empty between them.

    An empty system message and empty turns at the end are places to write in, and left out. Raises BadMessages.
    """
    checked = without_places(_message(number, message) for number, message in enumerate(messages, start=1))
    _require_turns(checked)
    require_size(checked)
    return checked


def without_places(messages: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The messages without an empty system message and empty turns at the end."""
    kept = [dict(message) for message in messages]
    if kept and kept[0]["role"] == "system" and not kept[0]["content"].strip():
        del kept[0]
    while kept and not kept[-1]["content"].strip():
        del kept[-1]
    return kept


def _message(number: int, message: Message) -> dict[str, str]:
    if set(message) != {"role", "content"}:
        raise BadMessages(f"Message {number} has to have a role and a content and nothing else.")
    role, content = message["role"], message["content"]
    if role not in ROLES or not isinstance(content, str):
        raise BadMessages(f"Message {number} has to be text by system, user or assistant.")
    return {"role": str(role), "content": require_wellformed(content, f"Message {number}")}


def _require_turns(messages: Sequence[Mapping[str, str]]) -> None:
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    for index, message in enumerate(turns):
        expected = "user" if index % 2 == 0 else "assistant"
        if message["role"] != expected:
            raise BadMessages(
                f"After an optional system message user and assistant take turns, but turn {index + 1} "
                f"is by {message['role']}."
            )
        if not message["content"].strip():
            raise BadMessages(f"Turn {index + 1} is empty; write it, or remove it together with its answer.")


def require_size(messages: Sequence[Message]) -> None:
    """Raise TextTooLarge where the texts have more bytes than an example may have."""
    size, limit = sum(len(str(message["content"]).encode()) for message in messages), largest_text_mb()
    if size > limit * 1_000_000:
        raise TextTooLarge(size=size, limit=int(limit * 1_000_000))


@cache
def largest_text_mb() -> float:
    """The limit that this installation sets."""
    return Settings().max_text_mb


def title_of(messages: Sequence[Message]) -> str:
    """The first line of the first prompt, cut to 200 characters; empty while there is none."""
    prompt = next((str(message["content"]) for message in messages if message["role"] == "user"), "")
    line = next((line.strip() for line in prompt.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def same_messages(left: Sequence[Message], right: Sequence[Message]) -> bool:
    """Whether two lists of messages say the same, letter by letter."""
    return [dict(message) for message in left] == [dict(message) for message in right]


def checked_source(source: str) -> str:
    """A source's key: one line of at most 64 characters, or a refusal."""
    source = require_wellformed(source, "The source").strip()
    if not source or len(source) > 64 or not source.isprintable():
        raise Refusal("A source is named by 1 to 64 visible characters, such as wikihow; nothing was saved.")
    return source
