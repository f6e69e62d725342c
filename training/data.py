"""Rows of messages into ids and a loss mask, batches in a seeded order, and a count of what the trim costs."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.errors import BadInput
from training.vocabulary import Vocabulary

ROLES = ("system", "user", "assistant")
IGNORED = -100


@dataclass(frozen=True)
class Row:
    """One conversation as ids; `trained[i]` says that token i is a target of the loss."""

    id: str
    ids: list[int]
    trained: list[bool]
    cut: bool
    closed: bool

    @property
    def targets(self) -> int:
        """How many tokens the loss sees."""
        return sum(self.trained)


@dataclass(frozen=True)
class Report:
    """What the rows came to; a row can count as cut, without EOT and untrained at once."""

    rows: int
    rows_used: int
    rows_cut: int
    rows_without_eot: int
    rows_untrained: int
    tokens: int
    trained_tokens: int
    longest: int

    def as_dict(self) -> dict[str, int]:
        """Counts by name."""
        return asdict(self)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file, each checked; raises BadInput with the number of the first bad line."""
    try:
        lines = path.read_text("utf-8").split("\n")  # not splitlines: U+2028 may stand in a string
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} cannot be read: {error}") from error
    return [_checked_row(line, number, path.name) for number, line in enumerate(lines, 1) if line.strip()]


def _checked_row(line: str, number: int, file: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        messages = row["messages"]
        good = bool(messages) and all(
            message["role"] in ROLES and isinstance(message["content"], str) for message in messages
        )
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise BadInput(f"Line {number} of {file} is not a row of messages with a role and a content each.")
    return {"id": str(row.get("id", number)), "messages": messages}


def encode_row(row: dict[str, Any], vocabulary: Vocabulary, loss_on: str, max_tokens: int) -> Row:
    """Every utterance's text and then EOT, no role markers; targets are the assistant's, or all.

    The first token is never a target: nothing stands before it to predict it from.
    """
    ids = list(vocabulary.prefix)
    trained = [False] * len(ids)
    for message in row["messages"]:
        utterance = [*vocabulary.encode(message["content"]), vocabulary.eot]
        ids += utterance
        trained += [loss_on == "all" or message["role"] == "assistant"] * len(utterance)
    trained[0] = False
    cut = len(ids) > max_tokens
    ids, trained = ids[:max_tokens], trained[:max_tokens]
    targets = [token for token, target in zip(ids, trained, strict=True) if target]
    return Row(row["id"], ids, trained, cut, closed=targets[-1:] == [vocabulary.eot])


def encode_rows(
    rows: list[dict[str, Any]], vocabulary: Vocabulary, loss_on: str, max_tokens: int
) -> tuple[list[Row], Report]:
    """All rows that have something to learn from, in their order, and the count of the others."""
    encoded = [encode_row(row, vocabulary, loss_on, max_tokens) for row in rows]
    used = [row for row in encoded if row.targets]
    report = Report(
        rows=len(encoded),
        rows_used=len(used),
        rows_cut=sum(row.cut for row in encoded),
        rows_without_eot=sum(not row.closed for row in encoded),
        rows_untrained=len(encoded) - len(used),
        tokens=sum(len(row.ids) for row in used),
        trained_tokens=sum(row.targets for row in used),
        longest=max((len(row.ids) for row in used), default=0),
    )
    return used, report


def epoch_order(rows: int, seed: int, epoch: int) -> list[int]:
    """Row numbers in the order of epoch 0, 1, …; a function of its arguments alone, so that a resume needs no state."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return [int(number) for number in torch.randperm(rows, generator=generator)]


def step_rows(rows: list[Row], seed: int, epoch: int, index: int, batch_size: int) -> list[Row]:
    """The rows of batch `index` of an epoch; the last one may be short."""
    order = epoch_order(len(rows), seed, epoch)
    return [rows[number] for number in order[index * batch_size : (index + 1) * batch_size]]


def micro_batches(rows: list[Row], size: int) -> Iterator[list[Row]]:
    """A batch in parts of `size` rows, sorted by length because rows of like length waste no padding."""
    by_length = sorted(rows, key=lambda row: len(row.ids))
    return (by_length[start : start + size] for start in range(0, len(by_length), size))


def collate(rows: list[Row], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and labels, both int64 of shape (rows, longest), padded on the right; labels are -100 off the loss."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for number, row in enumerate(rows):
        tokens = torch.tensor(row.ids)
        ids[number, : len(row.ids)] = tokens
        labels[number, : len(row.ids)] = tokens.masked_fill(~torch.tensor(row.trained), IGNORED)
    return ids, labels
