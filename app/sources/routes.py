"""Sources: bring a file in, look at its rules, import it, open every number of its funnel."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.sources import funnel, operations, ownsettings, pages, queries, restoring, setup, transfers, uploads
from app.sources.exchanges import ExchangeKind
from app.sources.formats import needs_site
from app.sources.forms import (
    LARGEST_POST,
    RULE,
    RULES_FILE,
    ExchangeForm,
    RulesFile,
    SetupForm,
    chosen_in,
    plain_fields,
    posted_rules,
    rules_from,
    typed_rules,
)
from app.sources.hub import hub_id
from app.sources.models import ImportRecord, ImportRun, ImportState
from app.sources.openedpage import Number, Opening
from app.sources.opening import read_again, require_unpacked
from app.sources.operations import ImportPlan
from app.sources.receiving import Arrival, received
from app.sources.records import BadInput, Record
from app.sources.rulefiles import rules_as_toml, ruleset_from_text
from app.sources.rulesets import BadRules
from app.web.forms import Posted, Typed, check, posted
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


# Before the permission and its transaction on purpose: see `received`.
Received = Annotated[Arrival, Depends(received, scope="function")]


@router.get("/projects/{slug}/sources", name="sources:index")
def index(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """All imports of the project."""
    return render(request, "sources/index.html", pages.sources_page(session, access.project, page), session=session)


@router.get("/projects/{slug}/sources/new", name="sources:new")
def new(request: Request, access: Annotator, session: SessionDep) -> Response:
    """The form to bring a file in."""
    page = pages.new_page(session, request.app.state.settings, access, {}, {})
    return render(request, "sources/new.html", page, session=session)


@router.post("/projects/{slug}/sources/new", name="sources:new")
def bring_in(request: Request, arrival: Received, access: Annotator, session: SessionDep) -> Response:
    """Keep an upload, or note a path on the server, and go on to its rules; nothing is imported yet."""
    settings: Settings = request.app.state.settings
    try:
        arrival.require(undoubted=False)
        if arrival.hub:
            return _fetch(request, session, access, arrival)
        run = operations.draft_import(
            session, access.user, access.project, arrival.path, arrival.name, arrival.format
        )  # fmt: skip
        operations.note_aside(run, arrival.aside)
        if arrival.transfer:
            transfers.finish(session, access, arrival.transfer)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        if arrival.transfer and isinstance(refusal, BadInput):
            transfers.discard(session, settings, transfers.own(session, access, arrival.transfer))
        page = pages.new_page(session, settings, access, arrival.fields, {"form": refusal.message})
        return render(request, "sources/new.html", page, session=session, status=422)
    aside = uploads.listed(arrival.aside) if arrival.aside else ""
    words = Flash("ok", f"Left aside: {aside}. No import reads that.") if aside else None
    return redirect(request, "sources:import", words, slug=access.project.slug, import_id=run.id)


def _fetch(request: Request, session: Session, access: ProjectAccess, arrival: Arrival) -> Response:
    """Have a worker fetch a data set of the Hub, and show how far it is; that leads on to its rules."""
    run, job = operations.draft_from_hub(session, access.user, access.project, hub_id(arrival.hub), arrival.path)
    to = request.app.url_path_for("sources:import", slug=access.project.slug, import_id=run.id)
    return redirect(request, "jobs:panel", slug=access.project.slug, job_id=job.id, query=urlencode({"next": to}))


@router.get("/projects/{slug}/imports/{import_id}", name="sources:import")
def show(
    request: Request,
    access: Annotator,
    session: SessionDep,
    import_id: int,
    number: Opening,
    page: PageNumber = 1,
) -> Response:
    """An import: its set-up, its progress, or its funnel with the records behind the opened number."""
    run = found(session, queries.import_of(access.project.id, import_id))
    if run.state is ImportState.DRAFT:
        return _set_up(request, access, session, run)
    opened = funnel.import_page(
        session,
        access,
        run,
        number=number,
        page_number=page,
        here=request.url.path,
        settings=request.app.state.settings,
    )
    return render(request, "sources/import.html", opened, session=session, fragments=("so_far",))


def _set_up(request: Request, access: ProjectAccess, session: Session, run: ImportRun) -> Response:
    typed = {
        key: value.replace("\r\n", "\n")
        for key, value in request.query_params.items()
        if not key.startswith(RULES_FILE)
    }
    settings: Settings = request.app.state.settings
    left = None if typed else operations.left_set_up(run)
    chosen = left.typed if left else typed or setup.default_typed(run)
    page = setup.setup_page(session, access.project, run, chosen, settings)
    page = replace(page, left_at=left.at if left else None)
    return render(request, "sources/setup.html", page, session=session, fragments=("counted",))


@router.post("/projects/{slug}/imports/{import_id}", name="sources:import")
def start(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Start a draft as set up; what does not fit is said beside it, and nothing is started."""
    run = found(session, queries.import_of(access.project.id, import_id))
    form = check(SetupForm, plain_fields(typed))
    errors = form.errors or _start(session, access, run, form.value, typed)
    if errors:
        page = setup.refused_page(session, access.project, run, typed, errors, request.app.state.settings)
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
            settings=ownsettings.settings_from(run, typed),
            encoding=form.encoding,
        )
        operations.begin_draft(session, access.user, access.project, run, plan)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        about_site = isinstance(refusal, operations.NoSite | operations.DiscardedExchange)
        return {"site" if about_site else "form": refusal.message}
    return {}


@router.get("/projects/{slug}/imports/{import_id}/rules.toml", name="sources:rules-file")
def download_rules(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """The rules as set on the page, or those of an import, as the file that `--rules` takes."""
    run = found(session, queries.import_of(access.project.id, import_id))
    typed = dict(request.query_params) or setup.default_typed(run)
    headers = {"Content-Disposition": f'attachment; filename="rules-{run.id}.toml"'}
    return Response(rules_as_toml(rules_from(typed)), media_type="application/toml", headers=headers)


@router.get("/projects/{slug}/imports/{import_id}/rules", name="sources:rules")
def back_to_set_up(request: Request, access: Annotator, import_id: int) -> Response:
    """What a refused rules file leaves in the address bar leads back to the set-up."""
    return redirect(request, "sources:import", slug=access.project.slug, import_id=import_id)


@router.post("/projects/{slug}/imports/{import_id}/rules", name="sources:use-rules", max_body_size=LARGEST_POST)
def use_rules(
    request: Request,
    access: Annotator,
    session: SessionDep,
    import_id: int,
    given: Annotated[RulesFile, Depends(posted_rules)],
) -> Response:
    """Set a draft up by a rules file, uploaded or pasted; what else was typed stays, and nothing is written yet."""
    run = found(session, queries.import_of(access.project.id, import_id))
    try:
        rules = typed_rules(ruleset_from_text(given.text, given.name))
    except BadRules as refusal:
        errors = {"rules.text": refusal.message}
        page = setup.refused_page(session, access.project, run, given.typed, errors, request.app.state.settings)
        return render(request, "sources/setup.html", page, session=session, status=422)
    typed = {key: value for key, value in given.typed.items() if not key.startswith((RULE, RULES_FILE))} | rules
    setup.require_sight(session, run)
    operations.keep_set_up(session, run, chosen_in(typed))
    query = urlencode(typed)
    words = Flash("ok", f"The rules are those of {given.name} now; nothing is imported yet.")
    return redirect(request, "sources:import", words, slug=access.project.slug, import_id=run.id, query=query)


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
def again(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Set the same file up once more, with the settings of that import; `skip_bad` leaves out what refused it."""
    earlier = found(session, queries.import_of(access.project.id, import_id))
    run = operations.draft_again(session, access.user, access.project, earlier)
    run.skip_bad = run.skip_bad or "skip_bad" in typed
    return redirect(request, "sources:import", slug=access.project.slug, import_id=run.id)


def _read_again(
    request: Request, session: Session, access: ProjectAccess, import_id: int, record: int
) -> tuple[ImportRun, ImportRecord, Record | None]:
    """A dropped record as it stands in its file, with its row and its import."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    row = found(session, queries.record_of(run, record))
    require_unpacked(run, request.app.state.settings)
    return run, row, read_again(run, request.app.state.settings, [row]).get(record)


@router.post("/projects/{slug}/imports/{import_id}/records/{record}/restore", name="sources:restore")
def restore(
    request: Request,
    access: Annotator,
    session: SessionDep,
    import_id: int,
    record: int,
    number: Opening,
    page: PageNumber = 1,
) -> Response:
    """Make a candidate of a record that a rule dropped, and show the list that it stands in again."""
    run, row, again = _read_again(request, session, access, import_id, record)
    query = _list_of(row, number, page)
    if row.restored_at is not None:
        words = Flash("ok", "This record was restored before; nothing was changed.")
        return _to_record(request, access, run, record, words, query)
    restoring.restore_dropped(session, access.user, run, row, again)
    undo = request.app.url_path_for("sources:drop-again", slug=access.project.slug, import_id=run.id, record=record)
    words = Flash("ok", "Restored: it is a candidate in the pool now.", undo_url=f"{undo}?{query}")
    return _to_record(request, access, run, record, words, query)


@router.post("/projects/{slug}/imports/{import_id}/records/{record}/restore/undoing", name="sources:drop-again")
def drop_again(
    request: Request,
    access: Annotator,
    session: SessionDep,
    import_id: int,
    record: int,
    number: Opening,
    page: PageNumber = 1,
) -> Response:
    """Undo a restoration while nobody has worked on the candidate, and show the list again."""
    run, row, again = _read_again(request, session, access, import_id, record)
    restoring.drop_again(session, access.user, run, row, again)
    words = Flash("ok", "Dropped again, as the rule had it.")
    return _to_record(request, access, run, record, words, _list_of(row, number, page))


def _list_of(row: ImportRecord, number: Number, page: int) -> str:
    """The list that a record stands in: the one that was open, else those that its rule dropped."""
    opened = number if number.chosen else Number(rule=row.rule)
    return f"{opened.query}&page={page}"


def _to_record(
    request: Request, access: ProjectAccess, run: ImportRun, record: int, words: Flash, query: str
) -> Response:
    query += f"#record-{record}"
    return redirect(request, "sources:import", words, slug=access.project.slug, import_id=run.id, query=query)


@router.get("/projects/{slug}/imports/{import_id}/report.jsonl", name="sources:report")
def report(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """What became of each record, a line each."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    headers = {"Content-Disposition": f'attachment; filename="import-{run.id}.jsonl"'}
    return StreamingResponse(_lines(request, run.noted_under), media_type="application/jsonl", headers=headers)


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
