"""Runs: plan one, start it, watch it, stop it, go on, ask its checkpoints; base models."""

import csv
import io
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response
from sqlalchemy.orm import Session

from app.accounts.access import Access, Admin, SignedIn
from app.accounts.models import Role
from app.config import Settings
from app.datasets import queries as datasets
from app.datasets.models import Version
from app.errors import NotFound, Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.runs import operations, queries, registering, wording
from app.runs.folders import run_folder
from app.runs.forms import SETTING, AskForm, ModelForm, RunForm, changed_settings, plain_fields
from app.runs.models import TrainingRun
from app.runs.pages import models_page, new_run_page, runs_page, typed_of
from app.runs.runpage import run_page, steps_page
from app.web.forms import Posted, Typed, check, posted
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from training.spec import read_progress

router = APIRouter(include_in_schema=False)

FRAGMENTS = ("run_live", "run_asking", "run_answers")
COLUMNS = ("step", "epoch", "loss", "lr", "grad_norm", "dev_loss", "tokens", "trained_tokens", "seconds",
           "tokens_per_second", "time")  # fmt: skip


@router.get("/projects/{slug}/runs", name="runs:index")
def index(
    request: Request, access: Annotator, session: SessionDep, version: str | None = None, page: PageNumber = 1
) -> Response:
    """All runs, or those on one version."""
    wanted = _version(session, access, version) if version else None
    shown = runs_page(session, access, wanted, page)
    return render(request, "runs/index.html", shown, session=session, fragments=("run_rows",))


def _version(session: Session, access: ProjectAccess, name: str) -> Version:
    version = datasets.version_by_name(session, access.project, name)
    if version is None:
        raise NotFound(f"There is no version {name[:64]} in this project; nothing was started.")
    return version


@router.get("/projects/{slug}/runs/new", name="runs:new")
def new(request: Request, access: Lead, session: SessionDep, clone: int | None = None) -> Response:
    """The form of a new run; `clone` fills it with another run's choices, the address with one's own."""
    typed = dict(request.query_params)
    if clone is not None:
        typed = typed_of(_run(session, access, clone)) | {"defaults_of": "lima"}
    return _new(request, access, session, typed, {}, 200, clone)


def _new(
    request: Request,
    access: ProjectAccess,
    session: Session,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    status: int,
    clone: int | None = None,
) -> Response:
    page = new_run_page(session, access, typed, changed_settings(typed), errors, clone)
    return render(request, "runs/new.html", page, session=session, fragments=("run_settings",), status=status)


@router.post("/projects/{slug}/runs", name="runs:create")
def create(request: Request, access: Lead, session: SessionDep, typed: Typed) -> Response:
    """Plan a run, or start it at once; what does not fit is said, and nothing is started."""
    form = check(RunForm, plain_fields(typed))
    if form.errors:
        return _new(request, access, session, typed, form.errors, 422)
    chosen = form.value
    begin = operations.start_run if chosen.then == "start" else operations.plan_run
    try:
        run = begin(
            session, access.user, access.project, _version(session, access, chosen.version),
            model_name=chosen.model, recipe=chosen.recipe, overrides=changed_settings(typed),
        )  # fmt: skip
    except Refusal as refusal:
        return _new(request, access, session, typed, {_place(refusal): refusal.message}, refusal.status)
    return redirect(request, "runs:run", slug=access.project.slug, number=run.id)


def _place(refusal: Refusal) -> str:
    """Where on the form a refusal is said: beside its setting, if it names one."""
    named = refusal.setting if isinstance(refusal, operations.BadSettings) else ""
    return f"{SETTING}{named}" if named in wording.SETTINGS else "form"


def _run(session: Session, access: ProjectAccess, number: int) -> TrainingRun:
    if not 0 < number < 2**62:
        raise NotFound
    return found(session, queries.run_of(access.project, number))


@router.get("/projects/{slug}/runs/{number}", name="runs:run")
def show(
    request: Request,
    access: Annotator,
    session: SessionDep,
    number: int,
    ask: Annotated[int, Query(ge=0, lt=2**62)] = 0,
    page: PageNumber = 1,
) -> Response:
    """One run: its plan, its progress, its end; `ask` chooses a checkpoint, `page` is of the answers."""
    run = _run(session, access, number)
    shown = run_page(session, access, _settings(request), run, answers_number=page, checkpoint=ask)
    return render(request, "runs/run.html", shown, session=session, fragments=FRAGMENTS)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _back(request: Request, access: ProjectAccess, run: TrainingRun, words: str) -> Response:
    return redirect(request, "runs:run", Flash("ok", words), slug=access.project.slug, number=run.id)


@router.post("/projects/{slug}/runs/{number}/launch", name="runs:launch")
def launch(request: Request, access: Lead, session: SessionDep, number: int) -> Response:
    """Train what was planned."""
    run = _run(session, access, number)
    operations.launch_run(session, access.user, run)
    return _back(request, access, run, f"Run {run.id} is in the queue.")


@router.post("/projects/{slug}/runs/{number}/discard", name="runs:discard")
def discard(request: Request, access: Lead, session: SessionDep, number: int) -> Response:
    """Forget a plan."""
    operations.discard_plan(session, access.user, _run(session, access, number))
    flash = Flash("ok", f"Plan {number} was put aside; nothing was trained.")
    return redirect(request, "runs:index", flash, slug=access.project.slug)


@router.post("/projects/{slug}/runs/{number}/cancellation", name="runs:stop")
def stop(request: Request, access: Lead, session: SessionDep, number: int) -> Response:
    """Stop a run, with a checkpoint."""
    run = _run(session, access, number)
    operations.stop_run(session, access.user, run)
    return _back(request, access, run, f"Run {run.id} stops at its next step and keeps a checkpoint.")


@router.post("/projects/{slug}/runs/{number}/resumption", name="runs:resume")
def resume(request: Request, access: Lead, session: SessionDep, number: int) -> Response:
    """Go on from the last whole checkpoint."""
    run = _run(session, access, number)
    operations.resume_run(session, access.user, run)
    return _back(request, access, run, f"Run {run.id} goes on from its last whole checkpoint.")


@router.post("/projects/{slug}/runs/{number}/answers", name="runs:ask")
def ask(
    request: Request,
    access: Annotator,
    session: SessionDep,
    number: int,
    form: Annotated[Posted[AskForm], Depends(posted(AskForm))],
) -> Response:
    """Ask a checkpoint; a job answers."""
    run = _run(session, access, number)
    errors = form.errors
    if not errors:
        try:
            _ask(session, access, run, form.value)
        except Refusal as refusal:
            errors = {"form": refusal.message}
    if errors:
        page = run_page(session, access, _settings(request), run, typed=form.typed, errors=errors)
        return render(request, "runs/run.html", page, session=session, fragments=FRAGMENTS, status=422)
    query = f"ask={form.value.checkpoint}" if form.value.checkpoint else None
    return redirect(request, "runs:run", slug=access.project.slug, number=run.id, query=query)


def _ask(session: Session, access: ProjectAccess, run: TrainingRun, form: AskForm) -> None:
    checkpoint = queries.checkpoint_of(session, run, checkpoint_id=form.checkpoint or None)
    said = [{"role": "user", "content": form.prompt}]
    operations.ask_once(session, access.user, access.project, checkpoint, said, form.decoding)


@router.get("/projects/{slug}/runs/{number}/steps", name="runs:steps")
def steps(request: Request, access: Annotator, session: SessionDep, number: int, page: PageNumber = 1) -> Response:
    """The table behind the curves."""
    run = _run(session, access, number)
    shown = steps_page(access.project.slug, _settings(request), run, page)
    return render(request, "runs/steps.html", shown, session=session)


@router.get("/projects/{slug}/runs/{number}/steps.csv", name="runs:steps_csv")
def steps_csv(request: Request, access: Annotator, session: SessionDep, number: int) -> Response:
    """Every step as the trainer wrote it."""
    run = _run(session, access, number)
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(read_progress(run_folder(_settings(request), run.id).path).steps)
    headers = {"Content-Disposition": f'attachment; filename="run-{run.id}-steps.csv"'}
    return Response(out.getvalue(), media_type="text/csv", headers=headers)


@router.get("/projects/{slug}/runs/{number}/log.txt", name="runs:log")
def log(request: Request, access: Annotator, session: SessionDep, number: int) -> Response:
    """The whole log, as a download: it is never shown as a page."""
    run = _run(session, access, number)
    path = run_folder(_settings(request), run.id).log
    if not path.is_file():
        raise NotFound(f"Run {run.id} has no log yet.")
    return FileResponse(path, media_type="text/plain; charset=utf-8", filename=f"run-{run.id}-log.txt")


@router.get("/models", name="runs:models", dependencies=[Depends(SignedIn(Role.ADMIN))])
def models(request: Request, session: SessionDep) -> Response:
    """The registered base models."""
    return _models(request, session, {}, {}, 200)


def _models(
    request: Request, session: Session, typed: Mapping[str, str], errors: Mapping[str, str], status: int
) -> Response:
    page = models_page(session, _settings(request), typed, errors)
    return render(request, "runs/models.html", page, session=session, fragments=("model_rows",), status=status)


@router.post("/models", name="runs:models")
def add_model(
    request: Request,
    access: Admin,
    session: SessionDep,
    form: Annotated[Posted[ModelForm], Depends(posted(ModelForm))],
) -> Response:
    """Register a base model; a job makes or inspects it."""
    errors = form.errors
    if not errors:
        try:
            _register(session, access, _settings(request), form.value)
        except Refusal as refusal:
            errors = {"form": refusal.message}
    if errors:
        return _models(request, session, form.typed, errors, 422)
    return redirect(request, "runs:models", Flash("ok", f"{form.value.name} is being prepared."))


def _register(session: Session, access: Access, settings: Settings, form: ModelForm) -> None:
    path = registering.chosen_folder(settings, form.kind, form.path)
    registering.add_model(session, access.user, name=form.name, kind=form.kind, path=path)


@router.post("/models/{model_id}/retirement", name="runs:retire")
def retire(request: Request, access: Admin, session: SessionDep, model_id: int) -> Response:
    """Offer a model no longer."""
    model = found(session, queries.model_of(model_id))
    name = model.name
    registering.retire_model(session, access.user, model)
    return redirect(request, "runs:models", Flash("ok", f"{name} is offered no longer; runs that used it keep it."))
