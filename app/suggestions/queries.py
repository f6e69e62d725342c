"""What a project allows, and what models have said."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import User
from app.endpoints.addresses import host_of
from app.endpoints.models import Endpoint
from app.examples.models import Example, Suggestion, SuggestionKind
from app.projects.models import Project
from app.runs import queries as runs
from app.runs.models import Checkpoint, TrainingRun
from app.suggestions.instructions import DEFAULTS
from app.suggestions.models import ModelHelp

SHOWN = 20


@dataclass(frozen=True)
class Helper:
    """Who helps: a model server or a run's newest checkpoint; `host` is where texts go, empty if they stay here."""

    by: str
    model: str
    host: str
    inside: bool
    endpoint: Endpoint | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Place:
    """What a suggestion is for: an example, or the creation key of one that is not made yet, which is its writer's."""

    project: Project
    example: Example | None = None
    creation_key: str | None = None


def setting_of(session: Session, project: Project) -> ModelHelp | None:
    """What its lead has said, if anything."""
    return session.get(ModelHelp, project.id)


def instruction_of(setting: ModelHelp | None, kind: SuggestionKind) -> str:
    """The project's own instruction, or that of the product."""
    own = {SuggestionKind.CRITIQUE: setting.critique, SuggestionKind.OUTLINE: setting.outline} if setting else {}
    return own.get(kind) or DEFAULTS[kind]


def helper_of(session: Session, project: Project) -> Helper | None:
    """Who helps in a project; None where nobody does, or the server or the checkpoints are gone."""
    setting = setting_of(session, project)
    if setting is None:
        return None
    endpoint = session.get(Endpoint, setting.endpoint_id) if setting.endpoint_id else None
    if endpoint is not None:
        return endpoint_helper(endpoint)
    run = session.scalar(runs.run_of(project, setting.run_id)) if setting.run_id else None
    return run_helper(session, run) if run is not None else None


def endpoint_helper(endpoint: Endpoint) -> Helper:
    """A model server as a helper."""
    by = f"model server {endpoint.name}"
    return Helper(by, endpoint.model, host_of(endpoint.base_url), endpoint.inside, endpoint=endpoint)


def run_helper(session: Session, run: TrainingRun) -> Helper | None:
    """A run's newest checkpoint as a helper; None while it has none."""
    newest = runs.checkpoints_of(run).order_by(None).order_by(Checkpoint.step.desc()).limit(1)
    checkpoint = session.scalar(newest)
    if checkpoint is None:
        return None
    model = f"{run.base_model.name} trained on {run.version.name}"
    return Helper(f"run {run.id}, {checkpoint.name}", model, "", inside=True, checkpoint=checkpoint)


def runs_with_checkpoints(project: Project) -> Select[TrainingRun]:
    """Runs that can answer, newest first."""
    held = select(Checkpoint.run_id).where(Checkpoint.removed_at.is_(None))
    return runs.runs_of(project).where(TrainingRun.id.in_(held))


def suggestions_at(place: Place, asker: User) -> Select[Suggestion]:
    """What was asked for an example by anybody, or for one that is not made yet by its writer; newest first."""
    query = select(Suggestion).where(*_at(place, asker)).options(joinedload(Suggestion.asker))
    return query.order_by(Suggestion.id.desc()).limit(SHOWN)


def _at(place: Place, asker: User) -> Sequence[ColumnElement[bool]]:
    if place.example is not None:
        return (Suggestion.example_id == place.example.id,)
    unmade = (Suggestion.project_id == place.project.id, Suggestion.creation_key == place.creation_key)
    return (*unmade, Suggestion.example_id.is_(None), Suggestion.asked_by == asker.id)


def waiting_at(place: Place, asker: User, kind: SuggestionKind) -> Select[Suggestion]:
    """What this person waits for."""
    waits = (Suggestion.words.is_(None), Suggestion.error.is_(None), Suggestion.kind == kind)
    mine = (Suggestion.asked_by == asker.id, *waits)
    return select(Suggestion).where(*_at(place, asker), *mine).options(joinedload(Suggestion.asker))


def suggestion_of(project: Project, suggestion_id: int, asker: User) -> Select[Suggestion]:
    """One of the project; one for an example that is not made yet is its asker's alone."""
    here = (Suggestion.id == suggestion_id, Suggestion.project_id == project.id)
    seen = Suggestion.example_id.is_not(None) | (Suggestion.asked_by == asker.id)
    return select(Suggestion).where(*here, seen).options(joinedload(Suggestion.asker))
