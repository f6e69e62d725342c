"""Whose tokenizer a project counts by: a registered base model's, or one in a folder of the server."""

from pathlib import Path

from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.config import Settings
from app.errors import Denied, NotFound
from app.projects.models import Project
from app.projects.tokenizers import set_tokenizer, tokenizer_at, unset_tokenizer
from app.runs import queries
from app.runs.models import ModelKind
from app.runs.registering import chosen_folder

# No name of a base model: those have no blanks.
KEPT = "as it is"


def choose(
    session: Session, actor: User, project: Project, settings: Settings, *, model: str = "", folder: str = ""
) -> None:
    """Count by the tokenizer in a folder (for admins of the installation), by a model's, or estimate."""
    if folder:
        if actor.role is not Role.ADMIN:
            raise Denied("Only an admin of the installation may name a folder; nothing was changed.")
        count_by_folder(session, actor, project, settings, folder)
    elif model == "":
        unset_tokenizer(session, actor, project)
    elif model != KEPT:
        count_by_model(session, actor, project, model)


def count_by_model(session: Session, actor: User, project: Project, name: str) -> None:
    """Count by the tokenizer of a base model that is ready; it stays when the model is retired."""
    model = queries.model_by_name(session, name)
    if model is None or model.ready_at is None:
        raise NotFound(f"There is no base model {name[:64]} that is ready; nothing was changed.")
    set_tokenizer(session, actor, project, f"of {model.name}", tokenizer_at(Path(model.path)))


def count_by_folder(session: Session, actor: User, project: Project, settings: Settings, typed: str) -> None:
    """Count by the tokenizer.json in a folder below one that the operator offers."""
    folder = chosen_folder(settings, ModelKind.FOLDER, typed)
    assert folder is not None  # only the kinds that are made here have none
    set_tokenizer(session, actor, project, f"in {folder.name}", tokenizer_at(folder))
