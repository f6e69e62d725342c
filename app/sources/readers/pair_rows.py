"""One row of prompt and response, of a preference, of Self-Instruct or of a list of questions, as messages."""

from __future__ import annotations

import re
from typing import Any

from app.sources.readers.chat_rows import ABOUT, BadRow, Row, answer, is_blank, message_of, says, spoken, text_of
from app.sources.records import Message, Role

PROMPTS = ("prompt", "question", "instruction", "query")
RESPONSES = ("completion", "response", "answer", "output")
# What the question is about, where it stands beside it: Alpaca's and Dolly's.
CONTEXTS = ("input", "context")
# With nothing besides, a question is a prompt alone; an instruction is Alpaca's.
_ALONE = ABOUT.union(("prompt", "question", "query", "system"), CONTEXTS)
_TURN = re.compile(r"\n\n(Human|Assistant):[ \t]?")


def _first(row: Row, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if row.get(name) is not None), None)


def is_pair(row: Row) -> bool:
    """Whether a row has a prompt and a response under names that others use for them, and is none of Alpaca's.

    A prompt may stand alone, where there is nothing that could be a response by another name.
    """
    if "instruction" in row and "output" in row:
        return False
    prompt = _first(row, PROMPTS)
    has_place = any(name in row for name in RESPONSES) or row.keys() <= _ALONE
    return prompt is not None and has_place and isinstance(row[prompt], str)


def pair(row: Row) -> list[Message]:
    """A prompt with what it is about, and its response if there is one."""
    prompt = _first(row, PROMPTS)
    if prompt is None:
        raise BadRow(f"there is no prompt: none of {', '.join(PROMPTS)}")
    response = next((name for name in RESPONSES if not is_blank(row.get(name))), "")
    out = [Message("system", text_of(row["system"], "system"))] if says(row.get("system")) else []
    context = next((name for name in CONTEXTS if says(row.get(name))), None)
    asked = text_of(row[prompt], prompt)
    if context is not None:
        asked = f"{asked}\n\n{text_of(row[context], context)}"
    return [*out, Message("user", asked), *answer(row.get(response), response)]


def is_preference(row: Row) -> bool:
    """Whether a row has an answer that was chosen and one that was not."""
    return "chosen" in row and "rejected" in row


def preference(row: Row) -> list[Message]:
    """The prompt with the chosen answer; alone where that is blank."""
    chosen = row.get("chosen")
    if is_blank(chosen) and row.get("prompt"):
        return _prompt(row)
    return _answered({**row, "chosen": spoken(chosen)} if isinstance(chosen, list) else row, "chosen")


def rejected(row: Row) -> dict[str, Any]:
    """The answer that was not chosen, kept beside the record."""
    turns = _answered(row, "rejected")
    return {"rejected": turns[-1].text}


def _answered(row: Row, name: str) -> list[Message]:
    said, prompt = turns_of(row.get(name), name), _prompt(row)
    # A list of messages may repeat the prompt that stands beside it.
    return said if said[: len(prompt)] == prompt else [*prompt, *said]


def _prompt(row: Row) -> list[Message]:
    return turns_of(row["prompt"], "prompt", "user") if row.get("prompt") else []


def turns_of(value: Any, name: str, role: Role = "assistant") -> list[Message]:
    """Turns from a list of messages, from a text with "Human:" and "Assistant:" in it, or from one answer."""
    if isinstance(value, list):
        return [message_of(turn, index) for index, turn in enumerate(value, start=1)]
    text = text_of(value, name)
    _, *parts = _TURN.split(text) if text.startswith("\n\nHuman:") else [text]
    if not parts:
        return [Message(role, text)]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [Message("user" if who == "Human" else "assistant", text_of(said, name).strip()) for who, said in pairs]


def is_self_instruct(row: Row) -> bool:
    """Whether a row has an instruction with a list of instances."""
    return isinstance(row.get("instances"), list) and "instruction" in row


def instances(row: Row) -> list[Row]:
    """One row for each instance: the instruction with its own input and output. Raises BadRow."""
    found = row.get("instances")
    if not isinstance(found, list) or not found:
        raise BadRow("the row has no list 'instances'")
    if not all(isinstance(one, dict) for one in found):
        raise BadRow("an instance is not a JSON object")
    about = {key: value for key, value in row.items() if key != "instances"}
    return [{**about, "input": one.get("input"), "output": one.get("output")} for one in found]


def split_of_task(row: Row) -> str | None:
    """The test split for a task of Self-Instruct's evaluation, which names the use that it is from."""
    return "test" if "motivation_app" in row else None


def is_questions(row: Row) -> bool:
    """Whether a row has a list of prompts that are asked one after the other."""
    turns = row.get("turns")
    return isinstance(turns, list) and bool(turns) and all(isinstance(turn, str) for turn in turns)


def questions(row: Row) -> list[Message]:
    """The first prompt; the others wait for an answer to it."""
    return [Message("user", text_of(row["turns"][0], "turn 1"))] if is_questions(row) else _no_turns()


def next_turns(row: Row) -> dict[str, Any]:
    """The prompts after the first, kept beside the record."""
    later = [text_of(turn, f"turn {index}") for index, turn in enumerate(row["turns"][1:], start=2)]
    return {"next_turns": later} if later else {}


def _no_turns() -> list[Message]:
    raise BadRow("the row has no list of texts 'turns'")
