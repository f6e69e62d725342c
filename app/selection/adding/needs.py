"""What the set lacks of each source: the target against what is begun; of train examples alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.examples.labels import SourceLabel, SourceLabels
from app.examples.models import ExampleState
from app.examples.tallies import facet_counts
from app.projects.models import Project, Split
from app.projects.queries import composition_of

# What a source counts that has nothing yet, in whole numbers.
MOST = 1000


@dataclass(frozen=True)
class Need:
    """A source of the target, and how many of its examples are begun."""

    source: SourceLabel
    target: int
    begun: int

    @property
    def short(self) -> int:
        """How many it lacks."""
        return max(0, self.target - self.begun)

    @property
    def share(self) -> float:
        """How much of the target is begun, in per cent."""
        return min(100.0, 100 * self.begun / self.target) if self.target else 100.0


@dataclass(frozen=True)
class Needs:
    """The target's sources, the one that lacks most first; how many examples the set has, of all sources."""

    rows: Sequence[Need]
    begun: int
    labels: SourceLabels

    @property
    def short(self) -> int:
        """How many are lacking in all."""
        return sum(row.short for row in self.rows)

    def shares(self) -> dict[str, int]:
        """How much each source that is short counts: up to MOST, by how much of its target it lacks."""
        return {row.source.key: -(-MOST * row.short // row.target) for row in self.rows if row.short}

    def lacking(self) -> dict[str, int]:
        """How many each source that is short lacks."""
        return {row.source.key: row.short for row in self.rows if row.short}


def needs_of(session: Session, project: Project) -> Needs:
    """What the project's set lacks now."""
    begun: Counter[str] = Counter()
    for one in facet_counts(session, project.id):
        if one.split is Split.TRAIN and one.state is not ExampleState.REJECTED:
            begun[one.source] += one.count
    target = list(session.scalars(composition_of(project)))
    labels = SourceLabels(target)
    wanted = {row.source: row.target for row in target if row.split is Split.TRAIN and row.target}
    return Needs(_rows(wanted, begun, labels), begun.total(), labels)


def _rows(wanted: Mapping[str, int], begun: Mapping[str, int], labels: SourceLabels) -> list[Need]:
    rows: Iterable[Need] = (Need(labels.of(source), target, begun.get(source, 0)) for source, target in wanted.items())
    return sorted(rows, key=lambda row: -row.short)
