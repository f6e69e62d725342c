"""The set as it stands approved: what a freeze takes, and what the page of the next version shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median
from typing import Any

from app.datasets.canonical import Line, line_of
from app.datasets.gates import Approvals, Filling, Gate, Prompt

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Item:
    """An approved example at its approved revision."""

    example_id: int
    revision_number: int
    split: str
    source: str
    language: str
    messages: Sequence[Mapping[str, Any]]
    licence: str | None
    attribution: Mapping[str, Any]

    @cached_property
    def line(self) -> Line:
        """The item's line of examples.jsonl."""
        return line_of(
            split=self.split,
            source=self.source,
            messages=self.messages,
            licence=self.licence,
            attribution=self.attribution,
        )

    @property
    def prompt(self) -> Prompt:
        """The first question."""
        return Prompt(self.example_id, self.split, first_question(self.messages))

    @property
    def attributed(self) -> bool:
        """Whether an author or a link is known."""
        return bool(self.attribution.get("author") or self.attribution.get("url"))

    def characters(self, *, of_response: bool) -> int:
        """Count the code points of the assistant's messages, or of all others."""
        return sum(len(said["content"]) for said in self.messages if (said["role"] == "assistant") == of_response)


@dataclass(frozen=True)
class Person:
    """Somebody who took part, by the number and the name they had then."""

    id: int
    name: str


@dataclass(frozen=True)
class Draw:
    """A sampling plan by which examples of the set were drawn from the pool: with its seed it draws them again."""

    plan: str
    plan_sha256: str
    seed: int
    examples: int


@dataclass(frozen=True)
class Material:
    """Everything approved in a project at one moment, or under certain licences, with the gates' judgement."""

    items: tuple[Item, ...]
    fillings: tuple[Filling, ...]
    approvals: Approvals
    reasons: tuple[str, ...]
    writers: tuple[Person, ...]
    approvers: tuple[Person, ...]
    gates: tuple[Gate, ...]
    # The licences that the version is limited to; none means all.
    limited_to: tuple[str, ...] = ()
    draws: tuple[Draw, ...] = ()


def first_question(messages: Sequence[Mapping[str, Any]]) -> str:
    """Give the first message of the user, empty where there is none."""
    return next((str(said["content"]) for said in messages if said["role"] == "user"), "")


def split_counts(items: Sequence[Item]) -> dict[str, int]:
    """Count a set by split; each split is named, empty or not."""
    counts = Counter(item.split for item in items)
    return {split: counts[split] for split in SPLITS}


def lengths(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Give, by source and split, the mean, median and greatest length of prompts and responses in code points."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.source, item.split), []).append(item)
    return [
        {
            "source": source,
            "split": split,
            "examples": len(group),
            "prompt": _spread([item.characters(of_response=False) for item in group]),
            "response": _spread([item.characters(of_response=True) for item in group]),
        }
        for (source, split), group in sorted(groups.items(), key=lambda pair: (SPLITS.index(pair[0][1]), pair[0][0]))
    ]


def _spread(sizes: list[int]) -> dict[str, float]:
    return {"mean": round(fmean(sizes), 1), "median": float(median(sizes)), "max": max(sizes)}


def fillings(targets: Sequence[Filling], items: Sequence[Item]) -> tuple[Filling, ...]:
    """Give the target's rows with their counts, then what stands outside the target."""
    counts = Counter((item.source, item.split) for item in items)
    wanted = [
        Filling(row.source, row.split, row.title, row.short_title, row.colour, row.target,
                counts.pop((row.source, row.split), 0))
        for row in targets
    ]  # fmt: skip
    stray = sorted(counts.items(), key=lambda pair: (SPLITS.index(pair[0][1]), pair[0][0]))
    return (*wanted, *(Filling(source, split, source, source, 0, 0, n) for (source, split), n in stray))
