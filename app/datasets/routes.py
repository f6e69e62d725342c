"""Versions: the timeline, freezing, a version, its card, its exports."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.datasets import checking, operations
from app.datasets.ahead import read_ahead
from app.datasets.archive import Packing, archive_name
from app.datasets.card.picture import composition_svg
from app.datasets.cardpage import card_page
from app.datasets.downloads import require_few_ranges, sent
from app.datasets.export_trail import note_export, noting_failure
from app.datasets.formats import Format
from app.datasets.forms import ExportForm, FreezeForm
from app.datasets.models import Version
from app.datasets.pages import versions_page
from app.datasets.tracing.forms import RowsQuery
from app.datasets.versionpage import version_page
from app.errors import Conflict, Refusal
from app.projects.access import Annotator, Lead, LeadReading, ProjectAccess, Reading
from app.web.forms import Posted, posted
from app.web.paging import PageNumber
from app.web.templating import Flash, leave, redirect, render
from app.web.transactions import SessionDep

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


@router.post("/projects/{slug}/versions", dependencies=[Depends(read_ahead)])
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
            licences=form.value.limited_to, seen=form.value.seen,
        )  # fmt: skip
    except (Conflict, operations.BadName, operations.NothingToOverride) as refusal:
        errors = {"name" if isinstance(refusal, operations.BadName) else "form": _in_lines(refusal)}
        # What a refusal has told is seen from now on.
        told = {f"seen_{gate}": marks for gate, marks in refusal.fields.get("seen", {}).items()}
        return _timeline(request, session, access, typed={**form.typed, **told}, errors=errors, status=refusal.status)
    said = Flash("ok", f"Frozen: {version.name}, {version.row_count:,} examples.")
    return leave(request, "datasets:version", said, slug=access.project.slug, name=version.name)


def _in_lines(refusal: Refusal) -> str:
    lines = refusal.fields.get("lines", ())
    return (
        refusal.message.replace(f" {' '.join(lines)} ", "\n{}\n".format("\n".join(lines))) if lines else refusal.message
    )


@router.get("/projects/{slug}/versions/{name}", name="datasets:version")
def show(
    request: Request,
    session: SessionDep,
    access: Annotator,
    name: str,
    wanted: Annotated[RowsQuery, Query()],
) -> Response:
    """One version and its rows."""
    version = _version(session, access, name)
    built = version_page(session, access, version, wanted, may_export=access.role.covers(Role.ADMIN))
    return render(request, "datasets/version.html", built, session=session)


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    return operations.version_named(session, access.project, name)


@router.get("/projects/{slug}/versions/{name}/card", name="datasets:card")
def show_card(request: Request, session: SessionDep, access: Annotator, name: str) -> Response:
    """The dataset card."""
    version = _version(session, access, name)
    return render(request, "datasets/card.html", card_page(session, access, version), session=session)


@router.get("/projects/{slug}/versions/{name}/composition.svg", name="datasets:picture")
def show_picture(session: SessionDep, access: Annotator, name: str) -> Response:
    """The picture that the card shows on a hub."""
    svg = composition_svg(_version(session, access, name).manifest)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=3600"})


@router.post("/projects/{slug}/versions/{name}/verification", name="datasets:verify")
def verify(request: Request, session: SessionDep, access: Reading, name: str) -> Response:
    """Recompute the hash from the rows in the database, and keep what was found."""
    version = _version(session, access, name)
    wrong = checking.verify(session, version).problem
    said = Flash("ok", f"Verified: {version.row_count:,} rows have the hash under which {name} was frozen.")
    if wrong:
        said = Flash("danger", f"{name} is not what was frozen: {wrong}. Restore the database from a backup.")
    return redirect(request, "datasets:version", said, slug=access.project.slug, name=name)


@router.post("/projects/{slug}/versions/{name}/exports", name="datasets:export")
def export(
    request: Request, session: SessionDep, access: LeadReading, name: str, form: Annotated[ExportForm, Form()]
) -> Response:
    """Note who takes a copy, then go to the file."""
    note_export(session, access.user, _version(session, access, name), form.format, form.packing)
    slug, form_name, packing = access.project.slug, form.format.value, form.packing.value
    return redirect(request, "datasets:download", slug=slug, name=name, form=form_name, packing=packing)


@router.get("/projects/{slug}/versions/{name}/exports/{form}.{packing}", name="datasets:download")
def download(
    request: Request, session: SessionDep, access: Lead, name: str, form: Format, packing: Packing
) -> Response:
    """The version as one file, made at the first asking."""
    require_few_ranges(request)
    version = _version(session, access, name)
    folder = request.app.state.settings.data_dir / "exports"
    with noting_failure(request.app.state.database, access.user, version, form, packing):
        archive = operations.packed_export(session, version, form, packing, folder)
    return sent(archive, archive_name(version.manifest, form), packing)
