"""Comparing two versions: the page, and release notes as a file."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.datasets.comparison.comparing import Kind
from app.datasets.comparison.comparisons import NothingFrozen, chosen_names, names_of, side_named
from app.datasets.comparison.pages import NothingToCompare, compare_page
from app.datasets.comparison.release_notes import release_notes
from app.projects.access import Annotator
from app.web.paging import PageNumber
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/comparison", name="datasets:compare")
def compare(
    request: Request,
    session: SessionDep,
    access: Annotator,
    old: str = "",
    new: str = "",
    kind: Kind | None = None,
    source: str = "",
    page: PageNumber = 1,
) -> Response:
    """What changed between two versions, the two newest by themselves; `draft` is the next one."""
    try:
        built = compare_page(
            session, access, old=old or None, new=new or None, kind=kind, source=source or None, number=page
        )
    except NothingFrozen:
        nothing = NothingToCompare(access.project.slug)
        return render(request, "datasets/compare_empty.html", nothing, session=session, status=NothingFrozen.status)
    return render(request, "datasets/compare.html", built, session=session)


@router.get("/projects/{slug}/comparison/notes.md", name="datasets:notes")
def notes(session: SessionDep, access: Annotator, old: str = "", new: str = "") -> Response:
    """The same as release notes in Markdown."""
    names = chosen_names(names_of(session, access.project), old or None, new or None)
    sides = [side_named(session, access.project, name) for name in names]
    text = release_notes(session, access.project.name, *sides)
    filename = f"{access.project.slug}-{names[0]}-to-{names[1]}.md"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)
