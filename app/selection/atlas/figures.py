"""What the regions of a map hold, in figures: the same for the page, its CSV, the API and the command line."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.examples.labels import SourceLabels
from app.selection.atlas import queries
from app.selection.map_models import PoolMap
from app.sources.models import CandidateStatus

# A likeness from here on is near, in hundredths.
NEAR = 60
# A region is thin where so much of it has no example near, and so much more than the pool has in all.
THIN, THINNER = 0.4, 1.5
MOSTLY = 0.25


@dataclass
class Region:
    """One region in figures; shares are of 1."""

    number: int
    name: str
    # What its own titles say, where somebody called it otherwise.
    words: str = ""
    status: Counter[str] = field(default_factory=Counter)
    source: Counter[str] = field(default_factory=Counter)
    examples: int = 0
    far: int = 0

    @property
    def candidates(self) -> int:
        """How many lie in it."""
        return self.status.total()

    @property
    def far_share(self) -> float:
        """The share of them that has no example near."""
        return self.far / self.candidates if self.candidates else 0.0


@dataclass(frozen=True)
class Figures:
    """All regions of a map, the first one first, and all of them together."""

    regions: Sequence[Region]
    whole: Region

    def share_of_pool(self, region: Region) -> float:
        """The share of the map's candidates that lies in a region."""
        return region.candidates / self.whole.candidates if self.whole.candidates else 0.0

    def share_of_set(self, region: Region) -> float:
        """The share of the set's examples that lies in a region."""
        return region.examples / self.whole.examples if self.whole.examples else 0.0

    def is_thin(self, region: Region) -> bool:
        """Whether the set hardly covers it."""
        return region.far_share >= THIN and region.far_share >= min(1.0, THINNER * self.whole.far_share)

    def thinnest_first(self) -> list[Region]:
        """The regions with the greatest share that has no example near; of equal ones the first."""
        return sorted(self.regions, key=lambda region: (-region.far_share, region.number))


@dataclass(frozen=True)
class OwnPoint:
    """An example of the set where it lies on the map."""

    id: int
    x: int
    y: int
    region: int
    source: str
    state: str


def own_points(session: Session, drawn: PoolMap) -> list[OwnPoint]:
    """The set's examples that this session shows and that have a place; `drawn` is read whole.

    Where an example came from the pool since the map followed the set, it lies where its candidate does.
    """
    stored = {int(one["id"]): (int(one["x"]), int(one["y"]), int(one["region"])) for one in queries.own_of(drawn.own)}
    rows = session.execute(queries.examples_seen(drawn.project_id)).all()
    others = [row.candidate_id for row in rows if row.id not in stored and row.candidate_id is not None]
    placed = queries.places_of(session, drawn.id, others)
    found = []
    for row in rows:
        place = stored.get(row.id) or placed.get(row.candidate_id)
        if place is not None:
            found.append(OwnPoint(row.id, *place, source=row.source, state=row.state.value))
    return found


def figures_of(session: Session, drawn: PoolMap, own: Sequence[OwnPoint]) -> Figures:
    """The figures of a map as this session shows its candidates and examples."""
    given = queries.given_names(session, drawn.id)
    regions = [
        Region(number, given.get(number, one["name"]), one["name"] if number in given else "")
        for number, one in enumerate(drawn.regions, 1)
    ]
    whole = Region(0, "All")
    for row in queries.tallied(session, drawn.id, NEAR):
        for region in (regions[row.region - 1], whole):
            region.status[row.status.value] += row.held
            region.source[row.source or ""] += row.held
            region.far += row.far
    for point in own:
        for region in (regions[point.region - 1], whole):
            region.examples += 1
    return Figures(regions, whole)


def region_document(figures: Figures, region: Region) -> dict[str, Any]:
    """A region as one JSON document."""
    return {
        "number": region.number,
        "name": region.name,
        "words": region.words or region.name,
        "candidates": region.candidates,
        **{status.value: region.status[status.value] for status in CandidateStatus},
        "examples": region.examples,
        "not_near": region.far,
        "share_of_pool": round(figures.share_of_pool(region), 4),
        "share_of_set": round(figures.share_of_set(region), 4),
        "thin": figures.is_thin(region),
        "sources": dict(region.source.most_common()),
    }


def map_document(session: Session, drawn: PoolMap | None) -> dict[str, Any]:
    """The map as one JSON document; without one, all is empty."""
    if drawn is None:
        return {"map": None, "regions": []}
    figures = figures_of(session, drawn, own_points(session, drawn))
    head = {
        "id": drawn.id,
        "model": drawn.model,
        "method": drawn.method.value,
        "seed": drawn.seed,
        "drawn_at": drawn.created_at.isoformat(),
        "followed_at": drawn.followed_at.isoformat(),
        "candidates": figures.whole.candidates,
        "examples": figures.whole.examples,
        "not_near": figures.whole.far,
        "near_from": NEAR / 100,
        "waiting": queries.unplaced(session, drawn),
    }
    return {"map": head, "regions": [region_document(figures, region) for region in figures.regions]}


def regions_csv(figures: Figures) -> str:
    """The regions as a table for other programs."""
    lines = io.StringIO()
    rows = [region_document(figures, region) for region in figures.regions]
    columns = [name for name in rows[0] if name != "sources"] if rows else []
    writer = csv.writer(lines)
    writer.writerow(columns)
    writer.writerows([[row[name] for name in columns] for row in rows])
    return lines.getvalue()


def mostly(labels: SourceLabels, counts: Mapping[str, int]) -> str:
    """The sources that most of a region comes from, in words: each with a quarter of it, or the largest."""
    total = sum(counts.values())
    large = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [source for source, count in large if count >= MOSTLY * total][:2] or [source for source, _ in large[:1]]
    return ", ".join(labels.of(source or None).short for source in named)
