"""The queue's verbs, each one statement where two workers could meet, on SQLite and on PostgreSQL."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.errors import Denied, Refusal
from app.jobs.models import Job, JobState, Lane

# Writes the end of a job into the row that it works for: session, the job's args, words, state.
Ending = Callable[[Session, dict[str, Any], str, JobState], None]
# By kind of job; filled as handlers register, read wherever a job ends without its handler.
ENDINGS: dict[str, Ending] = {}
# Kinds of job that nobody waits for: whatever else is in their lane goes first. Filled and read as ENDINGS are.
PATIENT: set[str] = set()


class LeaseLost(Exception):
    """Another worker has this job now; nothing more of this one's work may be written."""


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


def enqueue(
    session: Session,
    actor: User | None,
    kind: str,
    *,
    title: str,
    project_id: int | None = None,
    lane: Lane = Lane.QUICK,
    **args: int,
) -> Job:
    """Put work into the queue in the caller's transaction: the caller's row and the job stand or fall together."""
    job = Job(
        kind=kind,
        lane=lane,
        args=args,
        title=title[:200],
        project_id=project_id,
        created_by=actor.id if actor else None,
    )
    session.add(job)
    session.flush()
    return job


def has_work(session: Session, lane: Lane) -> bool:
    """Whether a claim would change anything; asked without a writer's turn, for an idle worker asks all day."""
    waits = and_(Job.lane == lane, Job.state == JobState.QUEUED)
    return session.scalar(select(Job.id).where(or_(waits, _expired())).limit(1)) is not None


def claim(session: Session, worker: str, lane: Lane, lease: timedelta, max_attempts: int) -> Job | None:
    """Take the oldest job that waits, or whose worker's lease ran out; never one that another worker has.

    One of a patient kind is taken where nothing else waits.
    """
    _give_up_on_killers(session, max_attempts)
    patient = case((Job.kind.in_(PATIENT), 1), else_=0)
    oldest = select(Job.id).where(Job.lane == lane, _takeable()).order_by(patient, Job.id).limit(1)
    return _take(session, Job.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), worker, lease)


def others_wait(session: Session, lane: Lane) -> bool:
    """Whether there is work in the lane before which a patient kind stands back."""
    waits = (Job.lane == lane, _takeable(), Job.kind.not_in(PATIENT))
    return session.scalar(select(Job.id).where(*waits).limit(1)) is not None


def claim_one(session: Session, worker: str, job_id: int, lease: timedelta) -> Job | None:
    """Take this job if nobody has it."""
    return _take(session, Job.id == job_id, worker, lease)


def _takeable() -> ColumnElement[bool]:
    return or_(Job.state == JobState.QUEUED, _expired())


def _expired() -> ColumnElement[bool]:
    return and_(Job.state == JobState.RUNNING, Job.lease_until < now())


def _take(session: Session, which: ColumnElement[bool], worker: str, lease: timedelta) -> Job | None:
    values: dict[str, Any] = {
        "state": JobState.RUNNING,
        "worker": worker,
        "fence": secrets.token_hex(16),
        "lease_until": now() + lease,
        "attempts": Job.attempts + 1,
        "started_at": now(),
        "changed_at": now(),
    }
    taken = update(Job).where(which, _takeable()).values(**values).returning(Job)
    return session.scalars(taken.execution_options(synchronize_session=False, populate_existing=True)).one_or_none()


def _give_up_on_killers(session: Session, max_attempts: int) -> None:
    dead = and_(_expired(), Job.attempts >= max_attempts)
    words = f"{max_attempts} workers died on this job, so it was given up. See the server's log, then start it again."
    given_up = (
        update(Job)
        .where(dead)
        .values(state=JobState.FAILED, error=words, fence=None, finished_at=now())
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    for job in session.scalars(given_up).all():
        tell_end(session, job, words)


def tell_end(session: Session, job: Job, words: str) -> None:
    """Let the row that a job worked for know that it will not be finished."""
    if ending := ENDINGS.get(job.kind):
        ending(session, job.args, words, job.state)


def _held(job_id: int, fence: str) -> ColumnElement[bool]:
    return and_(Job.id == job_id, Job.fence == fence, Job.state == JobState.RUNNING)


def renew_lease(session: Session, job_id: int, fence: str, lease: timedelta) -> bool:
    """Say that the worker lives and learn whether to stop; LeaseLost if another has the job."""
    statement = (
        update(Job)
        .where(_held(job_id, fence))
        .values(lease_until=now() + lease)
        .returning(Job.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    cancel_requested = session.scalars(statement).one_or_none()
    if cancel_requested is None:
        raise LeaseLost
    return cancel_requested


def stop_asked(session: Session, job_id: int) -> bool:
    """Whether somebody asked for this job to stop."""
    return bool(session.scalar(select(Job.cancel_requested).where(Job.id == job_id)))


def report_progress(session: Session, job_id: int, fence: str, **values: Any) -> None:
    """Write done, total, unit or note of a job that is still held."""
    _change_held(session, job_id, fence, values)


def _change_held(session: Session, job_id: int, fence: str, values: Mapping[str, Any]) -> None:
    change = update(Job).where(_held(job_id, fence)).values(**values)
    changed = session.execute(change.execution_options(synchronize_session=False))
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost


def finish(session: Session, job_id: int, fence: str, state: JobState, error: str | None = None) -> None:
    """End a job that is still held."""
    _change_held(session, job_id, fence, {"state": state, "error": error, "finished_at": now(), "fence": None})


def put_back(session: Session, job_id: int, fence: str, *, died: bool = False, stop: bool = False) -> None:
    """Return a held job to the queue: the worker is shutting down, another will take it up; nobody died on it.

    Unless somebody `died`: then the try counts. With `stop` the other one is to stop it.
    """
    tries = Job.attempts if died else Job.attempts - 1
    values = {"state": JobState.QUEUED, "fence": None, "lease_until": None, "attempts": tries}
    _change_held(session, job_id, fence, values | ({"cancel_requested": True} if stop else {}))


def count_try(session: Session, job_id: int, fence: str) -> None:
    """Begin a job anew that is still held."""
    _change_held(session, job_id, fence, {"attempts": Job.attempts + 1})


def release_jobs_of(session: Session, worker_prefix: str) -> int:
    """Let the leases of workers that are known to be dead end now, so that their jobs are taken up at once."""
    statement = (
        update(Job)
        .where(Job.state == JobState.RUNNING, Job.worker == worker_prefix)
        .values(lease_until=now() - timedelta(seconds=1))
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).rowcount  # type: ignore[attr-defined, no-any-return]


def request_cancellation(session: Session, actor: User, job: Job) -> None:
    """Stop a job: at once if it waits, at its next step if it runs; asking twice changes nothing."""
    session.flush()
    session.refresh(job, with_for_update=True)  # a worker may be taking it right now
    if job.state.over:
        raise Refusal(f"“{job.title}” is over already ({job.state}); there is nothing to stop.")
    # One that a worker has handed over may have processes alive: the next worker ends it.
    if job.state is JobState.QUEUED and job.started_at is None:
        job.state, job.finished_at = JobState.CANCELLED, now()
        tell_end(session, job, "Stopped before it began.")
    job.cancel_requested = True
    record(session, actor, "cancel job", f"job:{job.id}", project_id=job.project_id)


def cancel_job(session: Session, actor: User, role: Role, job: Job) -> None:
    """Stop a job of one's own, or, as an admin of its project, anybody's."""
    if role is not Role.ADMIN and job.created_by != actor.id:
        raise Denied("Only who started this, or an admin of the project, can stop it; it goes on.")
    request_cancellation(session, actor, job)
