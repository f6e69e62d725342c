"""/api/v1: jobs and how far they are."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.jobs import operations, queries
from app.jobs.models import Job, JobState
from app.projects.access import Annotator
from app.web.found import found
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["jobs"], responses=REFUSALS)


class JobOut(BaseModel):
    """A job; `done` of `total` in `unit`, 0 where the total is not known."""

    id: int
    kind: str
    title: str
    state: JobState
    done: int
    total: int
    unit: str
    note: str
    error: str | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _out(job: Job) -> JobOut:
    return JobOut.model_validate(job, from_attributes=True)


@router.get("/projects/{slug}/jobs", name="api:jobs")
def jobs(access: Annotator, session: SessionDep, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[JobOut]:
    """The project's jobs, newest first."""
    return [_out(job) for job in session.scalars(queries.jobs_of(access.project.id).limit(limit))]


@router.get("/projects/{slug}/jobs/{job_id}", name="api:job")
def job(access: Annotator, session: SessionDep, job_id: int) -> JobOut:
    """One job."""
    return _out(found(session, queries.job_of(access.project.id, job_id)))


@router.post("/projects/{slug}/jobs/{job_id}/cancellation", name="api:cancel_job")
def cancel(access: Annotator, session: SessionDep, job_id: int) -> JobOut:
    """Ask a job to stop: at once if it waits, at its next step if it runs."""
    wanted = found(session, queries.job_of(access.project.id, job_id))
    operations.cancel_job(session, access.user, access.role, wanted)
    return _out(wanted)
