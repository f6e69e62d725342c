"""What the page of one run shows: where it stands, its curves, its plan, its checkpoints, its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.config import Settings
from app.projects.access import ProjectAccess
from app.runs import operations, queries, wording
from app.runs.charts import Chart, Length, Steps, loss_chart, rate_chart, window_of
from app.runs.folders import read_plan, run_folder, tail
from app.runs.models import Answer, Checkpoint, RunState, TrainingRun
from app.runs.pages import recipe_title
from app.runs.planpart import PlanPart, plan_part
from app.web.paging import PAGE_SIZE, Pager, page_of
from app.web.words import duration, number, plural
from training.spec import RunSpec, read_progress

LOG_LINES = 10


@dataclass(frozen=True)
class About:
    """What the run trains, from what, by which recipe, and who started it."""

    version: str
    rows: str
    model: str
    recipe: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str], ...]
    started_by: str
    created_at: datetime
    shell: str


@dataclass(frozen=True)
class Curves:
    """Loss and learning rate; `window` is how many steps the smooth line is a mean of."""

    loss: Chart
    rate: Chart
    rate_words: str
    window: int


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint with the loss of its step; `epoch` is 0 before the first was whole."""

    id: int
    title: str
    step: int
    loss: float | None
    dev_loss: float | None
    sha256: str
    created_at: datetime


@dataclass(frozen=True)
class AnswerRow:
    """A prompt and what a checkpoint said; neither response nor error while it is being answered."""

    id: int
    prompt: str
    response: str | None
    error: str | None
    checkpoint: str
    note: str | None
    decoding: str
    asked_at: datetime


@dataclass(frozen=True)
class Asking:
    """The answers so far, and the form for the next; `checkpoint` is the chosen one's id, 0 for the newest."""

    answers: tuple[AnswerRow, ...]
    pager: Pager
    pending: bool
    options: tuple[tuple[int, str], ...]
    checkpoint: int
    typed: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class RunPage:
    """One run; `live` while the page looks again by itself."""

    id: int
    slug: str
    state: str
    sentence: str
    more: str
    live: bool
    planning: bool
    step: int
    steps: int
    vitals: tuple[tuple[str, str], ...]
    reason: str | None
    may_train: bool
    about: About
    curves: Curves | None
    checkpoints: tuple[CheckpointRow, ...]
    log: str
    plan: PlanPart | None
    asking: Asking


def run_page(
    session: Session,
    access: ProjectAccess,
    settings: Settings,
    run: TrainingRun,
    *,
    answers_number: int = 1,
    checkpoint: int = 0,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> RunPage:
    """Everything of one run, read from its row and its folder: a restart of the server changes nothing of it."""
    folder = run_folder(settings, run.id)
    spec = operations.checked_spec(run.recipe, run.settings)
    steps = read_progress(folder.path).steps
    plan = read_plan(folder)
    length = Length(run.steps or (plan or {}).get("steps", 0), spec.epochs)
    checkpoints = session.scalars(queries.checkpoints_of(run)).all()
    planning = run.state is RunState.PLANNED and plan is None and run.reason is None
    sentence, more = _sentence(session, run, spec, steps)
    if plan and run.state is RunState.PLANNED:
        sentence, more = wording.plan_sentence(plan)
    return RunPage(
        id=run.id,
        slug=access.project.slug,
        state=run.state.value,
        sentence=sentence,
        more=more,
        live=run.state.live or planning,
        planning=planning,
        step=run.step,
        steps=length.steps,
        vitals=_vitals(run, steps),
        reason=run.reason,
        may_train=access.role is Role.ADMIN and access.project.archived_at is None,
        about=_about(session, access.project.slug, run, spec),
        curves=_curves(steps, length, spec, checkpoints) if length.steps else None,
        checkpoints=tuple(_checkpoint(one, steps) for one in reversed(checkpoints)),
        log="\n".join(tail(folder.log).rstrip().split("\n")[-LOG_LINES:]),
        plan=plan_part(plan, spec) if plan else None,
        asking=_asking(session, run, checkpoints, answers_number, checkpoint, typed or {}, errors or {}),
    )


def _sentence(session: Session, run: TrainingRun, spec: RunSpec, steps: Steps) -> tuple[str, str]:
    """The situation, and what else there is to say."""
    at = f" at step {run.step:,} of {run.steps:,}." if run.step else " before its first step."
    left = f", about {duration(run.seconds_left)} left" if run.seconds_left else ""
    before = queries.jobs_before(session, run) if run.state is RunState.QUEUED else 0
    running = f"Epoch {min(spec.epochs, run.epoch + 1)} of {spec.epochs}{left}.", _loss_words(steps)
    return {
        RunState.PLANNED: (
            "It is being worked out what the run will do." if not run.reason else "No plan.",
            "Nothing is trained yet.",
        ),
        RunState.QUEUED: ("It waits for a worker.", f"{plural(before, 'run')} before it." if before else ""),
        RunState.RUNNING: running if run.step else ("It is starting.", "The model is being read."),
        RunState.STOPPING: ("It stops at its next step.", "A checkpoint is kept, from which it can go on."),
        RunState.STOPPED: (f"Stopped{at}", "It can go on from there."),
        RunState.SUCCEEDED: (f"Done: {plural(run.step, 'step')}.", _loss_words(steps)),
        RunState.FAILED: (f"Failed{at}", "Whole checkpoints are kept."),
    }[run.state]


def _loss_words(steps: Steps) -> str:
    if not steps:
        return ""
    first, last = steps[0]["loss"], steps[-1]["loss"]
    change = "down" if last < first else "up"
    return f"Loss {last:.2f}, {change} from {first:.2f}." if len(steps) > 1 else f"Loss {last:.2f}."


def _vitals(run: TrainingRun, steps: Steps) -> tuple[tuple[str, str], ...]:
    """(number, what it is) pairs for the strip."""
    if not steps:
        return ()
    pairs = [(f"{run.step:,}", f"of {run.steps:,} steps"), (number(run.tokens_per_second), "tokens/s")]
    pairs.append((duration(sum(step["seconds"] for step in steps)), "trained"))
    if run.state is RunState.RUNNING and run.seconds_left is not None:
        pairs.append((duration(run.seconds_left), "left"))
    return tuple(pairs)


def _about(session: Session, slug: str, run: TrainingRun, spec: RunSpec) -> About:
    starter = session.get(User, run.created_by) if run.created_by else None
    changed = {name: str(value) for name, value in run.settings.items()}
    options = [f"--model {run.base_model.name}", f"--recipe {run.recipe}"]
    options += [f"--set {name}={value}" for name, value in changed.items()]
    return About(
        version=run.version.name,
        rows=f"{run.version.manifest['examples'].get('train', 0):,} rows",
        model=run.base_model.name,
        recipe=recipe_title(run.recipe),
        facts=wording.spec_facts(spec),
        changed=tuple((wording.SETTINGS.get(name, name), value) for name, value in changed.items()),
        started_by=starter.name if starter else "–",
        created_at=run.created_at,
        shell=" \\\n  ".join([f"handpicked train {slug}@{run.version.name}", *options]),
    )


def _curves(steps: Steps, length: Length, spec: RunSpec, checkpoints: Sequence[Checkpoint]) -> Curves:
    now = f"; now {steps[-1]['lr']:.2g}" if steps else ""
    words = f"{spec.peak_lr:g} falling to {spec.floor_lr:g}, no warm-up{now}"
    return Curves(
        loss=loss_chart(steps, length, [one.step for one in checkpoints]),
        rate=rate_chart(steps, length, spec.peak_lr, spec.floor_lr),
        rate_words=words,
        window=window_of(length.steps),
    )


def _checkpoint(one: Checkpoint, steps: Steps) -> CheckpointRow:
    step = next((step for step in reversed(steps) if step["step"] == one.step), {})
    return CheckpointRow(
        id=one.id,
        title=checkpoint_title(one),
        step=one.step,
        loss=step.get("loss"),
        dev_loss=step.get("dev_loss"),
        sha256=one.sha256,
        created_at=one.created_at,
    )


def checkpoint_title(one: Checkpoint) -> str:
    """Its epoch, or its step where a stop in the middle of an epoch made it."""
    return f"Epoch {one.epoch}" if one.name.startswith("epoch-") else f"Step {one.step:,}"


def _asking(
    session: Session,
    run: TrainingRun,
    checkpoints: Sequence[Checkpoint],
    page_number: int,
    chosen: int,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> Asking:
    found, pager = page_of(session, queries.answers_of(run), page_number, 10)
    answers = tuple(_answer(one) for one in found)
    pending = any(one.response is None and one.error is None for one in answers)
    options = [(one.id, checkpoint_title(one)) for one in reversed(checkpoints)]
    # The next question is drawn as the last one was, unless somebody is at a form that did not pass.
    drawn = {name: f"{value:g}" for name, value in found[0].settings.items()} if found else {}
    return Asking(answers, pager, pending, ((0, "The newest"), *options), chosen, typed or drawn, errors)


def _answer(answer: Answer) -> AnswerRow:
    how = answer.settings
    drawn = f"temperature {how['temperature']:g}, top-p {how['top_p']:g}" if how["temperature"] else "likeliest tokens"
    return AnswerRow(
        id=answer.id,
        prompt=answer.messages[-1]["content"],
        response=answer.response,
        error=answer.error,
        checkpoint=checkpoint_title(answer.checkpoint),
        note=wording.stop_words(answer.stopped_by),
        decoding=f"{drawn}, repetition {how['repetition_penalty']:g}, seed {how['seed']}",
        asked_at=answer.created_at,
    )


@dataclass(frozen=True)
class StepsPage:
    """All steps of a run, as the trainer wrote them, newest page last."""

    id: int
    slug: str
    rows: Steps
    pager: Pager


def steps_page(slug: str, settings: Settings, run: TrainingRun, page_number: int) -> StepsPage:
    """The table behind the curves."""
    steps = read_progress(run_folder(settings, run.id).path).steps
    pages = max(1, -(-len(steps) // PAGE_SIZE))
    pager = Pager(min(page_number, pages), len(steps))
    return StepsPage(run.id, slug, steps[pager.first - 1 if steps else 0 : pager.last], pager)
