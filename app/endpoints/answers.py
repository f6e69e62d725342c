"""What a model server sent, read as text: nothing of it is trusted but that it is bytes."""

import json
import re
from dataclasses import dataclass
from typing import Any

# Longer than any critique; more is cut and said to be.
LONGEST = 20_000
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


class Unfit(Exception):
    """Why this is no answer, as the end of a sentence."""


@dataclass(frozen=True)
class Answered:
    """A model's words; `model` as the server names it, empty where it does not."""

    words: str
    model: str
    cut: bool
    tokens: int | None


def read_answer(data: bytes) -> Answered:
    """The words of the first choice. Raises Unfit."""
    answer = _document(data)
    try:
        choice = answer["choices"][0]
        content = choice["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise Unfit("it answers in JSON, but not as an OpenAI-style server does") from error
    words = storable(_THOUGHTS.sub("", _text(content))).strip()
    if not words:
        raise Unfit("its answer is empty")
    cut = choice.get("finish_reason") == "length" or len(words) > LONGEST
    return Answered(words[:LONGEST], storable(str(answer.get("model") or ""))[:200], cut, _tokens(answer))


def _document(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unfit("what it sends is not JSON; look whether the address is that of its API, mostly …/v1") from error


def _text(content: Any) -> str:
    if isinstance(content, list):  # some servers send a text in parts
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tokens(answer: Any) -> int | None:
    usage = answer.get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return count if isinstance(count, int) and 0 <= count < 10**9 else None


def said_by_server(data: bytes, *, hide: str | None) -> str:
    """The server's own reason as “: …”, on one line and short, without the key; empty where it gives none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    if not isinstance(words, str):
        return ""
    # Servers repeat the end of a key that they do not know.
    line = " ".join(storable(words.replace(hide, "…") if hide else words).split())
    return f": {line[:200]}" if line else ""


def storable(text: str) -> str:
    """The text with what no database takes (NUL, lone surrogates) as U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
