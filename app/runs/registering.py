"""What changes base models."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.config import Settings
from app.db import now
from app.errors import Conflict, Refusal
from app.jobs.models import JobState
from app.jobs.operations import enqueue
from app.runs import queries
from app.runs.modelfolder import ModelFacts
from app.runs.models import BaseModel, ModelKind


class NotOffered(Refusal):
    """That folder is not below one that the operator offers (HANDPICKED_MODEL_FOLDERS); nothing was registered."""


def chosen_folder(settings: Settings, kind: ModelKind, typed: str) -> Path | None:
    """The server's folder for a model of that kind, below one that the operator offers; links are followed first."""
    if kind is not ModelKind.FOLDER:
        return None
    path = Path(typed).resolve()
    if not any(folder.resolve() in path.parents for folder in settings.model_folders):
        raise NotOffered
    return existing_folder(path, typed)


def existing_folder(path: Path, typed: str) -> Path:
    """The folder itself, links followed. Raises Refusal, with what was typed, when there is none."""
    if not path.is_dir():
        raise Refusal(
            f"There is no folder {typed}; nothing was registered. Names of the Hugging Face Hub are not fetched: "
            "download the model and name the folder that it is in."
        )
    return path.resolve()


def add_model(session: Session, actor: User, *, name: str, kind: ModelKind, path: Path | None = None) -> BaseModel:
    """Register a base model; a job makes or inspects it and only then can it be trained."""
    model = queries.model_by_name(session, name)
    if model is not None and model.error is None:
        raise Conflict(f"There is a base model {name} already; nothing was changed. Retire it, or take another name.")
    if model is None:
        model = BaseModel(name=name, added_by=actor.id)
    model.kind, model.path, model.error = kind, str(path) if path else "", None
    session.add(model)
    session.flush()
    job = enqueue(session, actor, "prepare_model", title=f"Prepare the model {name}", base_model_id=model.id)
    model.job_id = job.id
    record(session, actor, "add base model", f"model:{model.id}", name=name, kind=kind, path=model.path)
    return model


def model_is_ready(session: Session, model_id: int, folder: Path, facts: ModelFacts) -> None:
    """Write down what a prepared model is; from now on runs may start from it."""
    model = session.get_one(BaseModel, model_id)
    model.path, model.architecture, model.parameters = str(folder), facts.architecture, facts.parameters
    model.layers, model.sha256, model.ready_at = facts.layers, facts.sha256, now()


def fail_model(session: Session, args: dict[str, Any], error: str, _state: JobState) -> None:
    """Say why a model cannot be used; registering it again under the same name is possible."""
    model = session.get(BaseModel, args["base_model_id"])
    if model is not None and model.ready_at is None:
        model.error = error


def retire_model(session: Session, actor: User, model: BaseModel) -> None:
    """Offer a model no longer; runs that used it keep it, and its name is free again."""
    if model.retired_at is not None:
        return
    record(session, actor, "retire base model", f"model:{model.id}", name=model.name)
    model.retired_at = now()
    model.name = f"{model.name[:40]} (retired {model.id})"
