"""Which model a project compares by, and how that changes: the old vectors serve until the new ones are complete.

Guarantee: a project has one model in use at every moment, whole as far as its pool was encoded; a change is one
transaction once everything has its new vector, and what the project has of other models goes after that.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.config import Settings
from app.embeddings.encoder import EIGHT_BITS, PACKAGED_NAME, EncoderMissing
from app.embeddings.operations import KIND, live_encoding, start_encoding
from app.embeddings.queries import pool_standing
from app.errors import Denied
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue
from app.projects.limits import require_open
from app.projects.models import Project

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")

# What else follows a project to another model, in the transaction of the change: the project, the new model's key.
Follower = Callable[[Session, int, str], None]
FOLLOWERS: list[Follower] = []


def follows(work: Follower) -> Follower:
    """Register what is kept beside the vectors and is to change with them."""
    FOLLOWERS.append(work)
    return work


def model_of(session: Session, settings: Settings, project_id: int) -> str:
    """The model whose vectors a project compares, as `encoder_for` takes it."""
    return session.get_one(Project, project_id).encoder or settings.embedding_model


def models_in_use(session: Session, settings: Settings, project_id: int | None = None) -> dict[str, list[int]]:
    """The projects, or the one of that number, by the models that they compare by."""
    query = select(Project.id, Project.encoder).order_by(Project.id)
    found: dict[str, list[int]] = {}
    for number, model in session.execute(query if project_id is None else query.where(Project.id == project_id)):
        found.setdefault(model or settings.embedding_model, []).append(number)
    return found


def wanted_model(session: Session, settings: Settings, project_id: int) -> str:
    """The model that the project's texts are to be encoded by: the next one where it changes, else the one in use."""
    project = session.get_one(Project, project_id)
    return (project.encoder if project.next_encoder is None else project.next_encoder) or settings.embedding_model


def title_of(model: str) -> str:
    """A model as people read it."""
    name = model.removesuffix(EIGHT_BITS) or PACKAGED_NAME
    # Where a folder lies is the operator's business.
    name = name if HUB_ID.fullmatch(name) else Path(name).name
    return f"{name}, 8 bits" if model.endswith(EIGHT_BITS) else name


def as_typed(model: str) -> dict[str, str]:
    """A project's own model as the form and the API name it."""
    typed = {"model": model.removesuffix(EIGHT_BITS)}
    return typed | {"eight_bits": "true"} if model.endswith(EIGHT_BITS) else typed


def change_model(
    session: Session, actor: User, project: Project, settings: Settings, *, name: str, eight_bits: bool
) -> Job:
    """Have everything encoded by another model, which takes the place of the one in use once it is complete.

    Without a name the installation's. Naming the one in use gives a change up that is under way.
    """
    require_open(project)
    usual = settings.embedding_model or PACKAGED_NAME
    name = "" if name in {"", usual} else name
    if name not in {"", PACKAGED_NAME}:
        _require_known(actor, name)
    wanted = f"{name or usual}{EIGHT_BITS}" if eight_bits else name
    project.next_encoder, project.next_encoder_key = (None if wanted == project.encoder else wanted), ""
    model = title_of(wanted or settings.embedding_model)
    record(session, actor, "change embedding model", f"project:{project.id}", project_id=project.id, model=model)
    live = live_encoding(session, project)
    if live is None or live.state is JobState.QUEUED:
        return start_encoding(session, actor, project)
    # One that is under way was begun for another model and ends when it sees that.
    title = f"Encode the pool of {project.name}"
    return enqueue(session, actor, KIND, title=title, project_id=project.id, project=project.id)


def _require_known(actor: User, name: str) -> None:
    if actor.role is not Role.ADMIN:
        raise Denied("Only an admin of the installation may name another model; nothing was changed.")
    if not HUB_ID.fullmatch(name) and not Path(name).expanduser().is_dir():
        raise EncoderMissing(name=name, reason="it is neither a folder on this machine nor a name of the Hub")


@dataclass(frozen=True)
class Change:
    """A change to another model: how many candidates have its vectors, and `problem`, why it did not go on."""

    model: str
    encoded: int
    problem: str | None


def change_of(session: Session, settings: Settings, project: Project) -> Change | None:
    """The change of a project's model; None where none is under way."""
    if project.next_encoder is None:
        return None
    encoded, _ = pool_standing(session, project.next_encoder_key, project.id)
    last = session.scalar(
        select(Job).where(Job.kind == KIND, Job.project_id == project.id).order_by(Job.id.desc()).limit(1)
    )
    problem = last.error if last and last.state is JobState.FAILED else None
    return Change(title_of(wanted_model(session, settings, project.id)), encoded, problem)


def note_key(session: Session, settings: Settings, project_id: int, model: str, key: str) -> None:
    """Keep the key of the next model once it is loaded, so that whoever looks can count without loading it."""
    project = session.get_one(Project, project_id)
    if project.next_encoder is not None and wanted_model(session, settings, project_id) == model:
        project.next_encoder_key = key


def settle(session: Session, settings: Settings, project_id: int, model: str, key: str) -> bool:
    """Put the next model to use if this is the one and all has its vector; False where something is left to encode."""
    project = session.get_one(Project, project_id, with_for_update=True, populate_existing=True)
    if project.next_encoder is None or wanted_model(session, settings, project_id) != model:
        return True
    encoded, total = pool_standing(session, key, project_id)
    if encoded < total:
        return False
    project.encoder, project.next_encoder, project.next_encoder_key = project.next_encoder, None, ""
    for follow in FOLLOWERS:
        follow(session, project_id, key)
    record(session, None, "use embedding model", f"project:{project_id}", project_id=project_id, model=title_of(model))
    return True
