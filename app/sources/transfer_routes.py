"""Uploads in pieces: begin one, send its pieces, see how far it is, throw it away; for pages and for programs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from app.projects.access import Annotator
from app.sources import transfers
from app.sources.models import Transfer
from app.sources.receiving import piece_received
from app.web.forms import Form, Line
from app.web.refusals import REFUSALS
from app.web.templating import Flash, redirect
from app.web.transactions import SessionDep

router = APIRouter(tags=["sources"], responses=REFUSALS)

# Before the permission and its transaction: pieces are written while everybody else works on.
Piece = Annotated[int, Depends(piece_received, scope="function")]


class AnnouncedFile(Form):
    """A file that is to come."""

    name: Line
    size: int = Field(ge=0, lt=1 << 50, description="In bytes.")


class Announcement(Form):
    """The files of an upload: one, or those of a Stack Exchange dump."""

    # Of more than may come together the refusal says how many may, and what to do.
    files: list[AnnouncedFile] = Field(min_length=1, max_length=10_000)


class TransferOut(BaseModel):
    """An upload that is not complete yet, or not yet imported."""

    upload: str = Field(description="Its key; give it as the field `upload` to import it.")
    files: list[AnnouncedFile]
    arrived: list[int] = Field(
        description="Bytes of each file that need not be sent any more; all of those that no import reads."
    )
    largest_piece: int = Field(description="The most bytes that one piece may have.")


class PieceOut(BaseModel):
    """How much of a file has arrived."""

    arrived: int


def _out(request: Request, transfer: Transfer) -> TransferOut:
    return TransferOut(
        upload=transfer.key,
        files=[AnnouncedFile(**file) for file in transfer.files],
        arrived=transfers.arrived(request.app.state.settings, transfer),
        largest_piece=transfers.LARGEST_PIECE,
    )


@router.post("/projects/{slug}/uploads", status_code=201, name="sources:uploads", include_in_schema=False)
@router.post("/api/v1/projects/{slug}/uploads", status_code=201)
def begin_upload(request: Request, access: Annotator, session: SessionDep, body: Announcement) -> TransferOut:
    """Announce files; then put their pieces in order, and start an import with the key as its field `upload`."""
    files = [(file.name, file.size) for file in body.files]
    return _out(request, transfers.begin(session, request.app.state.settings, access, files))


@router.get("/projects/{slug}/uploads/{key}", name="sources:upload", include_in_schema=False)
@router.get("/api/v1/projects/{slug}/uploads/{key}")
def show_upload(request: Request, access: Annotator, session: SessionDep, key: str) -> TransferOut:
    """How much of an upload has arrived: where to go on after a lost connection."""
    return _out(request, transfers.own(session, access, key))


@router.put("/projects/{slug}/uploads/{key}/{number}", name="sources:piece", include_in_schema=False)
@router.put(
    "/api/v1/projects/{slug}/uploads/{key}/{number}",
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
    responses={413: {"description": "The piece is too large."}, 507: {"description": "The disk is full."}},
)
def put_piece(arrived: Piece, access: Annotator) -> PieceOut:  # noqa: ARG001 - the permission
    """Send the bytes of a file from `offset` on as the body; sent twice they are there once."""
    return PieceOut(arrived=arrived)


@router.delete("/api/v1/projects/{slug}/uploads/{key}", status_code=204)
def discard_upload(request: Request, access: Annotator, session: SessionDep, key: str) -> None:
    """Throw an upload away."""
    transfers.discard(session, request.app.state.settings, transfers.own(session, access, key))


@router.post("/projects/{slug}/uploads/{key}/discard", name="sources:discard-upload", include_in_schema=False)
def discard_upload_page(request: Request, access: Annotator, session: SessionDep, key: str) -> Response:
    """Throw an upload away, from the page."""
    transfers.discard(session, request.app.state.settings, transfers.own(session, access, key))
    words = Flash("ok", "The upload was thrown away; nothing was imported.")
    return redirect(request, "sources:new", words, slug=access.project.slug)
