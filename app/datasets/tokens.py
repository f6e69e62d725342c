"""How long rows are to a model: tokens of prompts and responses, and the rows that training would cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.text.counting import Tokens


@dataclass(frozen=True)
class RowTokens:
    """The tokens of one row: of what is asked, of what is answered, and of the whole as training reads it.

    The whole has the ends of turns as well, and the beginning where the tokenizer has one.
    """

    prompt: int
    response: int
    total: int


def row_tokens(rows: Sequence[Sequence[Mapping[str, Any]]], counting: Tokens) -> list[RowTokens]:
    """Count the tokens of each row of messages, all texts at once; estimates where no tokenizer is at hand."""
    counts = iter(counting.counts([str(message["content"]) for row in rows for message in row]))
    ends = 0 if counting.tokenizer is None else 1
    found = []
    for row in rows:
        parts = [(next(counts), bool(message["content"]), message["role"] == "assistant") for message in row]
        response = sum(count for count, _, answers in parts if answers)
        both = sum(count for count, _, _ in parts)
        turns = sum(ends for _, is_turn, _ in parts if is_turn)
        found.append(RowTokens(both - response, response, counting.prefix + both + turns))
    return found


def cut_at(rows: Sequence[RowTokens], limit: int) -> list[int]:
    """The places, from 0, of the rows that training which reads `limit` tokens would not read to their end."""
    return [place for place, row in enumerate(rows) if row.total > limit]
