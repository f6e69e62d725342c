"""How a handler runs: with a lease that is renewed beside it, and writes that a lost lease refuses.

Guarantee: a job's effects are written by at most one worker at a time. Every write of a handler goes through
`JobContext.writing`, which checks the fencing token in the same transaction.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.errors import Refusal
from app.jobs import operations
from app.jobs.models import Job, JobState
from app.jobs.operations import ENDINGS, Cancelled, Ending, LeaseLost

log = logging.getLogger(__name__)

Handler = Callable[["JobContext"], None]


@dataclass(frozen=True)
class Registration:
    """A handler under its explicit name; `on_failure` puts the reason into the row that the job works for."""

    handler: Handler
    on_failure: Ending | None = None


HANDLERS: dict[str, Registration] = {}


def handles(kind: str, on_failure: Ending | None = None) -> Callable[[Handler], Handler]:
    """Register a handler under a name that outlives its module; a restart runs it again, so it is idempotent."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registration(handler, on_failure)
        if on_failure is not None:
            ENDINGS[kind] = on_failure
        return handler

    return register


Chore = Callable[[Database, Settings], None]
CHORES: list[Chore] = []


def chore(work: Chore) -> Chore:
    """Register what a worker does when it starts and every hour after: sweeping up, which harms nobody twice."""
    CHORES.append(work)
    return work


class JobContext:
    """What a handler may use: its arguments, short transactions, progress, and whether to stop."""

    def __init__(self, database: Database, settings: Settings, job: Job) -> None:
        """Hold the job's lease from here on."""
        assert job.fence is not None
        self.database = database
        self.settings = settings
        self.kind = job.kind
        self.args: dict[str, Any] = job.args
        self.job_id = job.id
        self.attempts = job.attempts
        self._fence: str = job.fence
        self.heeds_cancel = True  # a handler that ends its work in its own way sets it to False
        self.cancel_requested = threading.Event()
        if job.cancel_requested:
            self.cancel_requested.set()
        self.shutting_down = threading.Event()
        self.lease_lost = threading.Event()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A short read transaction."""
        self.check()
        with self.database.reading() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A short write transaction that only the holder of the lease can commit."""
        self.check()
        with self.database.writing() as session:
            operations.renew_lease(session, self.job_id, self._fence, self.lease)
            yield session

    @property
    def lease(self) -> timedelta:
        """How long silence is taken for life."""
        return timedelta(seconds=self.settings.lease_seconds)

    def progress(self, done: int, total: int = 0, unit: str = "", note: str = "") -> None:
        """Tell people how far the work is, and stop here if somebody asked for it."""
        with self.writing() as session:
            values = {"done": done, "total": total, "unit": unit, "note": note[:300]}
            operations.report_progress(session, self.job_id, self._fence, **values)

    def check(self) -> None:
        """Raise if the lease is lost or the job is to stop."""
        if self.lease_lost.is_set():
            raise LeaseLost
        if self.heeds_cancel and self.cancel_requested.is_set():
            raise Cancelled

    def heartbeat(self) -> None:
        """Renew the lease once; called by the beating thread."""
        with self.database.writing() as session:
            if operations.renew_lease(session, self.job_id, self._fence, self.lease):
                self.cancel_requested.set()

    def end(self, state: JobState, error: str | None = None) -> None:
        """Write how the job ended, and into its own row why it failed."""
        registration = HANDLERS.get(self.kind)
        with self.database.writing() as session:
            operations.finish(session, self.job_id, self._fence, state, error)
            if state is not JobState.SUCCEEDED and registration and registration.on_failure:
                registration.on_failure(session, self.args, error or "", state)

    def put_back(self) -> None:
        """Leave the job to another worker."""
        with self.database.writing() as session:
            operations.put_back(session, self.job_id, self._fence)


class ShuttingDown(Exception):
    """The worker is asked to end; a handler that can leave its work to another worker raises this."""


def run_job(context: JobContext) -> JobState | None:
    """Run one claimed job to its end and write the end down; None when it is left to another worker."""
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(context, stop), name=f"lease-{context.job_id}", daemon=True)
    beat.start()
    try:
        return _outcome(context)
    finally:
        stop.set()
        beat.join()


def _outcome(context: JobContext) -> JobState | None:
    try:
        registration = HANDLERS.get(context.kind)
        if registration is None:
            raise Refusal(  # noqa: TRY301 - told like any other refusal
                f"This worker does not know the work “{context.kind}”; it is older than the web app. Restart it."
            )
        registration.handler(context)
    except LeaseLost:
        log.warning("job %s: another worker has it now", context.job_id)
        return None
    except ShuttingDown:
        context.put_back()
        return None
    except Cancelled:
        return _end(context, JobState.CANCELLED, "Stopped by request.")
    except Refusal as refusal:
        return _end(context, JobState.FAILED, refusal.message)
    except Exception:
        log.exception("job %s (%s) failed", context.job_id, context.kind)
        words = "Something went wrong inside Handpicked; nothing half done was kept. The server's log has the details."
        return _end(context, JobState.FAILED, words)
    return _end(context, JobState.SUCCEEDED)


def _end(context: JobContext, state: JobState, error: str | None = None) -> JobState | None:
    try:
        context.end(state, error)
    except LeaseLost:
        return None
    return state


def _beat(context: JobContext, stop: threading.Event) -> None:
    while not stop.wait(context.settings.lease_seconds / 4):
        try:
            context.heartbeat()
        except LeaseLost:
            context.lease_lost.set()
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the next beat tries again
            # The driver's own words, on one line: the statement and a traceback help nobody at a terminal.
            words = " ".join(str(getattr(error, "orig", error)).split())
            log.warning("job %s: lease not renewed (%s: %s), trying again", context.job_id, type(error).__name__, words)


def run_now(database: Database, settings: Settings, job_id: int, worker: str) -> JobState:
    """Run one queued job in this process, worker or not: what the command line does."""
    with database.writing() as session:
        job = operations.claim_one(session, worker, job_id, timedelta(seconds=settings.lease_seconds))
    if job is not None:
        run_job(JobContext(database, settings, job))
    return wait_for(database, job_id)


def wait_for(database: Database, job_id: int, poll: float = 0.2) -> JobState:
    """Wait until somebody has ended the job."""
    while True:
        with database.reading() as session:
            job = session.get(Job, job_id)
            assert job is not None
            if job.state.over:
                return job.state
        threading.Event().wait(poll)


__all__ = ["HANDLERS", "Cancelled", "JobContext", "LeaseLost", "ShuttingDown", "handles", "run_job", "run_now"]
