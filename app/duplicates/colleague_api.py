"""/api/v1: colleagues' examples by words and by meaning, and what a prompt is near to."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.duplicates.benchmarks.documents import NearBenchmarkOut
from app.duplicates.benchmarks.near import near_draft
from app.duplicates.colleague_forms import DismissForm, NearIn, Sought
from app.duplicates.dismissing import dismiss
from app.duplicates.documents import near_document, sought_document
from app.duplicates.means import Asking
from app.duplicates.models import Method
from app.duplicates.nearness import Draft, near_one, nearness, saved_draft
from app.duplicates.seeking import seek
from app.examples.models import ExampleState
from app.examples.queries import example_in
from app.projects.access import Annotator, ProjectAccess, Reading
from app.projects.models import Split
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep, reads_only

router = APIRouter(prefix="/api/v1/projects/{slug}/examples", tags=["colleagues' work"], responses=REFUSALS)

# A program waits while a page would say that the model is being loaded.
PATIENCE = 20.0


class HitOut(BaseModel):
    """An example that was found."""

    id: int
    title: str
    passage: str
    source: str
    state: ExampleState
    split: Split
    language: str
    by: str
    changed_at: datetime
    ways: list[str] = Field(description="How it was found: words, meaning, or both.")
    cosine: float | None = Field(description="Of its nearer text, where meaning found it.")


class EncodedOut(BaseModel):
    """How much of the project can be found by meaning."""

    waiting: int = Field(description="Examples that are not encoded as they stand now.")
    total: int
    under_way: bool = Field(description="The model or the vectors are being loaded; ask again.")
    reason: str = Field(description="Why nothing can be compared by meaning; empty where it can.")


class HitsOut(EncodedOut):
    """What was found: approved examples first, then by how well they fit."""

    hits: list[HitOut]


class NearRowOut(BaseModel):
    """A prompt that is near; of a test prompt that is kept out of sight only that there is one."""

    id: int | None
    method: Method | None
    score: float | None = Field(description="A cosine, for `lexical` the share of the wording, 1 for equal prompts.")
    leak: bool = Field(description="One would be trained on, the other held out.")
    counts: bool = Field(description="It reaches the threshold; otherwise it is only close.")
    split: Split
    state: ExampleState | None
    prompt: str | None
    kept_out: bool


class NearOut(BaseModel):
    """What a prompt is near to, the worst first."""

    benchmarks: list[NearBenchmarkOut] = Field(description="Benchmarks with a prompt that is near; see /benchmarks.")
    threshold: float
    wording: float
    near: list[NearRowOut]
    more: int = Field(description="How many more count than are listed.")
    under_way: bool
    reason: str


class SettledOut(BaseModel):
    """The pair that was settled; /duplicates/{pair_id}/reversal opens it again."""

    id: int
    left: str
    right: str
    verdict: str
    leak: bool
    reason: str | None


@router.get("/near", name="api:colleagues")
def colleagues(request: Request, access: Annotator, session: SessionDep, q: Sought) -> HitsOut:
    """Examples by words and by meaning, approved ones first."""
    return HitsOut.model_validate(sought_document(seek(session, _asking(request), access.project, q)))


@router.post("/near", name="api:near_text")
@reads_only
def near_text(request: Request, access: Reading, session: SessionDep, body: NearIn) -> NearOut:
    """What a prompt is near to; nothing is kept."""
    if body.example_id is not None:
        example_in(session, access.project.id, body.example_id)
    draft = Draft(body.text, body.split.value, body.example_id)
    return _near(request, access, session, draft)


@router.get("/{example_id}/near", name="api:near")
def near(request: Request, access: Annotator, session: SessionDep, example_id: int) -> NearOut:
    """What the prompt of an example's newest revision is near to."""
    example = example_in(session, access.project.id, example_id)
    return _near(request, access, session, saved_draft(session, example))


@router.post("/{example_id}/near/{other_id}/dismissal", name="api:dismiss_near")
def dismiss_near(
    request: Request, access: Annotator, session: SessionDep, example_id: int, other_id: int, body: DismissForm
) -> SettledOut:
    """Say that two examples are no duplicates; of a leak, why both may stay."""
    example = example_in(session, access.project.id, example_id)
    found = near_one(session, _asking(request), access.project.id, saved_draft(session, example), other_id)
    pair = dismiss(session, access.user, access.project, example, found, body.reason)
    return SettledOut(
        id=pair.id, left=pair.left_key, right=pair.right_key, verdict=pair.verdict.value, leak=pair.leak,
        reason=pair.kept_because or None,
    )  # fmt: skip


def _asking(request: Request) -> Asking:
    return Asking(request.app.state.database, request.app.state.settings, PATIENCE)


def _near(request: Request, access: ProjectAccess, session: Session, draft: Draft) -> NearOut:
    asking, project_id = _asking(request), access.project.id
    found, listed = nearness(session, asking, project_id, draft), near_draft(session, asking, project_id, draft)
    return NearOut.model_validate(near_document(found, listed))
