"""Parts of pages below: the runs that saw an example, the runs on some versions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.projects.access import Annotator
from app.runs.seen import MOST_VERSIONS, SeenPage, UsedPage, sightings, used_by
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/examples/{example_id}/runs", name="runs:seen")
def seen(request: Request, access: Annotator, session: SessionDep, example_id: int) -> Response:
    """The runs on versions that hold an example, and what each did with it."""
    page = SeenPage(access.project.slug, example_id, sightings(session, access.project, example_id))
    return render(request, "runs/seen.html", page, session=session, fragments=("runs_seen",))


@router.get("/projects/{slug}/version-runs", name="runs:used")
def used(
    request: Request,
    access: Annotator,
    session: SessionDep,
    version: Annotated[list[str], Query(max_length=MOST_VERSIONS)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """The runs on some versions, each put where the timeline waits for it."""
    page = UsedPage(access.project.slug, used_by(session, access.project, version))
    return render(request, "runs/used.html", page, session=session, fragments=("version_runs",))
