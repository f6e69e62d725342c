"""What rooms above this one say to a prompt that is being saved, in its transaction: they may refuse it."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.examples.messages import Message
from app.examples.models import Example

# Examples that the writer says are no duplicates, each with why both may stay; empty where none is needed.
Dismissals = Mapping[int, str]
Look = Callable[[Session, User, Example, Sequence[Message], Dismissals], None]
_looks: list[Look] = []


def looks_at_prompts(look: Look) -> Look:
    """Have this called with each prompt that is new or changed, once the example has a number; it raises a Refusal."""
    _looks.append(look)
    return look


def look_at(
    session: Session, actor: User, example: Example, words: Sequence[Message], dismissals: Dismissals | None = None
) -> None:
    """Let them look."""
    for look in _looks:
        look(session, actor, example, words, dismissals or {})


def prompts_of(words: Sequence[Message]) -> list[str]:
    """What is asked, turn by turn."""
    return [str(message["content"]) for message in words if message["role"] == "user"]
