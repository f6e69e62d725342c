"""How the sources of a version are called and coloured: one way for a source in every split."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.datasets.gates import Filling
from app.examples.labels import SourceLabel, SourceLabels


def labels_of(composition: Sequence[Mapping[str, Any]]) -> SourceLabels:
    """The labels of the sources in a manifest's composition."""
    return SourceLabels(Filling(**row) for row in composition)


def label_of_row(labels: SourceLabels, row: Mapping[str, Any]) -> SourceLabel:
    """The label of one row of the composition: what the target calls it itself stays its title."""
    label = labels.of(row["source"])
    return SourceLabel(label.key, label.number, label.short, row["title"]) if row["colour"] else label
