"""An archive that was put away is unpacked again by a worker, while a page shows how far it is."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel

from app.projects.access import Reading
from app.sources import operations, queries
from app.sources.openedpage import Number
from app.web.found import found
from app.web.paging import PageNumber
from app.web.refusals import REFUSALS
from app.web.templating import redirect
from app.web.transactions import SessionDep

router = APIRouter(tags=["sources"], responses=REFUSALS)


class UnpackingOut(BaseModel):
    """The job that unpacks; see GET /jobs/{job}."""

    job: int


@router.post("/projects/{slug}/imports/{import_id}/unpacking", name="sources:unpack", include_in_schema=False)
def unpack(
    request: Request,
    access: Reading,
    session: SessionDep,
    import_id: int,
    number: Annotated[Number, Depends()],
    page: PageNumber = 1,
) -> Response:
    """Begin, and show the job; when it is done it leads back to the list that was open."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    job = operations.unpack_again(session, access.user, access.project, run)
    back = request.app.url_path_for("sources:import", slug=access.project.slug, import_id=run.id)
    query = urlencode({"next": f"{back}?{number.query}&page={page}"})
    return redirect(request, "jobs:panel", slug=access.project.slug, job_id=job.id, query=query)


@router.post("/api/v1/projects/{slug}/imports/{import_id}/unpacking", status_code=202)
def begin_unpacking(access: Reading, session: SessionDep, import_id: int) -> UnpackingOut:
    """Have a worker unpack the archive of an import again, so that its records can be restored."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    return UnpackingOut(job=operations.unpack_again(session, access.user, access.project, run).id)
