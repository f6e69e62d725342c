"""What people see of a job: its panel, and the list of a project's jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import now
from app.jobs import queries
from app.jobs.models import Job
from app.jobs.pace import pace
from app.projects.access import ProjectAccess
from app.web.paging import Pager, page_of


@dataclass(frozen=True)
class JobPanel:
    """A job in one of its three states: under way, done, stopped; `rate` and `left` are words."""

    id: int
    title: str
    state: str
    over: bool
    done: int
    total: int
    unit: str
    note: str
    error: str | None
    rate: str
    left: str
    created_at: datetime
    may_cancel: bool
    stopping: bool
    next: str = ""


@dataclass(frozen=True)
class JobsPage:
    """A project's jobs, newest first."""

    rows: Sequence[JobPanel]
    pager: Pager


def job_panel(job: Job, access: ProjectAccess, after: str = "") -> JobPanel:
    """The panel of one job; `after` is the page to go on to when it is done."""
    rate, left = pace(job, now())
    return JobPanel(
        id=job.id,
        title=job.title,
        state=job.state.value,
        over=job.state.over,
        done=job.done,
        total=job.total,
        unit=job.unit,
        note=job.note,
        error=job.error,
        rate=rate,
        left=left,
        created_at=job.created_at,
        may_cancel=not job.state.over and access.may_stop(job.created_by),
        stopping=job.cancel_requested and not job.state.over,
        next=after,
    )


def jobs_page(session: Session, access: ProjectAccess, page_number: int) -> JobsPage:
    """One page of the list: a constant number of queries."""
    rows, pager = page_of(session, queries.jobs_of(access.project.id), page_number)
    return JobsPage(tuple(job_panel(job, access) for job in rows), pager)
