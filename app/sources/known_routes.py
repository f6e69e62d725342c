"""What a dump says of its own questions: those that the site closed as copies, as a page and over the API."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.projects.access import Annotator
from app.sources import queries
from app.sources.excerpts import visible
from app.sources.known import KnownPair, known_pairs
from app.web.found import found
from app.web.paging import PageNumber, Pager
from app.web.refusals import REFUSALS
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(tags=["sources"], responses=REFUSALS)


@dataclass(frozen=True)
class KnownPage:
    """The pairs of questions that the site of an import's dump closed as copies."""

    import_id: int
    name: str
    site: str
    pairs: Sequence[KnownPair]
    pager: Pager


class QuestionOut(BaseModel):
    """A question by its number at the site."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    url: str
    title: str | None = Field(description="Of its answer in the pool; null where none is.")
    candidate: int | None = Field(description="The first of its answers in the pool.")


class KnownPairOut(BaseModel):
    """Two questions; the site closed `copy` as saying what `first` says."""

    model_config = ConfigDict(from_attributes=True)

    copied: QuestionOut = Field(validation_alias="copy", serialization_alias="copy")
    first: QuestionOut


class KnownPairList(BaseModel):
    """A page of the pairs, in the order of the dump."""

    total: int
    pairs: list[KnownPairOut]


@router.get("/projects/{slug}/imports/{import_id}/known-duplicates", name="sources:known", include_in_schema=False)
def known(request: Request, access: Annotator, session: SessionDep, import_id: int, page: PageNumber = 1) -> Response:
    """The pairs, each with its candidates."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    pairs, pager = known_pairs(session, run, page)
    shown = KnownPage(run.id, visible(run.name), run.site, pairs, pager)
    return render(request, "sources/known.html", shown, session=session)


@router.get("/api/v1/projects/{slug}/imports/{import_id}/known-duplicates")
def list_known(access: Annotator, session: SessionDep, import_id: int, page: PageNumber = 1) -> KnownPairList:
    """A page of the questions that the site of a dump closed as copies of others that are in the dump as well."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    pairs, pager = known_pairs(session, run, page)
    return KnownPairList(total=pager.total, pairs=[KnownPairOut.model_validate(one) for one in pairs])
