"""What most routes of one example begin with: a member of the project, and the example that the path names."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.examples import queries
from app.examples.models import Example
from app.projects.access import Annotator, ProjectAccess
from app.projects.models import Project
from app.web.transactions import SessionDep


@dataclass(frozen=True)
class At:
    """Somebody at an example, in the transaction of one request."""

    session: Session
    access: ProjectAccess
    example: Example

    @property
    def user(self) -> User:
        """Who it is."""
        return self.access.user

    @property
    def project(self) -> Project:
        """The project that the example belongs to."""
        return self.access.project


def _at(session: SessionDep, access: Annotator, example_id: int) -> At:
    return At(session, access, queries.example_in(session, access.project.id, example_id))


# Declares the requirement of its route: at least an annotator of the project.
AtExample = Annotated[At, Depends(_at)]
