"""Alpaca's form with LLaMA-Factory's two further columns: the turns before the last, and the system message."""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.datasets.formats.base import (
    ID,
    LICENCE,
    PAIRS,
    SOURCE,
    Column,
    Layout,
    Record,
    pairs_of,
    told_columns,
    turns_in,
)


class Alpaca(Layout):
    """`instruction` is the last prompt, `input` always empty, `output` null where a prompt has no response."""

    title = "Alpaca"
    holds = "`instruction`, `input` (empty), `output`, `system`, and earlier turns as pairs in `history`"
    read_by = "LLaMA-Factory; others take the last prompt and its response alone"
    keeps = frozenset({"source", "licence", "group", "flags"})
    llamafactory: ClassVar[Mapping[str, Any] | None] = {
        "formatting": "alpaca",
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        },
    }

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        return (
            Column("instruction", "the last prompt"),
            Column("input", "always empty: prompts are whole"),
            Column("output", "its response, null where there is none"),
            Column("system", "the system message, empty where there is none"),
            Column("history", "the turns before, as pairs of prompt and response", PAIRS),
            ID,
            SOURCE,
            LICENCE,
            *self._told(),
        )

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:
        """Give an example as a record."""
        system, turns = turns_in(example)
        history, prompt, response = pairs_of(turns)
        return {
            "instruction": prompt,
            "input": "",
            "output": response,
            "system": system,
            "history": history,
            "id": sha256,
            "source": example["source"],
            "licence": example["licence"] or "",
            **told_columns(example, told=self.told),
        }


LAYOUT = Alpaca
