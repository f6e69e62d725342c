"""What changes runs and answers."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.datasets.checking import recheck
from app.datasets.models import Version
from app.db import now
from app.errors import Conflict, NotFound, Refusal
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import enqueue, request_cancellation
from app.projects.limits import require_open
from app.projects.models import Project
from app.runs import queries
from app.runs.decoding import Decoding
from app.runs.models import Answer, BaseModel, Checkpoint, RunState, TrainingRun
from training.spec import Checkpoint as CheckpointFacts
from training.spec import RunSpec, spec_from

LONGEST_PROMPT = 100_000
MOST_PROMPTS = 10_000


class NoSuchModel(NotFound):
    """No base model called {name} is ready; an admin adds one with `handpicked model add` or on the Models page."""


class BadSettings(Refusal):
    """A setting of the run does not fit; nothing was started."""

    @property
    def setting(self) -> str:
        """The setting that the sentence begins with."""
        return self.message.partition(" ")[0]


class NothingToTrain(Refusal):
    """{version} has no train examples, so there is nothing to train on; nothing was started."""


def checked_spec(recipe: str, overrides: Mapping[str, str], base_model: str = "") -> RunSpec:
    """The recipe with its changes, or a refusal that names the setting."""
    try:
        return spec_from(recipe, overrides, base_model=base_model)
    except ValueError as error:
        raise BadSettings(f"{error} Nothing was started.") from error


def start_run(
    session: Session,
    actor: User,
    project: Project,
    version: Version,
    *,
    model_name: str,
    recipe: str,
    overrides: Mapping[str, str],
) -> TrainingRun:
    """Queue a run on a version whose hash was just recomputed; returns the run, state QUEUED."""
    run = _new_run(session, actor, project, version, model_name, recipe, overrides)
    _queue(session, actor, run, "start run")
    return run


def plan_run(
    session: Session,
    actor: User,
    project: Project,
    version: Version,
    *,
    model_name: str,
    recipe: str,
    overrides: Mapping[str, str],
) -> TrainingRun:
    """Find out what a run would do, by a job; it trains once `launch_run` says so. Returns the run, state PLANNED."""
    run = _new_run(session, actor, project, version, model_name, recipe, overrides)
    run.state = RunState.PLANNED
    job = enqueue(session, actor, "plan_run", title=f"Plan run {run.id}", project_id=project.id, run_id=run.id)
    run.job_id = job.id
    record(session, actor, "plan run", f"run:{run.id}", project_id=project.id, version=version.name, recipe=recipe)
    return run


def _new_run(
    session: Session,
    actor: User,
    project: Project,
    version: Version,
    model_name: str,
    recipe: str,
    overrides: Mapping[str, str],
) -> TrainingRun:
    require_open(project)
    model = queries.model_by_name(session, model_name)
    if model is None or model.ready_at is None:
        raise NoSuchModel(name=model_name[:80])
    checked_spec(recipe, overrides)
    recheck(session, version)
    if not version.manifest["examples"].get("train"):
        raise NothingToTrain(version=version.name)
    run = TrainingRun(
        project_id=project.id,
        version=version,
        base_model=model,
        recipe=recipe,
        settings=dict(overrides),
        token=secrets.token_hex(16),
        created_by=actor.id,
        result={},
    )
    session.add(run)
    session.flush()
    return run


def _queue(session: Session, actor: User, run: TrainingRun, verb: str) -> None:
    """Put the run's training into the queue and write down who did it, with what decides it."""
    require_open(session.get_one(Project, run.project_id))
    version = session.get_one(Version, run.version_id)
    model = session.get_one(BaseModel, run.base_model_id)
    title = f"Run {run.id} on {version.name}"
    job = enqueue(session, actor, "train", title=title, project_id=run.project_id, lane=Lane.TRAINING, run_id=run.id)
    run.job_id, run.state = job.id, RunState.QUEUED
    detail = {"version": version.sha256, "model": model.name, "recipe": run.recipe, "settings": run.settings}
    record(session, actor, verb, f"run:{run.id}", project_id=run.project_id, **detail)


def launch_run(session: Session, actor: User, run: TrainingRun) -> None:
    """Train what was planned."""
    _lock(session, run)
    if run.state is not RunState.PLANNED:
        raise Conflict(f"Run {run.id} was started already; nothing was started twice.")
    recheck(session, session.get_one(Version, run.version_id))
    run.reason = None
    _queue(session, actor, run, "start run")


def discard_plan(session: Session, actor: User, run: TrainingRun) -> None:
    """Forget a run that was planned and not started."""
    _lock(session, run)
    if run.state is not RunState.PLANNED:
        raise Conflict(f"Run {run.id} was started already, so it stays.")
    job = session.get(Job, run.job_id) if run.job_id else None
    if job is not None and not job.state.over:
        request_cancellation(session, actor, job)
    record(session, actor, "discard plan", f"run:{run.id}", project_id=run.project_id)
    session.delete(run)


def stop_run(session: Session, actor: User, run: TrainingRun) -> None:
    """Stop a run at its next step, with a checkpoint; one that waits stops at once. Asking twice changes nothing."""
    _lock(session, run)
    if run.state is RunState.STOPPING:
        return
    if not run.state.live:
        raise Conflict(f"Run {run.id} is {run.state}; there is nothing to stop.")
    record(session, actor, "stop run", f"run:{run.id}", project_id=run.project_id)
    run.state = RunState.STOPPING
    job = session.get(Job, run.job_id) if run.job_id else None
    if job is None or job.state.over:
        _end(run, RunState.STOPPED, "Stopped by request.")
    else:
        request_cancellation(session, actor, job)


def resume_run(session: Session, actor: User, run: TrainingRun) -> None:
    """Go on with a stopped or failed run from its last whole checkpoint."""
    _lock(session, run)
    if run.state not in {RunState.STOPPED, RunState.FAILED}:
        raise Conflict(f"Run {run.id} is {run.state}; only a stopped or failed run can be resumed.")
    run.reason, run.finished_at = None, None
    _queue(session, actor, run, "resume run")


def _lock(session: Session, run: TrainingRun) -> None:
    """Read the state again and hold the row: supervisor and people change it from different processes."""
    session.flush()  # a refresh would throw away what is not written yet
    session.refresh(run, ["state", "reason", "job_id"], with_for_update=True)


def note_launch(session: Session, run: TrainingRun) -> None:
    """A worker has the run; one that is to stop stays so."""
    _lock(session, run)
    if run.state is RunState.QUEUED:
        run.state = RunState.RUNNING
    run.started_at = run.started_at or now()


def note_progress(session: Session, run: TrainingRun, last: Mapping[str, Any]) -> None:
    """Carry the newest step into the run's row; all steps stay in the run's folder."""
    run.step, run.steps, run.epoch = last["step"], last["steps"], int(last["epoch"])
    run.loss, run.tokens_per_second = last["loss"], last["tokens_per_second"]
    run.seconds_left = last["seconds_left"]
    session.flush()


def note_checkpoints(session: Session, run: TrainingRun, found: Sequence[CheckpointFacts]) -> None:
    """Know every whole checkpoint that lies in the run's folder, and which are there no more."""
    known = {row.name: row for row in session.scalars(select(Checkpoint).where(Checkpoint.run_id == run.id))}
    for facts in found:
        row = known.pop(facts.name, None)
        if row is None:
            row = Checkpoint(run_id=run.id, name=facts.name)
            session.add(row)
        row.epoch, row.step, row.sha256, row.removed_at = facts.epoch, facts.step, facts.sha256, None
    for gone in known.values():
        gone.removed_at = gone.removed_at or now()
    session.flush()


STATES = {"succeeded": RunState.SUCCEEDED, "stopped": RunState.STOPPED, "failed": RunState.FAILED}


def end_run(session: Session, run: TrainingRun, result: Mapping[str, Any]) -> None:
    """Take the trainer's own account of how the run ended."""
    _lock(session, run)
    run.result = dict(result)
    words = " ".join(part for part in (result.get("message"), result.get("next_step")) if part)
    _end(run, STATES[result["state"]], words or None)


def fail_run(session: Session, args: dict[str, Any], error: str, state: JobState) -> None:
    """Say why a run ended without a result of its own."""
    run = session.get(TrainingRun, args["run_id"])
    if run is None:
        return
    _lock(session, run)
    if run.state.live:
        _end(run, RunState.STOPPED if state is JobState.CANCELLED else RunState.FAILED, error)


def _end(run: TrainingRun, state: RunState, reason: str | None) -> None:
    run.state, run.reason, run.finished_at, run.seconds_left = state, reason, now(), None


def fail_plan(session: Session, args: dict[str, Any], error: str, _state: JobState) -> None:
    """Say why there is no plan."""
    run = session.get(TrainingRun, args["run_id"])
    if run is not None and run.state is RunState.PLANNED:
        run.reason = error


def ask(
    session: Session,
    actor: User,
    project: Project,
    checkpoint: Checkpoint,
    conversations: Sequence[Sequence[Mapping[str, str]]],
    decoding: Decoding,
) -> list[Answer]:
    """Ask a checkpoint one or more prompts; a job answers them all with one loading of the model."""
    require_open(project)
    _check_prompts(conversations)
    title = "Answer a prompt" if len(conversations) == 1 else f"Answer {len(conversations):,} prompts"
    job = enqueue(session, actor, "answer", title=title, project_id=project.id, checkpoint_id=checkpoint.id)
    answers = [
        Answer(
            checkpoint=checkpoint,
            job_id=job.id,
            asked_by=actor.id,
            messages=[dict(message) for message in messages],
            settings=decoding.model_dump(),
        )
        for messages in conversations
    ]
    session.add_all(answers)
    session.flush()
    record(session, actor, "ask", f"checkpoint:{checkpoint.id}", project_id=project.id, prompts=len(answers))
    return answers


def ask_once(
    session: Session,
    actor: User,
    project: Project,
    checkpoint: Checkpoint,
    messages: Sequence[Mapping[str, str]],
    decoding: Decoding,
) -> Answer:
    """Ask one prompt; the same again from the same person, while it waits for its answer, is the one asked first."""
    # Two presses of a button come at the same moment; the second waits here until the first is written.
    session.refresh(checkpoint, ["removed_at"], with_for_update=True)
    asked = [dict(message) for message in messages]
    waiting = session.scalars(queries.waiting_answers(checkpoint, actor))
    same = (one for one in waiting if one.messages == asked and one.settings == decoding.model_dump())
    return next(same, None) or ask(session, actor, project, checkpoint, [asked], decoding)[0]


def _check_prompts(conversations: Sequence[Sequence[Mapping[str, str]]]) -> None:
    if not conversations:
        raise Refusal("There is no prompt to answer; nothing was asked.")
    if len(conversations) > MOST_PROMPTS:
        raise Refusal(f"At most {MOST_PROMPTS:,} prompts can be asked at once; nothing was asked.")
    for place, messages in enumerate(conversations, 1):
        if not messages or messages[-1]["role"] != "user" or not messages[-1]["content"].strip():
            raise Refusal(f"Prompt {place} does not end with words of the user; nothing was asked.")
        if sum(len(message["content"]) for message in messages) > LONGEST_PROMPT:
            raise Refusal(f"Prompt {place} is longer than {LONGEST_PROMPT:,} characters; nothing was asked.")


def fail_answers(session: Session, args: dict[str, Any], error: str, _state: JobState) -> None:
    """Say beside each prompt whose job has ended without an answer why there is none."""
    ended = select(Job.id).where(Job.kind == "answer", Job.state.in_((JobState.FAILED, JobState.CANCELLED)))
    unanswered = select(Answer).where(
        Answer.checkpoint_id == args["checkpoint_id"],
        Answer.response.is_(None),
        Answer.error.is_(None),
        Answer.job_id.in_(ended),
    )
    for answer in session.scalars(unanswered):
        answer.error = error


def note_answer(answer: Answer, line: Mapping[str, Any]) -> None:
    """Write down what a checkpoint said."""
    answer.response, answer.stopped_by, answer.tokens = line["response"], line["stopped_by"], line["tokens"]
