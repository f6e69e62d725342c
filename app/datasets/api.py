"""/api/v1: versions, what would be frozen now, freezing, verifying, and copies."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.datasets import checking, operations, queries
from app.datasets.ahead import read_ahead
from app.datasets.archive import Packing, archive_name
from app.datasets.canonical import version_id
from app.datasets.downloads import require_few_ranges, sent
from app.datasets.export_trail import note_export, noting_failure
from app.datasets.formats import Format
from app.datasets.forms import ExportForm, FreezeBody
from app.datasets.gate_documents import BenchmarkOut
from app.datasets.gates import Compared, GateState, Policy
from app.datasets.models import Version
from app.db import Database
from app.examples.sight import require_sight
from app.projects.access import Annotator, Lead, LeadReading, ProjectAccess
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class GateOut(BaseModel):
    """What a gate found under which policy; `reason` is that of whoever went past it, and `rows` what it is about."""

    gate: str
    state: GateState
    policy: Policy | None = Field(None, description="What the project makes of a finding; null in early versions.")
    detail: str
    reason: str | None = None
    rows: list[list[str]] = Field([], description="Of an override: the lines by their SHA-256, pairs together.")
    lists: list[BenchmarkOut] = Field([], description="Of leakage: the benchmarks that were compared with.")
    meaning: Compared | None = Field(None, description="Of leakage: how many prompts were compared by meaning.")


class CountsOut(BaseModel):
    """Examples by split."""

    train: int
    dev: int
    test: int


class DraftOut(BaseModel):
    """What would be frozen now."""

    examples: CountsOut
    gates: list[GateOut]


class FrozenOut(BaseModel):
    """When, and by whom (number and name at the time)."""

    at: str
    by: dict[str, Any]


class HelpedOut(BaseModel):
    """How many examples have words of a model, how many one criticised or outlined; `lines` are those with words."""

    with_words: int
    critiqued: int
    outlined: int
    models: list[dict[str, Any]]
    lines: list[str]


class VersionOut(DraftOut):
    """A frozen version; `help` is null where models had no part in it.

    `verified_at` is when its rows were last compared with the freeze, `problem` what was wrong, `row` in which row.
    """

    version: str
    reference: str = Field(description="project@name, as the command line takes it.")
    id: str = Field(description="sha256: and the SHA-256 of examples.jsonl.")
    frozen: FrozenOut
    help: HelpedOut | None
    verified_at: str | None
    problem: str | None
    row: int | None


class VersionsOut(BaseModel):
    """A page of versions, the newest first."""

    total: int
    page: int
    versions: list[VersionOut]


class ProblemOut(BaseModel):
    """What is wrong, and where."""

    path: str
    problem: str


class VerifiedOut(BaseModel):
    """Whether the rows still have the hash under which they were frozen."""

    ok: bool
    id: str
    problems: list[ProblemOut]


class ExportOut(BaseModel):
    """Where a copy of the version can be had."""

    version: str
    id: str
    format: Format
    packing: Packing
    url: str


@router.get("/versions", name="api:versions")
def versions(session: SessionDep, access: Annotator, page: PageNumber = 1) -> VersionsOut:
    """All versions."""
    rows, pager = page_of(session, queries.versions_of(access.project), page)
    shown = [VersionOut.model_validate(document) for document in operations.version_documents(session, rows)]
    return VersionsOut(total=pager.total, page=pager.number, versions=shown)


@router.post("/versions", name="api:freeze", status_code=201, dependencies=[Depends(read_ahead)])
def freeze(session: SessionDep, access: Lead, body: FreezeBody) -> VersionOut:
    """Freeze the approved examples."""
    version = operations.freeze_version(
        session, access.user, access.project, name=body.name, overrides=body.overrides, licences=body.licences
    )
    return VersionOut.model_validate(operations.version_documents(session, [version])[0])


@router.get("/next-version", name="api:next_version")
def next_version(session: SessionDep, access: Annotator) -> DraftOut:
    """What would be frozen now, and what the gates say."""
    return DraftOut.model_validate(operations.draft_document(session, access.project))


@router.get("/versions/{name}", name="api:version")
def version(session: SessionDep, access: Annotator, name: str) -> VersionOut:
    """One version."""
    return VersionOut.model_validate(operations.version_documents(session, [_version(session, access, name)])[0])


@router.get("/versions/{name}/manifest", name="api:manifest")
def manifest(session: SessionDep, access: Annotator, name: str) -> dict[str, Any]:
    """Everything about a version but its words: counts, people, licences, gates, software."""
    return _version(session, access, name).manifest


@router.get("/versions/{name}/examples.jsonl", name="api:version_examples", response_class=StreamingResponse)
def examples(request: Request, session: SessionDep, access: Annotator, name: str) -> StreamingResponse:
    """The file whose SHA-256 is the version's id; 403 where it holds test prompts that are kept out of sight."""
    found = _version(session, access, name)
    if found.manifest["examples"]["test"]:
        require_sight(session)
    lines = _lines(request.app.state.database, found)
    return StreamingResponse(lines, media_type="application/jsonl")


def _lines(database: Database, found: Version) -> Iterator[bytes]:
    # The request's own session is closed by the time the body is sent.
    with database.reading() as session:
        for frozen in queries.frozen_lines(session, found):
            yield frozen.line.text.encode() + b"\n"


@router.get("/versions/{name}/verification", name="api:verify_version")
def verify(session: SessionDep, access: Annotator, name: str) -> VerifiedOut:
    """Recompute the hash from the rows."""
    found = _version(session, access, name)
    faults = checking.look_at(session, found.id)
    problems = [ProblemOut(path=fault.file, problem=f"{name}: {fault.words}.") for fault in faults]
    return VerifiedOut(ok=not problems, id=version_id(found.sha256), problems=problems)


@router.post("/versions/{name}/exports", name="api:export", status_code=201)
def export(request: Request, session: SessionDep, access: LeadReading, name: str, body: ExportForm) -> ExportOut:
    """Note in the trail who takes a copy, and say where it is."""
    found = _version(session, access, name)
    note_export(session, access.user, found, body.format, body.packing)
    where = {"slug": access.project.slug, "name": name, "form": body.format.value, "packing": body.packing.value}
    url = str(request.app.url_path_for("api:download", **where))
    return ExportOut(version=name, id=version_id(found.sha256), format=body.format, packing=body.packing, url=url)


@router.get("/versions/{name}/exports/{form}.{packing}", name="api:download", response_class=FileResponse)
def download(
    request: Request, session: SessionDep, access: Lead, name: str, form: Format, packing: Packing
) -> FileResponse:
    """A copy with manifest, card and attribution, as one file; parts of it by Range, a hundred at most (else 416)."""
    require_few_ranges(request)
    found = _version(session, access, name)
    folder = request.app.state.settings.data_dir / "exports"
    with noting_failure(request.app.state.database, access.user, found, form, packing):
        archive = operations.packed_export(session, found, form, packing, folder)
    return sent(archive, archive_name(found.manifest, form), packing)


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    return operations.version_named(session, access.project, name)
