"""/api/v1: how far a project's pool is encoded, and having the rest encoded."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.embeddings import documents, operations
from app.projects.access import Annotator
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


class EncodingOut(BaseModel):
    """How much of a pool has its vectors under the model of the settings."""

    model: str | None = Field(
        description="The key of the model: vectors under one key may be compared. Null while it is being loaded."
    )
    encoded: int | None = Field(
        description="Published candidates whose prompt has a vector, or no words to encode; null without a model."
    )
    total: int = Field(description="All published candidates.")
    job_id: int | None = Field(description="The job that encodes the rest, while it waits or is under way.")
    engine: EngineOut | None = Field(description="Null until a worker has encoded enough to try what is faster.")


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
