"""What leads on from an example, a candidate or an import to the versions that hold it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.tracing.tracing import Held, Share, holding, shares_of_import
from app.errors import NotFound
from app.examples.labels import shown_text
from app.examples.models import Example
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.sources.models import ImportRun


@dataclass(frozen=True)
class Holding:
    """The rows that were frozen from an example; `there` is False where the example itself is gone."""

    example_id: int
    there: bool
    held: Sequence[Held]

    def document(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        return {"example": self.example_id, "there": self.there, "versions": [one.document() for one in self.held]}


def holding_of(session: Session, project: Project, example_id: int) -> Holding:
    """Every row of the project that holds an example. Raises NotFound for one that is in no version and not here."""
    query = select(Example.id).where(Example.id == example_id, Example.project_id == project.id)
    there = session.scalar(query) is not None
    held = holding(session, project, [example_id])
    if not there and not held:
        raise NotFound("There is no such example here, and no version holds one of that number.")
    return Holding(example_id, there, held)


@dataclass(frozen=True)
class HeldPage:
    """The versions that hold an example."""

    slug: str
    holding: Holding


def held_page(session: Session, access: ProjectAccess, example_id: int) -> HeldPage:
    """The versions that hold an example, the newest first."""
    return HeldPage(access.project.slug, holding_of(session, access.project, example_id))


@dataclass(frozen=True)
class SharesPage:
    """The versions that hold rows of an import."""

    slug: str
    import_id: int
    name: str
    shares: Sequence[Share]


def shares_page(session: Session, access: ProjectAccess, run: ImportRun) -> SharesPage:
    """How much of an import is in which version, the newest first."""
    shares = shares_of_import(session, access.project, run.id)
    return SharesPage(access.project.slug, run.id, shown_text(run.name), shares)
