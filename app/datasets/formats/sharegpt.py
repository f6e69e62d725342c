"""ShareGPT's form: turns by `human` and `gpt`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.datasets.formats.base import ID, LICENCE, SOURCE, Column, Layout, Record, told_columns, turns_of

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


class ShareGpt(Layout):
    """`conversations` of `from` and `value`; a system message is the first turn, by `system`."""

    title = "ShareGPT"
    holds = "`conversations`, each turn with `from` (system, human, gpt) and `value`"
    read_by = "Axolotl, LLaMA-Factory, FastChat"
    keeps = frozenset({"source", "licence", "group", "flags"})
    axolotl: ClassVar[Mapping[str, Any] | None] = {
        "type": "chat_template",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    }
    # No tags: they would have to be all there, and these are its defaults.
    llamafactory: ClassVar[Mapping[str, Any] | None] = {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations"},
    }

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        turns = Column("conversations", "who speaks, and what is said, turn by turn", turns_of("from", "value"))
        return (ID, turns, SOURCE, LICENCE, *self._told())

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example as a record."""
        turns = [{"from": SPEAKERS[said["role"]], "value": said["content"]} for said in example["messages"]]
        return {
            "id": sha256,
            "conversations": turns,
            "source": example["source"],
            "licence": example["licence"] or "",
            **told_columns(example, told=self.told),
        }


LAYOUT = ShareGpt
