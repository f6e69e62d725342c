"""What was removed as a duplicate: a page, and the same as JSONL and CSV."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.duplicates.removed_pages import removed_page
from app.duplicates.removing import all_removals, as_csv, as_jsonl
from app.projects.access import Annotator, ProjectAccess
from app.web.paging import PageNumber
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/duplicates/removed", name="duplicates:removed")
def removed(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """Every text that a decision took out, with the copy that was kept, the newest first."""
    return render(request, "duplicates/removed.html", removed_page(session, access, page), session=session)


@router.get("/projects/{slug}/duplicates/removed.jsonl", name="duplicates:removed_jsonl")
def removed_jsonl(access: Annotator, session: SessionDep) -> Response:
    """The same as JSONL, with all words."""
    return _file(access, session, as_jsonl, "jsonl", "application/jsonl")


@router.get("/projects/{slug}/duplicates/removed.csv", name="duplicates:removed_csv")
def removed_csv(access: Annotator, session: SessionDep) -> Response:
    """The same as CSV."""
    return _file(access, session, as_csv, "csv", "text/csv; charset=utf-8")


def _file(
    access: ProjectAccess,
    session: SessionDep,
    form: Callable[[Iterable[dict[str, Any]]], Iterator[str]],
    ending: str,
    media_type: str,
) -> Response:
    headers = {"content-disposition": f'attachment; filename="{access.project.slug}-removed.{ending}"'}
    body = "".join(form(all_removals(session, access.project.id)))
    return Response(body, media_type=media_type, headers=headers)
