"""Samplings of a project."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.selection.sampling.models import Sampling


def sampling_in(session: Session, project_id: int, number: int) -> Sampling:
    """The project's sampling of that number, or NotFound."""
    sampling = session.scalar(select(Sampling).where(Sampling.id == number, Sampling.project_id == project_id))
    if sampling is None:
        raise NotFound("There is no such sampling here.")
    return sampling


def samplings_of(project_id: int) -> Select[Sampling]:
    """The samplings of a project, the newest first."""
    return select(Sampling).where(Sampling.project_id == project_id).order_by(Sampling.id.desc())
