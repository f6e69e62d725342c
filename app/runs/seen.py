"""Which runs trained on which versions, and so which of them saw an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from app.datasets.canonical import PREFIX
from app.datasets.models import Version, VersionRow
from app.datasets.tracing.tracing import in_sight
from app.errors import NotFound
from app.projects.models import Project, Split
from app.runs.models import RunState, TrainingRun

MOST_VERSIONS = 50
# What a run does with a row of each split.
PART = {
    Split.TRAIN: "learned from it",
    Split.DEV: "measured its loss on it",
    Split.TEST: "was not shown it: a test prompt",
}


@dataclass(frozen=True)
class Sighting:
    """A run, and the row of its version that was frozen from an example; `part` says what the run did with it."""

    run: int
    state: str
    version: str
    row: int
    revision: int
    split: str
    sha256: str
    part: str
    at: datetime

    def document(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        return {
            "run": self.run,
            "state": self.state,
            "version": self.version,
            "row": self.row,
            "revision": self.revision,
            "split": self.split,
            "sha256": PREFIX + self.sha256,
            "saw": self.part == PART[Split(self.split)] and self.split != Split.TEST.value,
        }


@dataclass(frozen=True)
class SeenPage:
    """The runs on versions that hold an example, the newest first."""

    slug: str
    example_id: int
    sightings: Sequence[Sighting]


@dataclass(frozen=True)
class UsedBy:
    """The runs on one version, the newest first."""

    version: str
    runs: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class UsedPage:
    """The runs on some versions, in the order in which these were asked for."""

    slug: str
    versions: Sequence[UsedBy]


def sightings(session: Session, project: Project, example_id: int) -> list[Sighting]:
    """The runs on versions that hold an example, the newest first; a plan is no run yet."""
    query = (
        select(TrainingRun, VersionRow)
        .join(Version, Version.id == TrainingRun.version_id)
        .join(VersionRow, VersionRow.version_id == Version.id)
        .where(TrainingRun.project_id == project.id, TrainingRun.state != RunState.PLANNED)
        .where(VersionRow.example_id == example_id, *in_sight(session))
        .order_by(TrainingRun.id.desc(), VersionRow.position)
        .options(contains_eager(TrainingRun.version))
    )
    return [_sighting(run, row) for run, row in session.execute(query)]


def _sighting(run: TrainingRun, row: VersionRow) -> Sighting:
    stepped = run.step > 0 or run.state is RunState.SUCCEEDED
    return Sighting(
        run=run.id,
        state=run.state.value,
        version=run.version.name,
        row=row.position + 1,
        revision=row.revision_number,
        split=row.split.value,
        sha256=row.sha256,
        part=PART[row.split] if stepped else "has not taken a step yet",
        at=run.created_at,
    )


def used_by(session: Session, project: Project, names: Sequence[str]) -> list[UsedBy]:
    """The runs on each of these versions. Raises NotFound where the project has no version of such a name."""
    wanted = list(dict.fromkeys(names))[:MOST_VERSIONS]
    known = (Version.project_id == project.id, Version.name.in_(wanted))
    versions = {one.name: one.id for one in session.execute(select(Version.name, Version.id).where(*known))}
    if missing := [name for name in wanted if name not in versions]:
        raise NotFound(f"There is no version {missing[0][:64]} in this project.")
    runs: dict[int, list[tuple[int, str]]] = {number: [] for number in versions.values()}
    query = select(TrainingRun).where(TrainingRun.version_id.in_(list(runs)), TrainingRun.state != RunState.PLANNED)
    for run in session.scalars(query.order_by(TrainingRun.id.desc())):
        runs[run.version_id].append((run.id, run.state.value))
    return [UsedBy(name, runs[versions[name]]) for name in wanted]
