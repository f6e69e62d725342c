"""/api/v1: the dataset card of a version."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from app.datasets import operations
from app.datasets.formats import Format
from app.datasets.showing import readme_of
from app.projects.access import Annotator
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

WantedFormat = Annotated[Format, Query(alias="format", description="The format of the export whose card it is.")]
router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


@router.get("/versions/{name}/card", name="api:card", response_class=PlainTextResponse)
def card(session: SessionDep, access: Annotator, name: str, form: WantedFormat = Format.HF) -> PlainTextResponse:
    """README.md, the dataset card, as an export in that format brings it, in Markdown."""
    version = operations.version_named(session, access.project, name)
    return PlainTextResponse(readme_of(session, version, form), media_type="text/markdown; charset=utf-8")
