"""The composition of a set as one bar: what is trained on, a part a source, on a scale that several bars share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.datasets.sourcenames import labels_of
from app.examples.labels import SourceLabel

Composition = Sequence[Mapping[str, Any]]
# What of a bar is empty still, as a part of it; less than this is not drawn.
GROUND = "ground"
LEAST = 0.05


@dataclass(frozen=True)
class Bar:
    """A bar: what it is of, its parts as (class, percent) with what is empty last, and the same in words."""

    title: str
    parts: Sequence[tuple[str, float]]
    words: str


def trained_on(composition: Composition) -> list[Mapping[str, Any]]:
    """The train rows that hold anything; all that do where nothing is trained on."""
    held = [row for row in composition if row["count"]]
    return [row for row in held if row["split"] == "train"] or held


def scale_of(compositions: Sequence[Composition]) -> int:
    """How many examples a whole bar stands for, so that none of these sets is longer."""
    return max((_width(one) for one in compositions), default=1)


def _width(composition: Composition) -> int:
    target = sum(int(row["target"]) for row in composition if row["split"] == "train")
    return max(1, target, sum(int(row["count"]) for row in trained_on(composition)))


def bar_of(title: str, composition: Composition, scale: int) -> Bar:
    """The bar of one set on that scale."""
    labels, shown = labels_of(composition), trained_on(composition)
    parts = [(labels.of(row["source"]).tint, 100 * row["count"] / scale) for row in shown]
    rest = 100 - sum(percent for _, percent in parts)
    parts += [(GROUND, rest)] if rest > LEAST else []
    return Bar(title, parts, ", ".join(f"{labels.of(row['source']).short} {row['count']:,}" for row in shown))


def legend_of(compositions: Sequence[Composition]) -> list[SourceLabel]:
    """The sources that the bars of these sets show, each once; of two names the later set's counts."""
    found: dict[str, SourceLabel] = {}
    for composition in compositions:
        labels = labels_of(composition)
        found |= {row["source"]: labels.of(row["source"]) for row in trained_on(composition)}
    return list(found.values())
