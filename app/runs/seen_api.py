"""/api/v1: the runs that saw an example."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.projects.access import Annotator
from app.runs.seen import sightings
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["runs"], responses=REFUSALS)


class SightingOut(BaseModel):
    """A run on a version that holds the example, and the row that was frozen from it."""

    run: int
    state: str
    version: str
    row: int = Field(description="Its line in examples.jsonl, from 1.")
    revision: int
    split: str
    sha256: str
    saw: bool = Field(description="Whether the run has learned from it, or measured its loss on it.")


class SightingsOut(BaseModel):
    """The runs that saw an example, the newest first."""

    example: int
    runs: list[SightingOut]


@router.get("/examples/{example_id}/runs", name="api:runs_that_saw")
def runs_that_saw(access: Annotator, session: SessionDep, example_id: int) -> SightingsOut:
    """The runs on versions that hold an example."""
    found = [SightingOut.model_validate(one.document()) for one in sightings(session, access.project, example_id)]
    return SightingsOut(example=example_id, runs=found)
