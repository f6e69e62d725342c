"""LIMA's own form: the turns as a list of texts."""

from collections.abc import Mapping
from typing import Any

from app.datasets.formats.base import FLAGS, SOURCE, TEXTS, Column, Layout, Record, turns_in
from app.datasets.told import told_in


class Lima(Layout):
    """`conversations` and `source`; `system`, `group` and `flags` on the lines that have them."""

    title = "LIMA"
    holds = "`conversations`, texts by user and assistant in turn, with `source`"
    read_by = "what was written for LIMA's own files"
    keeps = frozenset({"source", "group", "flags"})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns."""
        turns = Column("conversations", "the words of user and assistant in turn", TEXTS)
        system = Column("system", "the system message, on the lines that have one")
        return (turns, SOURCE, system, *self._told(FLAGS))

    def record_of(self, sha256: str, example: Mapping[str, Any]) -> Record:  # noqa: ARG002 - it has no place here
        """Give an example as a record."""
        system, turns = turns_in(example)
        return {
            "conversations": turns,
            "source": example["source"],
            **({"system": system} if system else {}),
            **told_in(example),
        }


LAYOUT = Lima
