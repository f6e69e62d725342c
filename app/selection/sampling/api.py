"""/api/v1: sampling plans."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.projects.access import Annotator, Lead
from app.selection.sampling import queries, taking
from app.selection.sampling.forms import SampleForm
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["candidates"], responses=REFUSALS)


class StratumOut(BaseModel):
    """A stratum: its share of each draw, and what was taken of it."""

    stratum: str
    eligible: int
    share: float
    taken: int


class SamplePartOut(BaseModel):
    """One row of the composition: what was missing and taken, and why it is not full."""

    source: str
    split: str
    missing: int | None
    eligible: int
    taken: int
    why: str
    strata: list[StratumOut]


class PickOut(BaseModel):
    """A candidate that is taken; `prompt` is "title" or "as is"."""

    id: int
    site: str
    external_id: str
    stratum: str
    prompt: str


class SampleOut(BaseModel):
    """A plan looked at or carried out; `sampling` is its number, null where nothing moved."""

    sampling: int | None
    plan: str
    plan_sha256: str
    seed: int
    taken: int
    parts: list[SamplePartOut]
    candidates: list[PickOut]


class UndoneOut(BaseModel):
    """A sampling that was put back."""

    sampling: int
    put_back: int
    stayed: int


@router.get("/sample", name="api:sample_preview")
def sample_preview(session: SessionDep, access: Annotator, wanted: Annotated[SampleForm, Query()]) -> SampleOut:
    """What a plan would take; nothing moves."""
    plan = wanted.as_plan()
    drawn = taking.look(session, access.project, plan, wanted.seed)
    return SampleOut.model_validate(taking.document(plan, wanted.seed, drawn, None))


@router.post("/samples", name="api:take_sample")
def take_sample(session: SessionDep, access: Lead, body: SampleForm) -> SampleOut:
    """Make drafts of what a plan takes, up to the target; repeated, it takes what is still missing."""
    plan = body.as_plan()
    made, drawn = taking.take(session, access.user, access.project, plan, body.seed)
    return SampleOut.model_validate(taking.document(plan, body.seed, drawn, made))


@router.post("/samples/{number}/undoing", name="api:undo_sample")
def undo_sample(session: SessionDep, access: Lead, number: int) -> UndoneOut:
    """Put back what a sampling took, as far as nobody has worked on it."""
    found = queries.sampling_in(session, access.project.id, number)
    back = taking.put_back(session, access.user, access.project, found)
    return UndoneOut(sampling=number, put_back=back.put_back, stayed=back.stayed)
