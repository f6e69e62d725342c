"""Jobs: those that wait, those that run, those of a project."""

from sqlalchemy import Select, select

from app.jobs.models import Job, JobState

LIVE = (JobState.QUEUED, JobState.RUNNING)


def jobs_of(project_id: int) -> Select[Job]:
    """A project's jobs, newest first."""
    return select(Job).where(Job.project_id == project_id).order_by(Job.id.desc())


def live_jobs_of(project_id: int) -> Select[Job]:
    """A project's jobs that wait or run, oldest first."""
    return select(Job).where(Job.project_id == project_id, Job.state.in_(LIVE)).order_by(Job.id)


def job_of(project_id: int, job_id: int) -> Select[Job]:
    """One job, if it belongs to the project."""
    return select(Job).where(Job.id == job_id, Job.project_id == project_id)
