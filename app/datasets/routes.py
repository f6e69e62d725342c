"""Versions: the timeline, freezing, a version, its card, its exports."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.datasets import operations, queries
from app.datasets.formats import Format
from app.datasets.forms import ExportForm, FreezeForm
from app.datasets.models import Version
from app.datasets.pages import versions_page
from app.datasets.versionpage import card_page, version_page
from app.db import SessionDep
from app.errors import Conflict, NotFound
from app.projects.access import Annotator, Lead, LeadReading, ProjectAccess, Reading
from app.projects.models import Split
from app.web.forms import Posted, posted
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/versions", name="datasets:index")
def index(request: Request, session: SessionDep, access: Annotator, page: PageNumber = 1) -> Response:
    """All versions, and the next one growing."""
    return _timeline(request, session, access, page)


def _timeline(
    request: Request,
    session: Session,
    access: ProjectAccess,
    number: int = 1,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    may_freeze = access.role.covers(Role.ADMIN)
    page = versions_page(session, access, number, may_freeze=may_freeze, typed=typed, errors=errors)
    return render(request, "datasets/index.html", page, session=session, status=status)


@router.post("/projects/{slug}/versions")
def freeze(
    request: Request,
    session: SessionDep,
    access: Lead,
    form: Annotated[Posted[FreezeForm], Depends(posted(FreezeForm))],
) -> Response:
    """Freeze the approved set; where a gate blocks, the form comes back with what was typed."""
    if form.errors:
        return _timeline(request, session, access, typed=form.typed, errors=form.errors, status=422)
    try:
        version = operations.freeze_version(
            session, access.user, access.project, name=form.value.name, overrides=form.value.overrides,
            licences=form.value.limited_to,
        )  # fmt: skip
    except Conflict as refusal:
        errors = {"form": refusal.message}
        return _timeline(request, session, access, typed=form.typed, errors=errors, status=refusal.status)
    said = Flash("ok", f"Frozen: {version.name}, {version.row_count:,} examples.")
    return redirect(request, "datasets:version", said, slug=access.project.slug, name=version.name)


@router.get("/projects/{slug}/versions/{name}", name="datasets:version")
def show(
    request: Request,
    session: SessionDep,
    access: Annotator,
    name: str,
    split: Split | None = None,
    page: PageNumber = 1,
) -> Response:
    """One version and its rows."""
    version = _version(session, access, name)
    may_export = access.role.covers(Role.ADMIN)
    built = version_page(session, access, version, split=split, number=page, may_export=may_export)
    return render(request, "datasets/version.html", built, session=session, fragments=("version_rows",))


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    version = queries.version_by_name(session, access.project, name)
    if version is None:
        raise NotFound
    return version


@router.get("/projects/{slug}/versions/{name}/card", name="datasets:card")
def show_card(request: Request, session: SessionDep, access: Annotator, name: str) -> Response:
    """The dataset card."""
    version = _version(session, access, name)
    return render(request, "datasets/card.html", card_page(access, version), session=session)


@router.post("/projects/{slug}/versions/{name}/verification", name="datasets:verify")
def verify(request: Request, session: SessionDep, access: Reading, name: str) -> Response:
    """Recompute the hash from the rows in the database."""
    version = operations.recheck(session, _version(session, access, name))
    said = Flash("ok", f"Verified: {version.row_count:,} rows have the hash under which {name} was frozen.")
    return redirect(request, "datasets:version", said, slug=access.project.slug, name=name)


@router.post("/projects/{slug}/versions/{name}/exports", name="datasets:export")
def export(
    request: Request, session: SessionDep, access: LeadReading, name: str, form: Annotated[ExportForm, Form()]
) -> Response:
    """Note who takes a copy, then go to the file."""
    operations.note_export(session, access.user, _version(session, access, name), form.format)
    return redirect(request, "datasets:download", slug=access.project.slug, name=name, form=form.format.value)


@router.get("/projects/{slug}/versions/{name}/exports/{form}.zip", name="datasets:download")
def download(request: Request, session: SessionDep, access: Lead, name: str, form: Format) -> Response:
    """The version as one .zip, made at the first asking."""
    version = _version(session, access, name)
    archive = operations.packed_export(session, version, form, request.app.state.settings.data_dir / "exports")
    filename = f"{operations.archive_name(version, form)}.zip"
    return FileResponse(archive, media_type="application/zip", filename=filename)
