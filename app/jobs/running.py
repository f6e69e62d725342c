"""How a handler runs: with a lease that is renewed beside it, and writes that a lost lease refuses.

Guarantee: a job's effects are written by at most one worker at a time. Every write of a handler goes through
`JobContext.writing`, which checks the fencing token in the same transaction.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.errors import Refusal
from app.jobs import operations
from app.jobs.models import Job, JobState
from app.jobs.operations import ENDINGS, PATIENT, Cancelled, Ending, LeaseLost

log = logging.getLogger(__name__)

Handler = Callable[["JobContext"], None]


@dataclass(frozen=True)
class Registration:
    """A handler under its explicit name; `on_failure` puts the reason into the row that the job works for."""

    handler: Handler
    on_failure: Ending | None = None


HANDLERS: dict[str, Registration] = {}


def handles(kind: str, on_failure: Ending | None = None, *, patient: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler under a name that outlives its module; a restart runs it again, so it is idempotent.

    A `patient` kind lets whatever else waits in its lane go first, and calls `give_way` as it goes.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registration(handler, on_failure)
        if patient:
            PATIENT.add(kind)
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


# Looks for work that nobody enqueued: they cost next to nothing where there is none, and take a few seconds at most.
LOOKS: list[Chore] = []


def look(work: Chore) -> Chore:
    """Register what a worker does between quick jobs, every few seconds: what every save would have to enqueue."""
    LOOKS.append(work)
    return work


# How often a lease is renewed within its time.
BEATS = 4
# Between two beats: so many seconds may pass before a request to stop is heard.
LISTEN = 1.0
Step = Callable[[Session], object]


class JobContext:
    """What a handler may use: its arguments, short transactions, progress, and whether to stop."""

    def __init__(self, database: Database, settings: Settings, job: Job) -> None:
        """Hold the job's lease from here on."""
        assert job.fence is not None
        self.database = database
        self.settings = settings
        self.kind = job.kind
        self.lane = job.lane
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
        began = time.monotonic()
        with self.database.writing() as session:
            self._hear(operations.renew_lease(session, self.job_id, self._fence, self.lease))
            yield session
            if time.monotonic() - began > self.settings.lease_seconds / BEATS:
                # The beat waited behind this transaction: what it commits is not to be a lease that is over.
                operations.renew_lease(session, self.job_id, self._fence, self.lease)

    def in_turns(self, steps: Iterable[Step], most: int = 10) -> None:
        """Write step by step, up to `most` in a transaction, which ends as soon as somebody else waits to write.

        So it costs others the time of one step, and nothing where nobody waits. Raises ShuttingDown between two.
        """
        left = iter(steps)
        step = next(left, None)
        while step is not None:
            self.go_on()
            with self.writing() as session:
                for _ in range(most):
                    step(session)
                    step = next(left, None)
                    if step is None or self.database.wanted():
                        break

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

    def go_on(self) -> None:
        """Like `check`, and leave the job to another worker if this one is asked to end."""
        self.check()
        if self.shutting_down.is_set():
            raise ShuttingDown

    def give_way(self) -> None:
        """Like `go_on`, and leave the job until later where other work of its lane waits."""
        self.go_on()
        with self.reading() as session:
            if operations.others_wait(session, self.lane):
                raise ShuttingDown

    def heartbeat(self) -> None:
        """Renew the lease once; called by the beating thread."""
        with self.database.writing() as session:
            self._hear(operations.renew_lease(session, self.job_id, self._fence, self.lease))

    def listen(self) -> None:
        """Look whether somebody asked for a stop; called by the beating thread, one row read and nothing written."""
        with self.database.reading() as session:
            self._hear(operations.stop_asked(session, self.job_id))

    def _hear(self, asked: bool) -> None:
        if asked:
            self.cancel_requested.set()

    def end(self, state: JobState, error: str | None = None) -> None:
        """Write how the job ended, and into its own row why it failed."""
        registration = HANDLERS.get(self.kind)
        with self.database.writing() as session:
            operations.finish(session, self.job_id, self._fence, state, error)
            if state is not JobState.SUCCEEDED and registration and registration.on_failure:
                registration.on_failure(session, self.args, error or "", state)

    def put_back(self, *, died: bool = False) -> None:
        """Leave the job to another worker; `died` where this try counts as one that went wrong."""
        with suppress(LeaseLost), self.database.writing() as session:
            operations.put_back(session, self.job_id, self._fence, died=died)


class Held(JobContext):
    """A job that whoever enqueued it does: held from its first moment on, so that no worker ever finds it waiting."""

    def give_way(self) -> None:
        """Go on: this process does nothing else meanwhile, and workers do what waits."""
        self.go_on()

    def put_back(self, *, died: bool = False) -> None:  # noqa: ARG002 - each try counts
        """Keep it for another try."""
        self.attempts += 1
        with suppress(LeaseLost), self.database.writing() as session:
            operations.count_try(session, self.job_id, self._fence)

    def let_go(self) -> None:
        """Leave it to a worker, to be stopped in its own way: who did it is asked to end at once."""
        with suppress(LeaseLost), self.database.writing() as session:
            operations.put_back(session, self.job_id, self._fence, stop=True)


class ShuttingDown(Exception):
    """The worker is asked to end; a handler that can leave its work to another worker raises this."""


def run_job(context: JobContext) -> JobState | None:
    """Run one claimed job to its end and write the end down; None when it is left to another worker."""
    with _beating([context]):
        return _outcome(context)


@contextmanager
def _beating(contexts: Sequence[JobContext]) -> Iterator[None]:
    stop = threading.Event()
    beats = [
        threading.Thread(target=_beat, args=(one, stop), name=f"lease-{one.job_id}", daemon=True) for one in contexts
    ]
    for beat in beats:
        beat.start()
    try:
        yield
    finally:
        stop.set()
        for beat in beats:
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
        context.lease_lost.set()
        log.warning("job %s: another worker has it now", context.job_id)
        return None
    except ShuttingDown:
        context.put_back()
        return None
    except Cancelled:
        return _end(context, JobState.CANCELLED, "Stopped by request.")
    except Refusal as refusal:
        return _end(context, JobState.FAILED, refusal.message)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is written down
        return _went_wrong(context, error)
    return _end(context, JobState.SUCCEEDED)


def _went_wrong(context: JobContext, error: Exception) -> JobState | None:
    if _passes(error) and context.attempts < context.settings.max_attempts:
        log.warning("job %s: %s; it is started again", context.job_id, said_by(error))
        context.put_back(died=True)
        return None
    log.error("job %s (%s) failed", context.job_id, context.kind, exc_info=error)
    words = "Something went wrong inside Handpicked; nothing half done was kept. The server's log has the details."
    return _end(context, JobState.FAILED, words)


# A deadlock, an order that cannot be kept, a lock that did not come in time: the same work may go well a moment later.
_PASSING = {"40001", "40P01", "55P03"}


def _passes(error: Exception) -> bool:
    """Whether a job failed by who else was at work, not by anything of its own."""
    if not isinstance(error, OperationalError):
        return False
    return getattr(error.orig, "sqlstate", None) in _PASSING or "database is locked" in str(error.orig)


def said_by(error: Exception) -> str:
    """The driver's own words, on one line: the statement and a traceback help nobody at a terminal."""
    return f"{type(error).__name__}: {' '.join(str(getattr(error, 'orig', error)).split())}"


def _end(context: JobContext, state: JobState, error: str | None = None) -> JobState | None:
    try:
        context.end(state, error)
    except LeaseLost:
        context.lease_lost.set()
        return None
    return state


def _beat(context: JobContext, stop: threading.Event) -> None:
    every = context.settings.lease_seconds / BEATS
    beaten = time.monotonic()
    while not stop.wait(min(LISTEN, every)):
        try:
            if time.monotonic() - beaten < every - LISTEN / 2:
                context.listen()
                continue
            beaten = time.monotonic()
            context.heartbeat()
        except LeaseLost:
            context.lease_lost.set()
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the next beat tries again
            log.warning("job %s: lease not renewed (%s), trying again", context.job_id, said_by(error))


def take(session: Session, database: Database, settings: Settings, job_id: int, worker: str) -> Held | None:
    """Claim a job in the transaction that enqueues it; None where another has it or had it."""
    job = operations.claim_one(session, worker, job_id, timedelta(seconds=settings.lease_seconds))
    return None if job is None else Held(database, settings, job)


def run_held(held: Sequence[Held]) -> None:
    """Do jobs that this process holds, one after the other, worker or not; the later ones stay held meanwhile."""
    with _beating(held):
        try:
            for context in held:
                while _outcome(context) is None and not context.lease_lost.is_set():
                    pass
        except BaseException:
            for context in held:
                context.let_go()
            raise


def run_now(database: Database, settings: Settings, job_id: int, worker: str) -> JobState:
    """Do one queued job in this process, or wait for whoever has it."""
    with database.writing() as session:
        held = take(session, database, settings, job_id, worker)
    run_held([held] if held else [])
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
