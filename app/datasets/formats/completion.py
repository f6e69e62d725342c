"""Prompt and completion as TRL reads conversations: both are lists of messages, so that a dialogue stays whole."""

from collections.abc import Mapping
from typing import Any

from app.datasets.formats.base import ID, LICENCE, SOURCE, Column, Layout, Record, told_columns, turns_of

_TURNS = turns_of("role", "content")


class Completion(Layout):
    """`prompt` has every message up to the last prompt, `completion` the last response, or nothing."""

    title = "Prompt and completion"
    holds = "`prompt`, the messages up to the last prompt, and `completion`, the last response; both lists of messages"
    read_by = "TRL's SFTTrainer, which trains on the completion alone"
    keeps = frozenset({"source", "licence", "group", "flags"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        prompt = Column("prompt", "the messages up to the last prompt", _TURNS)
        completion = Column("completion", "the last response, an empty list where there is none", _TURNS)
        return (prompt, completion, ID, SOURCE, LICENCE, *self._told())

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example as a record."""
        messages = [{"role": said["role"], "content": said["content"]} for said in example["messages"]]
        end = len(messages) - (messages[-1]["role"] == "assistant")
        return {
            "prompt": messages[:end],
            "completion": messages[end:],
            "id": sha256,
            "source": example["source"],
            "licence": example["licence"] or "",
            **told_columns(example, told=self.told),
        }


LAYOUT = Completion
