"""OpenAI's form of a conversation, and nothing beside it: services refuse what they do not know."""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.datasets.formats.base import MESSAGES, Column, Layout, Record

# How LLaMA-Factory is told of messages with role and content.
OPENAI_TAGS = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    },
}


class Messages(Layout):
    """`messages` alone; a prompt without a response ends with the user."""

    title = "OpenAI messages"
    holds = (
        "`messages`, each with `role` and `content`, and nothing else; a prompt without a response ends with the user, "
        "and a service refuses it as training data"
    )
    read_by = "OpenAI's fine-tuning and its like, TRL, Axolotl, LLaMA-Factory"
    axolotl: ClassVar[Mapping[str, Any] | None] = {"type": "chat_template", "field_messages": "messages"}
    llamafactory: ClassVar[Mapping[str, Any] | None] = OPENAI_TAGS

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        return (MESSAGES,)

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:  # noqa: ARG002 - it has no place here
        """Give an example as a record."""
        return {"messages": [{"role": said["role"], "content": said["content"]} for said in example["messages"]]}


LAYOUT = Messages
