"""Runs and models as the documents that the command line prints and the API answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.runs.models import Answer, BaseModel, Checkpoint, TrainingRun


def run_document(run: TrainingRun, checkpoints: Sequence[Checkpoint], folder: Path | None = None) -> dict[str, Any]:
    """The `train` document; paths are below the run's folder, or absolute where `folder` is given."""
    result = run.result
    return {
        "run": run.id,
        "state": run.state.value,
        "reason": run.reason,
        "version": run.version.name,
        "model": run.base_model.name,
        "recipe": run.recipe,
        "settings": run.settings,
        "steps": run.step,
        "total_steps": run.steps,
        "first_loss": result.get("first_loss"),
        "last_loss": result.get("last_loss", run.loss),
        "tokens_per_second": result.get("tokens_per_second", run.tokens_per_second),
        "seconds_left": run.seconds_left,
        "rows_cut": result.get("rows_cut"),
        "rows_without_eot": result.get("rows_without_eot"),
        "checkpoints": [checkpoint_document(one, folder) for one in checkpoints],
    }


def checkpoint_document(one: Checkpoint, folder: Path | None = None) -> dict[str, Any]:
    """A checkpoint; the hash is that of its weights."""
    path = Path("checkpoints") / one.name
    return {
        "epoch": one.epoch,
        "step": one.step,
        "name": one.name,
        "path": str(folder / path if folder else path),
        "sha256": one.sha256,
    }


def model_document(model: BaseModel) -> dict[str, Any]:
    """A base model, without where it lies."""
    return {
        "id": model.id,
        "name": model.name,
        "kind": model.kind.value,
        "state": model_state(model),
        "reason": model.error,
        "architecture": model.architecture,
        "parameters": model.parameters,
        "layers": model.layers,
        "sha256": model.sha256,
    }


def model_state(model: BaseModel) -> str:
    """Whether runs can start from it: ready, failed, preparing."""
    if model.ready_at is not None:
        return "ready"
    return "failed" if model.error else "preparing"


def answer_document(answer: Answer) -> dict[str, Any]:
    """An answer, or why there is none."""
    return {
        "id": answer.id,
        "checkpoint": answer.checkpoint.name,
        "prompt": answer.messages[-1]["content"],
        "response": answer.response,
        "stopped_by": answer.stopped_by,
        "tokens": answer.tokens,
        "error": answer.error,
        "decoding": answer.settings,
    }
