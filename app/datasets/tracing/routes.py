"""Versions side by side; a row back to its origin; an example or an import on to the versions that hold it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.datasets.operations import version_named
from app.datasets.tablepage import table_page
from app.datasets.tracing.forms import RowsQuery
from app.datasets.tracing.heldpage import held_page, shares_page
from app.datasets.tracing.pages import row_page
from app.projects.access import Annotator
from app.sources.queries import published_import_of
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/version-table", name="datasets:table")
def table(request: Request, session: SessionDep, access: Annotator, page: PageNumber = 1) -> Response:
    """All versions side by side."""
    return render(request, "datasets/table.html", table_page(session, access, page), session=session)


@router.get("/projects/{slug}/versions/{name}/rows/{position}", name="datasets:row")
def row(
    request: Request,
    session: SessionDep,
    access: Annotator,
    name: str,
    position: int,
    wanted: Annotated[RowsQuery, Query()],
) -> Response:
    """One row of a version, and everything behind it."""
    version = version_named(session, access.project, name)
    page = row_page(session, access, version, position, wanted)
    return render(request, "datasets/row.html", page, session=session)


@router.get("/projects/{slug}/examples/{example_id}/versions", name="datasets:held")
def held(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """The versions that hold an example."""
    page = held_page(session, access, example_id)
    return render(request, "datasets/held.html", page, session=session, fragments=("held",))


@router.get("/projects/{slug}/imports/{import_id}/versions", name="datasets:shares")
def shares(request: Request, session: SessionDep, access: Annotator, import_id: int) -> Response:
    """The versions that hold rows of an import."""
    run = found(session, published_import_of(access.project.id, import_id))
    page = shares_page(session, access, run)
    return render(request, "datasets/shares.html", page, session=session, fragments=("shares",))
