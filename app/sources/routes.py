"""Sources: bring a file in, look at its rules, import it, open every number of its funnel."""

import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.db import SessionDep
from app.errors import Denied, NotFound, Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.sources import operations, pages, queries, uploads
from app.sources.exchanges import ExchangeKind
from app.sources.formats import FORMATS, recognise
from app.sources.forms import ExchangeForm, SetupForm, plain_fields, rules_from
from app.sources.models import ImportRun, ImportState
from app.sources.operations import ImportPlan
from app.web.forms import Typed, check
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/sources", name="sources:index")
def index(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """All imports of the project."""
    shown = pages.sources_page(session, access.project, page, may_import=access.project.archived_at is None)
    return render(request, "sources/index.html", shown, session=session)


@router.get("/projects/{slug}/sources/new", name="sources:new")
def new(request: Request, access: Annotator, session: SessionDep) -> Response:
    """The form to bring a file in."""
    return _new(request, access, session, {}, {}, 200)


def _new(
    request: Request,
    access: ProjectAccess,
    session: Session,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int,
) -> Response:
    folders = [str(folder) for folder in request.app.state.settings.import_folders]
    may_name = bool(folders) and access.role is Role.ADMIN
    page = pages.NewPage(tuple(list(FORMATS.values())[1:]), may_name, folders, errors, typed)
    return render(request, "sources/new.html", page, session=session, status=status)


@router.post("/projects/{slug}/sources/new", name="sources:new")
def bring_in(
    request: Request,
    access: Annotator,
    session: SessionDep,
    files: Annotated[list[UploadFile] | None, File()] = None,
    path: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Keep an upload, or note a server folder, and go on to its rules; nothing is imported yet."""
    try:
        run = _draft(request, access, session, files or [], path.strip())
    except Refusal as refusal:
        if refusal.status in {401, 403, 410}:
            raise
        return _new(request, access, session, {"path": path}, {"form": refusal.message}, refusal.status)
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


def _draft(request: Request, access: ProjectAccess, session: Session, files: list[UploadFile], path: str) -> ImportRun:
    settings = request.app.state.settings
    operations.require_open(access.project)
    if path:
        if access.role is not Role.ADMIN:
            raise Denied
        kept = uploads.server_path(settings, path)
        name = kept.name
    else:
        sent = [(file.filename or "upload", file.file) for file in files if file.filename]
        kept = uploads.keep_upload(settings, sent)
        name = sent[0][0].replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable()) or "Upload"
    return operations.draft_import(session, access.user, access.project, kept, name, recognise(kept))


def _run(session: Session, access: ProjectAccess, import_id: int) -> ImportRun:
    run = queries.import_in(session, access.project.id, import_id)
    if run is None:
        raise NotFound
    return run


@router.get("/projects/{slug}/imports/{import_id}", name="sources:import")
def show(
    request: Request,
    access: Annotator,
    session: SessionDep,
    import_id: int,
    rule: str | None = None,
    after: str | None = None,
    page: PageNumber = 1,
) -> Response:
    """An import: its set-up, its progress, or its funnel with the records behind the opened number."""
    run = _run(session, access, import_id)
    if run.state is ImportState.DRAFT:
        typed = dict(request.query_params) or pages.default_typed(session, access.project, run)
        shown = pages.setup_page(session, access.project, run, typed, {})
        return render(request, "sources/setup.html", shown, session=session, fragments=("counted",))
    opened = pages.import_page(session, run, rule=rule, after=after, page_number=page)
    return render(request, "sources/import.html", opened, session=session)


@router.post("/projects/{slug}/imports/{import_id}", name="sources:import")
def start(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Start a draft as set up; what does not fit is said beside it, and nothing is started."""
    run = _run(session, access, import_id)
    form = check(SetupForm, plain_fields(typed))
    errors = dict(form.errors)
    if not errors:
        try:
            _start(session, access, run, form.value, typed)
        except Refusal as refusal:
            if refusal.status != 422:
                raise
            errors = {"site" if isinstance(refusal, operations.NoSite) else "form": refusal.message}
    if errors:
        shown = pages.setup_page(session, access.project, run, typed, errors)
        return render(request, "sources/setup.html", shown, session=session, status=422)
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


def _start(session: Session, access: ProjectAccess, run: ImportRun, form: SetupForm, typed: dict[str, str]) -> None:
    plan = ImportPlan.of_draft(
        run,
        name=form.name,
        ruleset=rules_from(typed),
        site=form.site.strip(),
        source=form.source or None,
        licence=form.licence or None,
        into=form.into,
        skip_bad=form.skip_bad,
        prompt=form.prompt_choice,
    )
    operations.begin_draft(session, access.user, access.project, run, plan)


@router.post("/projects/{slug}/imports/{import_id}/discard", name="sources:discard")
def discard(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """Forget an upload that was not imported."""
    operations.discard_draft(session, access.user, _run(session, access, import_id))
    return redirect(request, "sources:index", Flash("ok", "The upload was put aside; nothing was imported."),
                    slug=access.project.slug)  # fmt: skip


@router.get("/projects/{slug}/imports/{import_id}/report.jsonl", name="sources:report")
def report(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """What became of each record, a line each."""
    run = _run(session, access, import_id)
    name = f"import-{run.id}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(request, run), media_type="application/jsonl", headers=headers)


def _lines(request: Request, run: ImportRun) -> Iterator[str]:
    # A session of its own: the request's is closed by the time the body streams.
    with request.app.state.database.reading() as session:
        for line in queries.report_lines(session, run):
            yield json.dumps(line, ensure_ascii=False) + "\n"


@router.get("/projects/{slug}/sources/exchanges", name="sources:exchanges")
def exchanges(request: Request, access: Annotator, session: SessionDep) -> Response:
    """Where each exchange counts."""
    page = pages.exchanges_page(session, access.project, may_edit=access.role is Role.ADMIN)
    return render(request, "sources/exchanges.html", page, session=session)


@router.post("/projects/{slug}/sources/exchanges", name="sources:exchanges")
def sort_exchange(
    request: Request, access: Lead, session: SessionDep, form: Annotated[ExchangeForm, Form()]
) -> Response:
    """Decide where an exchange counts from now on."""
    operations.set_exchange_group(session, access.user, access.project, form.site, ExchangeKind(form.group))
    words = f"{form.site} counts as {form.group} from now on."
    return redirect(request, "sources:exchanges", Flash("ok", words), slug=access.project.slug)
