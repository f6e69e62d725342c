"""/api/v1: the tokenizer by which a project's texts are counted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from app.projects.access import Annotator, Lead
from app.projects.tokenizers import set_tokenizer, tokenizer_document
from app.runs import tokenizing
from app.runs.forms import TokenizerForm
from app.runs.tokenizerfile import LARGEST_POST, Brought, brought_tokenizer
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["projects"], responses=REFUSALS)


class TokenizerOut(BaseModel):
    """By what tokens are counted."""

    exact: bool = Field(description="False where the project names no tokenizer: characters / 3.6.")
    name: str | None
    sha256: str | None = Field(description="Of the tokenizer.json.")


@router.get("/tokenizer", name="api:tokenizer")
def show_tokenizer(access: Annotator) -> TokenizerOut:
    """The tokenizer that the project counts by."""
    return TokenizerOut.model_validate(tokenizer_document(access.project))


@router.put("/tokenizer", name="api:set_tokenizer")
def choose(request: Request, session: SessionDep, access: Lead, body: TokenizerForm) -> TokenizerOut:
    """Count by a base model's tokenizer or, for admins of the installation, by one in an offered folder."""
    settings = request.app.state.settings
    tokenizing.choose(session, access.user, access.project, settings, model=body.model, folder=body.folder)
    return TokenizerOut.model_validate(tokenizer_document(access.project))


FILE = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}


@router.put(
    "/tokenizer/file",
    name="api:upload_tokenizer",
    max_body_size=LARGEST_POST,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FILE}}}},
)
def upload(brought: Annotated[Brought, Depends(brought_tokenizer)], session: SessionDep, access: Lead) -> TokenizerOut:
    """Count by a tokenizer.json that is sent along, of 64 MB at most; what is none is refused with the reason."""
    set_tokenizer(session, access.user, access.project, brought.name, brought.require())
    return TokenizerOut.model_validate(tokenizer_document(access.project))
