"""/api/v1: how far a project's pool is encoded, and having the rest encoded."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.embeddings import choosing, documents, operations
from app.embeddings.forms import ModelForm
from app.projects.access import Annotator, Lead
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

# Whoever looks can wait so long for a model that is not loaded yet; whoever writes holds others up and does not wait.
PATIENCE = 2.0

router = APIRouter(prefix="/api/v1", tags=["embeddings"], responses=REFUSALS)


class EngineOut(BaseModel):
    """What a trial on this machine has chosen to run the model with."""

    engine: str
    least_cosine: float = Field(description="Between its vectors and those of the model in float32, of the sample.")
    texts: int = Field(description="How many texts the sample had.")
    times: float = Field(description="How many times as fast it was.")
    mean_cosine: float = Field(description="As `least_cosine`, of all of the sample; below .995 it is not used.")


class NextOut(BaseModel):
    """The model that a project changes to; the one in use serves until this one is complete."""

    model: str = Field(description="Its name.")
    encoded: int = Field(description="Published candidates that it has encoded.")
    problem: str | None = Field(description="Why encoding ended before it was complete.")


class EncodingOut(BaseModel):
    """How much of a pool has its vectors under the model in use."""

    model: str | None = Field(
        description="The key of the model: vectors under one key may be compared. Null while it is being loaded."
    )
    encoded: int | None = Field(
        description="Published candidates whose prompt has a vector, or no words to encode; null without a model."
    )
    total: int = Field(description="All published candidates.")
    job_id: int | None = Field(description="The job that encodes the rest, while it waits or is under way.")
    engine: EngineOut | None = Field(description="Null until a worker has encoded enough to try what is faster.")
    next: NextOut | None = Field(description="Null where the project does not change its model.")


@router.get("/projects/{slug}/encoding", name="api:encoding")
def encoding(request: Request, access: Annotator, session: SessionDep) -> EncodingOut:
    """How far the pool is encoded."""
    found = documents.encoding_document(session, access.project, request.app.state.settings, PATIENCE)
    return EncodingOut.model_validate(found)


@router.post("/projects/{slug}/encoding", name="api:start_encoding", status_code=201)
def start(request: Request, access: Annotator, session: SessionDep) -> EncodingOut:
    """Have encoded what has no vector yet; where that is under way already, nothing is begun a second time."""
    operations.start_encoding(session, access.user, access.project)
    found = documents.encoding_document(session, access.project, request.app.state.settings, 0.0)
    return EncodingOut.model_validate(found)


@router.put("/projects/{slug}/encoding/model", name="api:set_embedding_model")
def set_model(request: Request, access: Lead, session: SessionDep, body: ModelForm) -> EncodingOut:
    """Have all encoded by another model, which is put to use once it is complete; the one in use ends such a change."""
    settings = request.app.state.settings
    choosing.change_model(session, access.user, access.project, settings, name=body.model, eight_bits=body.eight_bits)
    found = documents.encoding_document(session, access.project, settings, 0.0)
    return EncodingOut.model_validate(found)
