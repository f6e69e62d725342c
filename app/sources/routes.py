"""Sources: bring a file in, look at its rules, import it, open every number of its funnel."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import SessionDep
from app.errors import Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.sources import funnel, operations, pages, queries, setup, uploads
from app.sources.exchanges import ExchangeKind
from app.sources.formats import needs_site, recognise
from app.sources.forms import ExchangeForm, SetupForm, plain_fields, rules_from
from app.sources.models import ImportRun, ImportState
from app.sources.operations import ImportPlan
from app.sources.uploads import Upload
from app.web.forms import Posted, Typed, check, posted
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render

router = APIRouter(include_in_schema=False)

# Before the permission and its transaction on purpose: see `received`.
Received = Annotated[Upload, Depends(uploads.received, scope="function")]


@router.get("/projects/{slug}/sources", name="sources:index")
def index(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """All imports of the project."""
    return render(request, "sources/index.html", pages.sources_page(session, access.project, page), session=session)


@router.get("/projects/{slug}/sources/new", name="sources:new")
def new(request: Request, access: Annotator, session: SessionDep) -> Response:
    """The form to bring a file in."""
    page = pages.new_page(request.app.state.settings, access, {}, {})
    return render(request, "sources/new.html", page, session=session)


@router.post("/projects/{slug}/sources/new", name="sources:new")
def bring_in(request: Request, upload: Received, access: Annotator, session: SessionDep) -> Response:
    """Keep an upload, or note a path on the server, and go on to its rules; nothing is imported yet."""
    settings: Settings = request.app.state.settings
    try:
        path, name = uploads.chosen_source(settings, access, upload, upload.fields.get("path", "").strip())
        run = operations.draft_import(session, access.user, access.project, path, name, recognise(path))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        upload.forget()
        page = pages.new_page(settings, access, upload.fields, {"form": refusal.message})
        return render(request, "sources/new.html", page, session=session, status=422)
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


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
    run = found(session, queries.import_of(access.project.id, import_id))
    if run.state is ImportState.DRAFT:
        return _set_up(request, access, session, run)
    opened = funnel.import_page(
        session, access, run, rule=rule, after=after, page_number=page, here=request.url.path
    )  # fmt: skip
    return render(request, "sources/import.html", opened, session=session)


def _set_up(request: Request, access: ProjectAccess, session: Session, run: ImportRun) -> Response:
    typed = {key: value.replace("\r\n", "\n") for key, value in request.query_params.items()}
    longest = request.app.state.settings.max_record_mb << 20
    page = setup.setup_page(session, access.project, run, typed or setup.default_typed(run), longest)
    return render(request, "sources/setup.html", page, session=session, fragments=("counted",))


@router.post("/projects/{slug}/imports/{import_id}", name="sources:import")
def start(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Start a draft as set up; what does not fit is said beside it, and nothing is started."""
    run = found(session, queries.import_of(access.project.id, import_id))
    form = check(SetupForm, plain_fields(typed))
    errors = form.errors or _start(session, access, run, form.value, typed)
    if errors:
        page = setup.refused_page(session, access.project, run, typed, errors)
        return render(request, "sources/setup.html", page, session=session, status=422)
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


def _start(
    session: Session, access: ProjectAccess, run: ImportRun, form: SetupForm, typed: dict[str, str]
) -> dict[str, str]:
    try:
        plan = ImportPlan(
            path=Path(run.path),
            name=form.name,
            format=run.format if needs_site(run.format) else form.format or run.format,
            ruleset=rules_from(typed),
            site=form.site,
            source=form.source or None,
            licence=form.licence or None,
            into=form.into,
            skip_bad=form.skip_bad,
            prompt=form.prompt_choice,
        )
        operations.begin_draft(session, access.user, access.project, run, plan)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        about_site = isinstance(refusal, operations.NoSite | operations.DiscardedExchange)
        return {"site" if about_site else "form": refusal.message}
    return {}


@router.post("/projects/{slug}/imports/{import_id}/discard", name="sources:discard")
def discard(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Forget an upload that was not imported; go on to another one, or back to the list."""
    run = found(session, queries.import_of(access.project.id, import_id))
    if operations.discard_draft(session, access.user, run):
        uploads.forget(request.app.state.settings, Path(run.path))
    words = Flash("ok", "The upload was put aside; nothing was imported.")
    to = "sources:index" if typed.get("then") == "list" else "sources:new"
    return redirect(request, to, words, slug=access.project.slug)


@router.post("/projects/{slug}/imports/{import_id}/again", name="sources:again")
def again(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """Set the same file up once more, with the settings of that import."""
    earlier = found(session, queries.import_of(access.project.id, import_id))
    run = operations.draft_again(session, access.user, access.project, earlier)
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


@router.get("/projects/{slug}/imports/{import_id}/report.jsonl", name="sources:report")
def report(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """What became of each record, a line each."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    headers = {"Content-Disposition": f'attachment; filename="import-{run.id}.jsonl"'}
    return StreamingResponse(_lines(request, run.id), media_type="application/jsonl", headers=headers)


def _lines(request: Request, import_id: int) -> Iterator[str]:
    # A session of its own: the request's is closed by the time the body streams.
    with request.app.state.database.reading() as session:
        for line in queries.report_lines(session, import_id):
            yield json.dumps(line, ensure_ascii=False) + "\n"


@router.get("/projects/{slug}/sources/exchanges", name="sources:exchanges")
def exchanges(request: Request, access: Annotator, session: SessionDep) -> Response:
    """Where each exchange counts."""
    page = pages.exchanges_page(session, access, {}, {})
    return render(request, "sources/exchanges.html", page, session=session)


@router.post("/projects/{slug}/sources/exchanges", name="sources:exchanges")
def sort_exchange(
    request: Request,
    access: Lead,
    session: SessionDep,
    form: Annotated[Posted[ExchangeForm], Depends(posted(ExchangeForm))],
) -> Response:
    """Decide where an exchange counts from now on."""
    errors = form.errors or _sort(session, access, form.value)
    if errors:
        page = pages.exchanges_page(session, access, form.typed, errors)
        return render(request, "sources/exchanges.html", page, session=session, status=422)
    words = f"{form.value.site} counts as {form.value.group} from now on; what was imported before keeps its source."
    return redirect(request, "sources:exchanges", Flash("ok", words), slug=access.project.slug)


def _sort(session: Session, access: ProjectAccess, form: ExchangeForm) -> dict[str, str]:
    try:
        operations.set_exchange_group(session, access.user, access.project, form.site, ExchangeKind(form.group))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return {"site": refusal.message}
    return {}
