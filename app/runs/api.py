"""/api/v1: runs, their steps, logs, checkpoints and answers; base models. The same operations as the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.accounts.access import Admin, SignedIn
from app.config import Settings
from app.datasets import queries as datasets
from app.errors import NotFound
from app.projects.access import Annotator, Lead, ProjectAccess
from app.runs import documents, operations, queries, registering
from app.runs.folders import run_folder, tail
from app.runs.forms import AskManyForm, ModelForm, StartForm
from app.runs.models import Checkpoint, TrainingRun
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep
from training.spec import read_progress

router = APIRouter(prefix="/api/v1", tags=["runs"], responses=REFUSALS)


class CheckpointOut(BaseModel):
    """A checkpoint; `path` is below the run's folder, `sha256` that of the weights."""

    epoch: int
    step: int
    name: str
    path: str
    sha256: str


class RunOut(BaseModel):
    """A run, as `handpicked train --json` prints it; `steps` are done, of `total_steps`."""

    run: int
    state: str = Field(description="planned, queued, running, stopping, stopped, succeeded or failed")
    reason: str | None
    version: str
    model: str
    recipe: str
    settings: dict[str, str]
    steps: int
    total_steps: int
    first_loss: float | None
    last_loss: float | None
    tokens_per_second: float | None
    seconds_left: float | None
    rows_cut: int | None
    rows_without_eot: int | None
    checkpoints: list[CheckpointOut]


class RunList(BaseModel):
    """A page of runs, newest first; their checkpoints are with each run."""

    total: int
    runs: list[RunOut]


class StepList(BaseModel):
    """Steps as the trainer wrote them, after a step number."""

    steps: list[dict[str, Any]]


class LogOut(BaseModel):
    """The end of the log, control characters by their codes."""

    tail: str


class AnswerOut(BaseModel):
    """An answer; neither `response` nor `error` while it is being worked out."""

    id: int
    checkpoint: str
    prompt: str
    response: str | None
    stopped_by: str | None
    tokens: int | None
    error: str | None
    decoding: dict[str, float | int]


class AnswerList(BaseModel):
    """A page of answers, newest first."""

    total: int
    answers: list[AnswerOut]


class ModelOut(BaseModel):
    """A base model; runs can start from it once `state` is ready."""

    id: int
    name: str
    kind: str
    state: str
    reason: str | None
    architecture: str
    parameters: int
    layers: int
    sha256: str


def _out(run: TrainingRun, checkpoints: list[Checkpoint]) -> RunOut:
    return RunOut.model_validate(documents.run_document(run, checkpoints))


def _run(session: Session, access: ProjectAccess, number: int) -> TrainingRun:
    if not 0 < number < 2**62:
        raise NotFound
    return found(session, queries.run_of(access.project, number))


def _whole(session: Session, run: TrainingRun) -> RunOut:
    return _out(run, list(session.scalars(queries.checkpoints_of(run))))


def _settings(request: HttpRequest) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@router.get("/projects/{slug}/runs", name="api:runs")
def list_runs(access: Annotator, session: SessionDep, page: PageNumber = 1) -> RunList:
    """A page of the project's runs."""
    rows, pager = page_of(session, queries.runs_of(access.project), page)
    return RunList(total=pager.total, runs=[_out(run, []) for run in rows])


@router.post("/projects/{slug}/runs", name="api:start_run", status_code=201)
def start_run(access: Lead, session: SessionDep, body: StartForm) -> RunOut:
    """Queue a run on a frozen version."""
    version = datasets.version_by_name(session, access.project, body.version)
    if version is None:
        raise NotFound(f"There is no version {body.version} in this project; nothing was started.")
    run = operations.start_run(
        session, access.user, access.project, version,
        model_name=body.model, recipe=body.recipe, overrides=body.settings,
    )  # fmt: skip
    return _whole(session, run)


@router.get("/projects/{slug}/runs/{number}", name="api:run")
def show_run(access: Annotator, session: SessionDep, number: int) -> RunOut:
    """One run with its checkpoints."""
    return _whole(session, _run(session, access, number))


@router.post("/projects/{slug}/runs/{number}/cancellation", name="api:stop_run")
def stop_run(access: Lead, session: SessionDep, number: int) -> RunOut:
    """Stop a run at its next step, with a checkpoint; asking twice changes nothing."""
    run = _run(session, access, number)
    operations.stop_run(session, access.user, run)
    return _whole(session, run)


@router.post("/projects/{slug}/runs/{number}/resumption", name="api:resume_run")
def resume_run(access: Lead, session: SessionDep, number: int) -> RunOut:
    """Go on with a stopped or failed run from its last whole checkpoint."""
    run = _run(session, access, number)
    operations.resume_run(session, access.user, run)
    return _whole(session, run)


@router.get("/projects/{slug}/runs/{number}/steps", name="api:steps")
def list_steps(
    request: HttpRequest,
    access: Annotator,
    session: SessionDep,
    number: int,
    after: Annotated[int, Query(ge=0, description="Steps up to this one are left out.")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> StepList:
    """Loss, learning rate and speed, step by step."""
    run = _run(session, access, number)
    steps = read_progress(run_folder(_settings(request), run.id).path).steps
    return StepList(steps=[step for step in steps if step["step"] > after][:limit])


@router.get("/projects/{slug}/runs/{number}/log", name="api:run_log")
def show_log(request: HttpRequest, access: Annotator, session: SessionDep, number: int) -> LogOut:
    """The end of the run's log."""
    run = _run(session, access, number)
    return LogOut(tail=tail(run_folder(_settings(request), run.id).log))


@router.get("/projects/{slug}/runs/{number}/answers", name="api:answers")
def list_answers(access: Annotator, session: SessionDep, number: int, page: PageNumber = 1) -> AnswerList:
    """What the run's checkpoints were asked."""
    rows, pager = page_of(session, queries.answers_of(_run(session, access, number)), page)
    answers = [AnswerOut.model_validate(documents.answer_document(row)) for row in rows]
    return AnswerList(total=pager.total, answers=answers)


@router.post("/projects/{slug}/runs/{number}/answers", name="api:ask", status_code=202)
def ask(access: Annotator, session: SessionDep, number: int, body: AskManyForm) -> AnswerList:
    """Ask a checkpoint; the answers come by a job, look again under the same address."""
    run = _run(session, access, number)
    checkpoint = queries.checkpoint_of(session, run, epoch=body.epoch)
    prompts = [[{"role": "user", "content": prompt}] for prompt in body.prompts]
    asked = operations.ask(session, access.user, access.project, checkpoint, prompts, body.decoding)
    answers = [AnswerOut.model_validate(documents.answer_document(row)) for row in asked]
    return AnswerList(total=len(answers), answers=answers)


@router.get("/models", name="api:models", dependencies=[Depends(SignedIn())])
def list_models(session: SessionDep) -> list[ModelOut]:
    """The registered base models, by name."""
    return [ModelOut.model_validate(documents.model_document(one)) for one in session.scalars(queries.models())]


@router.post("/models", name="api:add_model", status_code=202)
def add_model(request: HttpRequest, access: Admin, session: SessionDep, body: ModelForm) -> ModelOut:
    """Register a base model; a job makes or inspects it."""
    path = registering.chosen_folder(_settings(request), body.kind, body.path)
    model = registering.add_model(session, access.user, name=body.name, kind=body.kind, path=path)
    return ModelOut.model_validate(documents.model_document(model))


@router.post("/models/{model_id}/retirement", name="api:retire_model", status_code=204)
def retire_model(access: Admin, session: SessionDep, model_id: int) -> None:
    """Offer a model no longer; runs that used it keep it."""
    registering.retire_model(session, access.user, found(session, queries.model_of(model_id)))
