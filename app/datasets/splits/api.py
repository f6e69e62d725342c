"""/api/v1: what the rule would move between train, dev and test, moving it, and taking it back."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.datasets.splits import operations as splits
from app.datasets.splits.forms import ApplyForm, SplitForm
from app.projects.access import Lead
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class SplitCountsOut(BaseModel):
    """Approved examples by split."""

    train: int
    dev: int
    test: int


class MoveOut(BaseModel):
    """An example and its splits; `follows` where it goes after one that stands there already."""

    id: int
    before: str
    after: str
    follows: bool


class SplitsOut(BaseModel):
    """What would move. Groups are lists of examples: kept together, standing in two splits, fitting into none."""

    dev: int
    test: int
    seed: int
    by_source: bool
    redraw: bool
    before: SplitCountsOut
    after: SplitCountsOut
    moves: list[MoveOut]
    together: list[list[int]]
    torn: list[list[int]]
    too_big: list[list[int]]
    fingerprint: str = Field(description="Of the moves; sent back, it makes sure that these and no others are made.")


class AppliedOut(SplitsOut):
    """The same, moved, under the number of the draw."""

    plan: int


class UndoneOut(BaseModel):
    """How many examples went back, and how many stayed because somebody has moved them since."""

    plan: int
    moved_back: int
    stayed: int


@router.get("/splits", name="api:splits")
def look(session: SessionDep, access: Lead, wanted: Annotated[SplitForm, Query()]) -> SplitsOut:
    """What the rule would move; nothing moves."""
    drawn = splits.look(session, access.project, wanted.asked(splits.usual(session, access.project)))
    return SplitsOut.model_validate(splits.document(drawn))


@router.post("/splits", name="api:apply_splits", status_code=201)
def apply(session: SessionDep, access: Lead, body: ApplyForm) -> AppliedOut:
    """Move what the rule draws; with a fingerprint only the moves that were shown."""
    asked = body.asked(splits.usual(session, access.project))
    plan, drawn = splits.apply(session, access.user, access.project, asked, body.fingerprint)
    return AppliedOut.model_validate(splits.document(drawn) | {"plan": plan.id})


@router.post("/splits/undoing", name="api:undo_splits")
def undo(session: SessionDep, access: Lead) -> UndoneOut:
    """Take the newest draw back, except for what somebody has moved since."""
    plan, back = splits.undo(session, access.user, access.project)
    return UndoneOut(plan=plan.id, moved_back=back, stayed=len(plan.moves) - back)
