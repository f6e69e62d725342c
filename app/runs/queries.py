"""Base models, runs, checkpoints and answers."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import User
from app.errors import NotFound
from app.examples.sight import limits
from app.jobs.models import Job, JobState, Lane
from app.projects.models import Project
from app.runs.models import Answer, BaseModel, Checkpoint, TrainingRun

# What a lead asks a checkpoint may be the test prompts: who is kept from those reads their own questions only.
limits(Answer, lambda person: Answer.asked_by == person)


def models() -> Select[BaseModel]:
    """Registered base models that are not retired, by name."""
    return select(BaseModel).where(BaseModel.retired_at.is_(None)).order_by(BaseModel.name)


def ready_models() -> Select[BaseModel]:
    """Base models that a run can start from."""
    return models().where(BaseModel.ready_at.is_not(None))


def model_of(model_id: int) -> Select[BaseModel]:
    """One base model that is not retired."""
    return models().where(BaseModel.id == model_id)


def model_by_name(session: Session, name: str) -> BaseModel | None:
    """A base model by its registered name."""
    return session.scalar(models().where(BaseModel.name == name))


def all_runs() -> Select[TrainingRun]:
    """Runs with version and base model, newest first."""
    query = select(TrainingRun).order_by(TrainingRun.id.desc())
    return query.options(joinedload(TrainingRun.version), joinedload(TrainingRun.base_model))


def runs_of(project: Project, version_id: int | None = None) -> Select[TrainingRun]:
    """A project's runs with version and base model, newest first; of one version or of all."""
    query = all_runs().where(TrainingRun.project_id == project.id)
    return query.where(TrainingRun.version_id == version_id) if version_id else query


def run_of(project: Project, run_id: int) -> Select[TrainingRun]:
    """One run with version and base model, if it belongs to the project."""
    return runs_of(project).where(TrainingRun.id == run_id)


def run_by_id(session: Session, run_id: int) -> TrainingRun | None:
    """One run with version and base model."""
    return session.scalar(all_runs().where(TrainingRun.id == run_id))


def jobs_before(session: Session, run: TrainingRun) -> int:
    """How many jobs of the training lane come before this run's, of all projects."""
    before = select(func.count(Job.id)).where(
        Job.lane == Lane.TRAINING, Job.id < (run.job_id or 0), Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    )
    return session.scalar(before) or 0


def checkpoints_of(run: TrainingRun) -> Select[Checkpoint]:
    """A run's checkpoints that are still there, in the order of their steps."""
    query = select(Checkpoint).where(Checkpoint.run_id == run.id, Checkpoint.removed_at.is_(None))
    return query.order_by(Checkpoint.step)


def checkpoint_of(
    session: Session, run: TrainingRun, *, checkpoint_id: int | None = None, epoch: int | None = None
) -> Checkpoint:
    """One of the run's checkpoints by its id, or that at the end of an epoch; with neither, the newest."""
    query = checkpoints_of(run).order_by(None).order_by(Checkpoint.step.desc()).limit(1)
    if checkpoint_id is not None:
        query = query.where(Checkpoint.id == checkpoint_id)
    if epoch is not None:
        query = query.where(Checkpoint.epoch == epoch, Checkpoint.name.startswith("epoch-"))
    checkpoint = session.scalar(query)
    if checkpoint is None:
        known = ", ".join(str(one.epoch) for one in session.scalars(checkpoints_of(run))) or "none yet"
        raise NotFound(f"Run {run.id} has no such checkpoint; nothing was asked. Epochs it has: {known}.")
    return checkpoint


def answers_of(run: TrainingRun) -> Select[Answer]:
    """What a run's checkpoints were asked, newest first."""
    query = select(Answer).join(Checkpoint, Checkpoint.id == Answer.checkpoint_id).where(Checkpoint.run_id == run.id)
    return query.options(joinedload(Answer.checkpoint)).order_by(Answer.id.desc())


def waiting_answers(checkpoint: Checkpoint, asker: User) -> Select[Answer]:
    """What a person asked a checkpoint and waits for, oldest first."""
    own = (Answer.checkpoint_id == checkpoint.id, Answer.asked_by == asker.id)
    return select(Answer).where(*own, Answer.response.is_(None), Answer.error.is_(None)).order_by(Answer.id)


def answers_of_job(job_id: int) -> Select[Answer]:
    """The prompts that one job answers, in their order."""
    query = select(Answer).where(Answer.job_id == job_id).order_by(Answer.id)
    return query.options(joinedload(Answer.checkpoint))
