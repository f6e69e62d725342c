"""The worker: `python -m app.worker` takes jobs from the queue until it is told to stop.

Guarantee: it may be killed at any moment. What it held is taken up again by another worker, or by this one
after a restart; trainers that it started live on and are adopted.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import select

from app import handlers
from app.config import Settings
from app.db import Database
from app.jobs import operations
from app.jobs.models import Job, JobState, Lane
from app.jobs.running import CHORES, LOOKS, JobContext, run_job
from app.logs import set_up

log = logging.getLogger("handpicked.worker")
CHORES_EVERY = 3600.0
LOOK_UP_EVERY = 0.5
LOOKS_EVERY = 2.0
LOOK_AFTER_FAILURE = 60.0
ROOMS = handlers.ROOMS  # importing them registers every handler


def worker_name(pid: int | None = None) -> str:
    """Host, boot, process and its start: enough to know whether that very process still lives."""
    process = psutil.Process(pid)
    return f"{socket.gethostname()}/{boot_id()}/{process.pid}/{process.create_time():.2f}"


def boot_id() -> str:
    """A name for this boot of this machine."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip()[:8] if path.exists() else f"{psutil.boot_time():.0f}"


def is_dead(worker: str) -> bool:
    """Whether a worker of this host is certainly gone; others are judged by their leases alone."""
    host, boot, pid, start = worker.rsplit("/", 3)
    if host != socket.gethostname():
        return False
    if boot != boot_id():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != start
    except psutil.NoSuchProcess:
        return True


def release_the_dead(database: Database) -> None:
    """Let jobs of dead workers of this host go at once instead of at the end of their leases."""
    with database.writing() as session:
        held = session.scalars(select(Job.worker).where(Job.state == JobState.RUNNING).distinct())
        for worker in {name for name in held if name and is_dead(name)}:
            operations.release_jobs_of(session, worker)


class Worker:
    """One loop a lane; the training lane is apart, so that an import never waits for a run."""

    def __init__(self, settings: Settings, database: Database) -> None:
        """Take the name of this process."""
        self.settings = settings
        self.database = database
        self.name = worker_name()
        self.stopping = threading.Event()
        self.current: dict[Lane, JobContext] = {}
        self._taken = [Lane(name) for name in settings.worker_lanes]
        self._chores_at = 0.0
        self._looks_at = 0.0

    def run(self) -> None:
        """Work until `stop` is called."""
        release_the_dead(self.database)
        lanes = [threading.Thread(target=self._work, args=(lane,), name=lane.value) for lane in self._taken]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            while thread.is_alive():
                # The main thread acts on signals, and a signal may wake another one: it has to look up by itself.
                thread.join(LOOK_UP_EVERY)

    def stop(self) -> None:
        """End after the work in hand; handlers that can hand over do so now."""
        self.stopping.set()
        for context in list(self.current.values()):
            context.shutting_down.set()

    def _work(self, lane: Lane) -> None:
        while not self.stopping.is_set():
            try:
                self.do_chores(lane)
                self.look(lane)
                worked = self.work_once(lane)
            except Exception:
                log.exception("%s lane: trying again", lane)
                worked = False
            if not worked:
                self.stopping.wait(self.settings.poll_seconds)

    def do_chores(self, lane: Lane) -> None:
        """Sweep up, an hour after the last time; one lane does it for all."""
        if lane is not self._taken[0] or time.monotonic() < self._chores_at:
            return
        self._chores_at = time.monotonic() + CHORES_EVERY
        for work in CHORES:
            work(self.database, self.settings)

    def look(self, lane: Lane) -> None:
        """Look for work that nobody enqueued, between one quick job and the next."""
        if lane is not Lane.QUICK or time.monotonic() < self._looks_at:
            return
        self._looks_at = time.monotonic() + LOOK_AFTER_FAILURE
        for work in LOOKS:
            work(self.database, self.settings)
        self._looks_at = time.monotonic() + LOOKS_EVERY

    def work_once(self, lane: Lane) -> bool:
        """Do one job of the lane; False when there is none."""
        with self.database.reading() as session:
            if not operations.has_work(session, lane):
                return False
        with self.database.writing() as session:
            lease = timedelta(seconds=self.settings.lease_seconds)
            job = operations.claim(session, self.name, lane, lease, self.settings.max_attempts)
        if job is None:
            return False
        context = JobContext(self.database, self.settings, job)
        self.current[lane] = context
        if self.stopping.is_set():  # told to stop between the claim and the line above, so `stop` did not see it
            context.shutting_down.set()
        started = time.monotonic()
        state = run_job(context)
        del self.current[lane]
        log.info("job %s (%s): %s in %.1f s", job.id, job.kind, state or "left", time.monotonic() - started)
        return True


def stop_with(keeper: int, worker: Worker) -> None:
    """Stop the worker once the process that started it is gone, however it went: nobody would miss or update it."""
    while not worker.stopping.wait(1):
        if os.getppid() != keeper:
            log.warning("the server that started this worker is gone; the worker ends as well")
            worker.stop()


def main(keeper: int | None = None) -> None:
    """Run a worker in the foreground, for as long as `keeper`, the process that started it, lives."""
    set_up(logging.INFO)
    settings = Settings()
    if settings.threads:  # read when torch loads, which the first scan does
        os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    database = Database(settings)
    database.migrate()
    worker = Worker(settings, database)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    if keeper is not None:
        threading.Thread(target=stop_with, args=(keeper, worker), name="keeper", daemon=True).start()
    log.info("worker %s ready (pid %s)", worker.name, os.getpid())
    worker.run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
