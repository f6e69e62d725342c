"""Handlers of planning, training, answering and preparing models."""

import hashlib
import json
from pathlib import Path

from app.errors import Refusal
from app.jobs.running import JobContext, ShuttingDown, handles
from app.runs import operations, processes, queries, registering
from app.runs.decoding import Decoding
from app.runs.folders import last_words, model_folder, remove, run_folder
from app.runs.modelfolder import inspect_model
from app.runs.models import BaseModel, Checkpoint, ModelKind
from app.runs.supervision import Supervisor, filled_folder

MAKERS = {ModelKind.TINY: "training.tiny", ModelKind.SMOLLM2: "training.smollm2"}


@handles("plan_run", on_failure=operations.fail_plan)
def plan_run(context: JobContext) -> None:
    """Work out what a run will do, into plan.json of its folder; a restart does it again."""
    folder = filled_folder(context)
    _run_child(context, "training.plan", str(folder.path), output=folder.path / "plan.txt")


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
        _run_child(context, MAKERS[model.kind], str(folder), output=folder.with_suffix(".txt"))
    facts = inspect_model(folder)
    with context.writing() as session:
        registering.model_is_ready(session, model.id, folder, facts)


@handles("answer", on_failure=operations.fail_answers)
def answer(context: JobContext) -> None:
    """Let a checkpoint answer the prompts of this job; a restart asks again."""
    with context.reading() as session:
        checkpoint = session.get_one(Checkpoint, context.args["checkpoint_id"])
        asked = list(session.scalars(queries.answers_of_job(context.job_id)))
    folder = run_folder(context.settings, checkpoint.run_id).path
    work = folder / "answers" / str(context.job_id)
    work.mkdir(parents=True, exist_ok=True)
    prompts, out = work / "prompts.jsonl", work / "answers.jsonl"
    prompts.write_text("".join(json.dumps({"id": a.id, "messages": a.messages}) + "\n" for a in asked), "utf-8")
    decoding = Decoding.model_validate(asked[0].settings)
    _run_child(
        context, "training.generate", str(folder), f"--checkpoint={checkpoint.name}", f"--prompts={prompts}",
        f"--out={out}", *decoding.options(), output=work / "log.txt",
    )  # fmt: skip
    lines = out.read_text("utf-8").split("\n")  # not splitlines: U+2028 may stand in an answer
    said = {line["id"]: line for line in map(json.loads, filter(None, lines))}
    with context.writing() as session:
        for row in session.scalars(queries.answers_of_job(context.job_id)):
            operations.note_answer(row, said[row.id])


def _run_child(context: JobContext, module: str, *arguments: str, output: Path) -> None:
    """Run a training command to its end, its words appended to `output`; raises with its last words if it fails."""
    # Two installations on one machine have jobs of the same number: the file of its words tells them apart.
    token = f"job-{context.job_id}-{hashlib.sha256(str(output.absolute()).encode()).hexdigest()[:16]}"
    processes.end_all(token, grace=0)  # a child that an earlier worker left behind would write to the same files
    child = processes.start(module, *arguments, token=token, settings=context.settings, output=output)
    try:
        while child.poll() is None:
            context.check()
            if context.shutting_down.wait(0.1):
                raise ShuttingDown
    finally:
        if child.poll() is None:
            processes.end_all(token, grace=2)
            child.wait()
    if child.returncode:
        raise Refusal(last_words(output) or f"{module} ended with code {child.returncode}.")
