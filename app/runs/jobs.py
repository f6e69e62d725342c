"""Handlers of planning, training, answering and preparing models."""

from pathlib import Path

from app.jobs.running import JobContext, handles
from app.runs import operations, queries, registering
from app.runs.children import run_child
from app.runs.decoding import Decoding
from app.runs.folders import model_folder, remove
from app.runs.generating import Asked, generate
from app.runs.modelfolder import inspect_model
from app.runs.models import BaseModel, Checkpoint, ModelKind
from app.runs.supervision import Supervisor, filled_folder

MAKERS = {ModelKind.TINY: "training.tiny", ModelKind.SMOLLM2: "training.smollm2"}


@handles("plan_run", on_failure=operations.fail_plan)
def plan_run(context: JobContext) -> None:
    """Work out what a run will do, into plan.json of its folder; a restart does it again."""
    folder = filled_folder(context)
    run_child(context, "training.plan", str(folder.path), output=folder.path / "plan.txt")


@handles("train", on_failure=operations.fail_run)
def train(context: JobContext) -> None:
    """Carry a run to its end; after a restart its trainer is adopted, or goes on from the last whole checkpoint."""
    Supervisor(context).carry()


@handles("prepare_model", on_failure=registering.fail_model)
def prepare_model(context: JobContext) -> None:
    """Make or inspect a base model; a restart does it again."""
    with context.reading() as session:
        model = session.get_one(BaseModel, context.args["base_model_id"])
    folder = Path(model.path)
    if model.kind in MAKERS:
        folder = model_folder(context.settings, model.id)
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove(folder)
        run_child(context, MAKERS[model.kind], str(folder), output=folder.with_suffix(".txt"))
    facts = inspect_model(folder)
    with context.writing() as session:
        registering.model_is_ready(session, model.id, folder, facts)


@handles("answer", on_failure=operations.fail_answers)
def answer(context: JobContext) -> None:
    """Let a checkpoint answer the prompts of this job; a restart asks again."""
    with context.reading() as session:
        checkpoint = session.get_one(Checkpoint, context.args["checkpoint_id"])
        asked = list(session.scalars(queries.answers_of_job(context.job_id)))
    prompts = [Asked(one.id, one.messages) for one in asked]
    said = generate(context, checkpoint, prompts, Decoding.model_validate(asked[0].settings))
    with context.writing() as session:
        for row in session.scalars(queries.answers_of_job(context.job_id)):
            operations.note_answer(row, said[row.id])
