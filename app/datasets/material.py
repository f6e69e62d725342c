"""The set as it stands approved: what a freeze takes, and what the page of the next version shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean, median
from typing import Any

from app.datasets.canonical import Line, line_of
from app.datasets.gates import Approvals, Filling, Gate, Prompt, is_long_enough
from app.datasets.helped import Helped
from app.datasets.licences import is_named, unnamed
from app.datasets.making import Making
from app.datasets.tokens import RowTokens
from app.examples.labels import SourceLabel, SourceLabels
from app.web.words import plural

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
    # Group and flags, as its line has them; and whether it was written as the translation of another.
    told: Mapping[str, Any] = field(default_factory=dict)
    translated: bool = False

    @cached_property
    def line(self) -> Line:
        """The item's line of examples.jsonl."""
        return line_of(
            split=self.split,
            source=self.source,
            messages=self.messages,
            licence=self.licence,
            attribution=self.attribution,
            told=self.told,
        )

    @property
    def prompt(self) -> Prompt:
        """The first question."""
        return Prompt(self.example_id, self.split, first_question(self.messages))

    @property
    def later_prompts(self) -> list[Prompt]:
        """What the user asks later in a dialogue, as far as it says enough by itself."""
        asked = [str(said["content"]) for said in self.messages if said["role"] == "user"]
        later = enumerate(asked[1:], start=2)
        return [Prompt(self.example_id, self.split, text, turn) for turn, text in later if is_long_enough(text)]

    @property
    def without_response(self) -> bool:
        """Whether it is a prompt that waits for an answer."""
        return bool(self.messages) and self.messages[-1]["role"] == "user"

    @property
    def answered(self) -> bool:
        """Whether any message is a response."""
        return any(said["role"] == "assistant" for said in self.messages)

    @property
    def attributed(self) -> bool:
        """Whether an author or a link is known, of the answer or of the question."""
        return is_named(self.attribution)

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
    # What models had a part in; None where they had none.
    helped: Helped | None = None
    # How it was made, read at a freeze alone.
    making: Making = field(default_factory=Making)


def first_question(messages: Sequence[Mapping[str, Any]]) -> str:
    """Give the first message of the user, empty where there is none."""
    return next((str(said["content"]) for said in messages if said["role"] == "user"), "")


def split_counts(items: Sequence[Item]) -> dict[str, int]:
    """Count a set by split; each split is named, empty or not."""
    counts = Counter(item.split for item in items)
    return {split: counts[split] for split in SPLITS}


def lengths(items: Sequence[Item], tokens: Sequence[RowTokens]) -> list[dict[str, Any]]:
    """Give, by source and split, the mean, median and greatest length of prompts and responses.

    `prompt` and `response` are in code points, those below `tokens` in tokens; `tokens.total` is that of whole rows.
    A prompt without a response has no length of one: `response` is of the `responses` rows that have, zeros of none.
    """
    found = in_characters(items)
    counted: dict[tuple[str, str], list[tuple[bool, RowTokens]]] = {}
    for item, sizes in zip(items, tokens, strict=True):
        counted.setdefault((item.source, item.split), []).append((item.answered, sizes))
    for row in found:
        group = counted[row["source"], row["split"]]
        row["tokens"] = {
            "prompt": spread([sizes.prompt for _, sizes in group]),
            "response": spread([sizes.response for answered, sizes in group if answered]),
            "total": sum(sizes.total for _, sizes in group),
        }
    return found


def in_characters(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The same in characters alone."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.source, item.split), []).append(item)
    return [
        {
            "source": source,
            "split": split,
            "examples": len(group),
            "prompt": spread([item.characters(of_response=False) for item in group]),
            "responses": sum(item.answered for item in group),
            "response": spread([item.characters(of_response=True) for item in group if item.answered]),
        }
        for (source, split), group in sorted(groups.items(), key=lambda pair: (SPLITS.index(pair[0][1]), pair[0][0]))
    ]


def responses_in(row: Mapping[str, Any]) -> int:
    """How many rows the response's lengths in a line of `lengths` are of; an earlier manifest counts those without."""
    return int(row.get("responses", row["examples"] if row["response"]["max"] else 0))


def without_response(manifest: Mapping[str, Any]) -> str:
    """How many prompts have no response, and so no length of one, as a part of a sentence; empty for none."""
    count = sum(row["examples"] - row["responses"] for row in manifest["lengths"] if "responses" in row)
    verb = "is" if count == 1 else "are"
    return f"{plural(count, 'prompt')} without a response {verb} left out of the response's lengths" if count else ""


def shapes(items: Sequence[Item]) -> dict[str, dict[str, int]]:
    """Give, by split, how many rows have several turns, a system message, no response, a group, flags; no zeros."""
    found: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for item in items:
        roles = Counter(said["role"] for said in item.messages)
        has = {
            "dialogues": roles["user"] > 1,
            "system": roles["system"] > 0,
            "without_response": item.without_response,
            **dict.fromkeys(item.told, True),
        }
        found[item.split].update(name for name, there in has.items() if there)
    return {split: dict(sorted(counts.items())) for split, counts in found.items() if counts}


def credited(items: Sequence[Item]) -> dict[str, int]:
    """Count what came from elsewhere, with its words as imported or edited since, and what credits nobody.

    `listed` have an entry in ATTRIBUTION.md, `unknown` of these name neither author nor link.
    """
    kinds = Counter(
        "own" if not item.attribution else "edited" if item.revision_number > 1 else "as_imported" for item in items
    )
    owing = [item for item in items if item.attribution or unnamed(item.licence, item.attribution)]
    counts = {kind: kinds[kind] for kind in ("as_imported", "edited", "own")}
    return counts | {"listed": len(owing), "unknown": sum(not item.attributed for item in owing)}


def spread(sizes: list[int]) -> dict[str, float]:
    """Give mean, median and greatest of some lengths; zeros of none."""
    if not sizes:
        return {"mean": 0.0, "median": 0.0, "max": 0}
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
    labels = SourceLabels(targets)
    return (*wanted, *(_stray(labels.of(source), split, n) for (source, split), n in stray))


def _stray(label: SourceLabel, split: str, count: int) -> Filling:
    return Filling(label.key, split, label.title, label.short, label.number, 0, count)
