"""Messages that commands take from a file."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.errors import Refusal
from app.examples.messages import Message

MessagesOption = Annotated[
    Path | None,
    typer.Option(
        "--messages", metavar="FILE.json", help="All messages as JSON, - for standard input; for conversations."
    ),
]


def messages_in(file: Path) -> list[Message]:
    """The messages in a file of JSON, or on standard input; a refusal where there are none."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Refusal(f"{file} is no JSON: {error}. Nothing was saved.") from error
    found = found.get("messages") if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
        raise Refusal(f"{file} has to hold a list of messages with role and content. Nothing was saved.")
    return found
