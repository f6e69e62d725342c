"""/api/v1: what changed between two versions."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.datasets.comparison.comparing import Kind
from app.datasets.comparison.comparisons import chosen_names, compared, names_of, side_named
from app.datasets.comparison.documents import comparison_document, item_document, listed_changes
from app.projects.access import Annotator
from app.web.paging import PAGE_SIZE, PageNumber
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class SideOut(BaseModel):
    """A version, or the next one under the name `draft` and without an id."""

    version: str
    id: str | None
    examples: dict[str, int]


class CompareOut(BaseModel):
    """Numbers of all changes, and one page of those asked for. Several kinds may hold of one row."""

    old: SideOut
    new: SideOut
    added: int
    removed: int
    reworded: int = Field(
        description="Of which `form` in white space, quotation marks, line ends or Unicode form only."
    )
    moved: int = Field(description="Between splits.")
    unchanged: int
    form: int = 0
    licence: int = 0
    source: int = 0
    attribution: int = 0
    group: int = 0
    flags: int = 0
    other: int = 0
    sources: list[dict[str, Any]] = Field(description="`source`, `before`, `after`, and each kind that it has.")
    total: int = Field(description="Changes of the kind and source asked for that this person may read.")
    kept_out: int = Field(description="Those that are not: test prompts that are kept out of sight.")
    page: int
    items: list[dict[str, Any]]


@router.get("/comparison", name="api:compare")
def compare(
    session: SessionDep,
    access: Annotator,
    old: str = "",
    new: str = "",
    kind: Kind | None = None,
    source: str = "",
    page: PageNumber = 1,
) -> CompareOut:
    """Compare two versions, the two newest by themselves; `draft` is what would be frozen now."""
    names = chosen_names(names_of(session, access.project), old or None, new or None)
    before, after = (side_named(session, access.project, name) for name in names)
    found = compared(before, after)
    listed = listed_changes(session, before, after, found.chosen(kind, source or None), page, PAGE_SIZE)
    return CompareOut(
        **comparison_document(before, after, found),
        total=listed.pager.total,
        kept_out=listed.kept_out,
        page=listed.pager.number,
        items=[item_document(pair) for pair in listed.pairs],
    )
