"""A job's panel, which looks after itself until the job is over; the list of jobs; stopping one."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.jobs import operations, queries
from app.jobs.pages import job_panel, jobs_page
from app.projects.access import Annotator
from app.web.found import found
from app.web.paging import PageNumber
from app.web.security import local_path
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/jobs", name="jobs:index")
def index(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """All jobs of the project, newest first."""
    return render(request, "jobs/index.html", jobs_page(session, access, page), session=session)


@router.get("/projects/{slug}/jobs/{job_id}", name="jobs:panel")
def panel(request: Request, access: Annotator, session: SessionDep, job_id: int, next: str = "") -> Response:
    """One job: waiting or running, done, stopped. `next` is where to go on when it is done."""
    job = found(session, queries.job_of(access.project.id, job_id))
    page = job_panel(job, access, local_path(next) if next else "")
    response = render(request, "jobs/job.html", page, session=session, fragments=("job_panel",))
    if page.over and page.next and "hx-request" in request.headers:
        response.headers["HX-Redirect"] = page.next  # who watches the panel goes on by themselves
    return response


@router.post("/projects/{slug}/jobs/{job_id}/cancellation", name="jobs:cancel")
def cancel(request: Request, access: Annotator, session: SessionDep, job_id: int, next: str = "") -> Response:
    """Ask a job to stop."""
    job = found(session, queries.job_of(access.project.id, job_id))
    operations.cancel_job(session, access.user, access.role, job)
    words = f"“{job.title}” stops at its next step; what it has finished is kept."
    query = f"next={local_path(next)}" if next else None
    return redirect(request, "jobs:panel", Flash("ok", words), slug=access.project.slug, job_id=job.id, query=query)
