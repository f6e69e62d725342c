"""One row of LIMA, OpenAI messages, Alpaca or ShareGPT as messages; what is wrong with it, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.sources.records import Message, Role
from app.text.wellformed import first_fault

Row = dict[str, Any]


class BadRow(ValueError):
    """The row cannot be kept; the message is a sentence part."""


ABOUT = {"id", "external_id", "question_id", "title", "split", "source", "language", "lang", "author", "author_url"}
ABOUT |= {"url", "link", "licence", "license", "posted_at", "created_at", "date", "category"}
"""What any row may say of itself, whatever its form."""

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("human", "user", "prompter"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}


def is_lima(row: Row) -> bool:
    """Whether a row has a list of texts for a conversation."""
    turns = row.get("conversations")
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], str)


def is_sharegpt(row: Row) -> bool:
    """Whether a row has a list of objects for a conversation."""
    turns = row.get("conversations")
    return isinstance(turns, list) and bool(turns) and not isinstance(turns[0], str)


def is_messages(row: Row) -> bool:
    """Whether a row has OpenAI's list of messages, or one that is the prompt."""
    return isinstance(row.get("messages"), list) or _is_chat(row.get("prompt"))


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "role" in value[0]


def is_alpaca(row: Row) -> bool:
    """Whether a row has an instruction."""
    return "instruction" in row


def lima(row: Row) -> list[Message]:
    """Turns of the user and the assistant as plain texts, with a system text beside them."""
    turns = _list(row, "conversations")
    if turns and len(turns) % 2 == 0 and is_blank(turns[-1]):
        turns = turns[:-1]
    roles: tuple[Role, Role] = ("user", "assistant")
    out = [Message(roles[index % 2], text_of(turn, f"turn {index + 1}")) for index, turn in enumerate(turns)]
    return [Message("system", text_of(row["system"], "system")), *out] if says(row.get("system")) else out


def messages(row: Row) -> list[Message]:
    """OpenAI's messages, or those of a prompt with its completion; those that call tools are refused."""
    found = _list(row, "messages") if "messages" in row or not _is_chat(row.get("prompt")) else _prompted(row)
    return [message_of(turn, index) for index, turn in enumerate(spoken(found), start=1)]


def _prompted(row: Row) -> list[Any]:
    return _list(row, "prompt") + ([] if is_blank(row.get("completion")) else _list(row, "completion"))


def message_of(turn: Any, index: int) -> Message:
    """One of OpenAI's messages. Raises BadRow for a role or content that is not kept."""
    _require_object(turn, index)
    if turn.get("tool_calls") or turn.get("function_call"):
        raise BadRow(f"message {index} calls a tool, which is not kept")
    return Message(_role(turn.get("role"), index), _parts(turn.get("content"), index))


def sharegpt(row: Row) -> list[Message]:
    """Objects of `from` and `value`, with a system text beside them."""
    out = []
    for index, turn in enumerate(spoken(_list(row, "conversations"), "from", "value"), start=1):
        _require_object(turn, index)
        out.append(Message(_role(turn.get("from"), index), text_of(turn.get("value"), f"message {index}")))
    system = row.get("system")
    return [Message("system", text_of(system, "system")), *out] if says(system) else out


ALPACA = ("instruction", "input", "output", "history", "system")


def alpaca(row: Row) -> list[Message]:
    """An instruction with its input and output, after the history."""
    out = [Message("system", text_of(row["system"], "system"))] if says(row.get("system")) else []
    for index, pair in enumerate(row.get("history") or [], start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRow(f"history {index} is not a pair of prompt and response")
        out += [Message("user", text_of(pair[0], f"history {index}"))]
        out += [Message("assistant", text_of(pair[1], f"history {index}"))]
    instruction = text_of(row.get("instruction"), "instruction")
    more = row.get("input")
    prompt = f"{instruction}\n\n{text_of(more, 'input')}" if says(more) else instruction
    out.append(Message("user", prompt))
    return [*out, *answer(row.get("output"), "output")]


def is_blank(value: Any) -> bool:
    """Whether a response is not there: no such field, null or blanks. Then its row is a prompt alone, in every form."""
    return value is None or (isinstance(value, str) and not value.strip())


def answer(value: Any, what: str) -> list[Message]:
    """The response as the assistant's turn; no turn where it is blank. Raises BadRow for what is no text."""
    return [] if is_blank(value) else [Message("assistant", text_of(value, what))]


def spoken(turns: Sequence[Any], who: str = "role", what: str = "content") -> Sequence[Any]:
    """The turns without a last one of the assistant's that is blank, for nothing is said there yet."""
    last = turns[-1] if turns and isinstance(turns[-1], dict) else {}
    speaker = last.get(who)
    is_mute = is_blank(last.get(what)) and not (last.get("tool_calls") or last.get("function_call"))
    return turns[:-1] if isinstance(speaker, str) and _ROLES.get(speaker) == "assistant" and is_mute else turns


def in_turn(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Check that an optional system message is followed by user and assistant in turn.

    The last may be the user's (a prompt without an answer). Raises BadRow.
    """
    if not messages:
        raise BadRow("the conversation is empty")
    turns = messages[1:] if messages[0].role == "system" else messages
    if not turns:
        raise BadRow("there is a system message and nothing after it")
    for index, message in enumerate(turns):
        expected = ("user", "assistant")[index % 2]
        if message.role != expected:
            place = index + 1 + len(messages) - len(turns)
            raise BadRow(f"message {place} is the {message.role}'s where the {expected}'s turn is")
    return tuple(messages)


LONGEST = {"source": 64, "language": 16, "lang": 16, "author": 200, "licence": 80, "license": 80}
"""What the database's columns take, so that both databases refuse alike."""


def text_field(row: Row, *names: str) -> str | None:
    """Give the first of the named fields that holds a string or a number, as a string; None without one."""
    for name in names:
        value = row.get(name)
        if isinstance(value, bool) or value is None or value == "":
            continue
        if not isinstance(value, str | int):
            raise BadRow(f"{name} is not a string")
        if len(str(value)) > LONGEST.get(name, 4000):
            raise BadRow(f"{name} is longer than {LONGEST.get(name, 4000):,} characters")
        return _wellformed(str(value), name)
    return None


SPLITS = {"train": "train", "dev": "dev", "validation": "dev", "valid": "dev", "val": "dev", "test": "test"}


def split_of(row: Row) -> str | None:
    """Give the split that a row names: train, dev or test; None when it names none."""
    value = text_field(row, "split")
    if value is not None and value.lower() not in SPLITS:
        raise BadRow(f"the split {value[:30]!r} is none of train, dev and test")
    return SPLITS[value.lower()] if value else None


def _list(row: Row, name: str) -> list[Any]:
    value = row.get(name)
    if not isinstance(value, list):
        raise BadRow(f"the row has no list {name!r}")
    return value


def _require_object(turn: Any, index: int) -> None:
    if not isinstance(turn, dict):
        raise BadRow(f"message {index} is not a JSON object")


def _role(value: Any, index: int) -> Role:
    role = _ROLES.get(value) if isinstance(value, str) else None
    if role is None:
        raise BadRow(f"message {index} has the role {str(value)[:30]!r}, which is none of system, user and assistant")
    return role


def _parts(value: Any, index: int) -> str:
    """Read a message's content: a string, or a list of text parts."""
    if not isinstance(value, list):
        return text_of(value, f"message {index}")
    texts = []
    for part in value:
        if not isinstance(part, dict) or part.get("type") not in {"text", "input_text", "output_text"}:
            raise BadRow(f"message {index} has a part that is not text")
        texts.append(text_of(part.get("text"), f"message {index}"))
    return text_of("\n".join(texts), f"message {index}")


def says(value: Any) -> bool:
    """Whether a column that may be left empty is not: blanks say nothing."""
    return bool(value.strip() if isinstance(value, str) else value)


def text_of(value: Any, what: str) -> str:
    """A text that says something and can be stored. Raises BadRow, which calls it `what`."""
    if not isinstance(value, str):
        raise BadRow(f"{what} is missing or not a string")
    if not value.strip():
        raise BadRow(f"{what} is empty")
    return _wellformed(value, what)


def _wellformed(value: str, what: str) -> str:
    fault = first_fault(value)
    if fault is not None:
        raise BadRow(f"{what} holds {fault}, which cannot be stored")
    return value
