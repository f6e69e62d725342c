"""What a run will do before it does it, drawn from its plan.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.runs import wording
from app.runs.folders import visible
from training.spec import RunSpec


@dataclass(frozen=True)
class MemoryPart:
    """A part of the foreseen memory: bytes, and place and width in percent of all parts."""

    title: str
    bytes: int
    at: float
    percent: float
    grows: bool


@dataclass(frozen=True)
class MaskRow:
    """A row token by token: (text, class) with class "" for read, "t" for trained, "t end" for a trained end mark."""

    id: str
    tokens: tuple[tuple[str, str], ...]
    total: int
    cut: bool


@dataclass(frozen=True)
class PlanPart:
    """A plan: sentences, memory by parts, first rows with their loss mask."""

    facts: tuple[tuple[str, str, bool], ...]
    memory: tuple[MemoryPart, ...]
    needed: int
    available: int
    fits: bool
    share: str
    device: str
    rows: tuple[MaskRow, ...]


def plan_part(plan: Mapping[str, Any], spec: RunSpec) -> PlanPart:
    """The plan for the page."""
    memory = plan["memory"]
    return PlanPart(
        facts=wording.plan_facts(plan, spec),
        memory=_memory(memory),
        needed=memory["total"],
        available=memory["available"],
        fits=memory["fits"],
        share=_share(memory["total"], memory["available"]),
        device=f"{memory['device']}, {memory['precision']}",
        rows=tuple(_mask_row(row, spec.eot_token) for row in plan["preview"]),
    )


def _memory(memory: Mapping[str, Any]) -> tuple[MemoryPart, ...]:
    parts, at = [], 0.0
    # Of their own sum: a small model on a large machine would else show no bar at all.
    whole = sum(memory[name] for name, _title, _grows in wording.MEMORY)
    for name, title, grows in wording.MEMORY:
        if memory[name]:
            percent = 100 * memory[name] / whole
            parts.append(MemoryPart(title, memory[name], at, percent, grows))
            at += percent
    return tuple(parts)


def _share(needed: int, available: int) -> str:
    """What the run takes of the memory there is, in words."""
    percent = 100 * needed / max(1, available)
    return "less than 1%" if percent < 1 else f"{percent:,.0f}%"


def _mask_row(row: Mapping[str, Any], eot: str) -> MaskRow:
    tokens = tuple((_shown(text), _class(text, trained, eot)) for text, trained in row["tokens"] if text)
    return MaskRow(str(row["id"])[:12], tokens, row["total"], row["cut"])


def _shown(text: str) -> str:
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _class(text: str, trained: bool, eot: str) -> str:
    return " ".join(name for name, holds in (("t", trained), ("end", trained and text == eot)) if holds)
