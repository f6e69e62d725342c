"""A worker in a process of its own: whatever is waited for comes in time, or the failure says what each thread did."""

import faulthandler
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import text

from app import worker
from app.config import Settings
from app.db import Database

# The machine may be busy, so what counts is for how long nothing has moved.
STANDSTILL = 120.0
ENDS_WITHIN = 30.0
# Each look is a query that takes its share of the machine from the worker.
LOOK_EVERY = 0.03
# One process loads the app; workers are forked from it, which has no threads and no connections.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
Seen = TypeVar("Seen")
BLOCKED = text(
    "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 200) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def _work(environment: dict[str, str], log: Path) -> None:
    """What the process does: the worker's own main, with its words and its last stacks in a file."""
    os.environ.update(environment)
    with log.open("ab") as out:
        os.dup2(out.fileno(), sys.stderr.fileno())
    faulthandler.enable()
    worker.main()


class WorkerProcess:
    """A worker over a test's database; killed at the end of the block if it still lives."""

    def __init__(self, settings: Settings, database: Database, log: Path) -> None:
        """Start it; what it says goes into `log`."""
        self.database, self.log = database, log
        environment = {
            "HANDPICKED_DATABASE_URL": settings.url,
            "HANDPICKED_DATA_DIR": str(settings.data_dir),
            "HANDPICKED_LEASE_SECONDS": str(settings.lease_seconds),
            "HANDPICKED_POLL_SECONDS": str(settings.poll_seconds),
        }
        self.process = _PROCESSES.Process(target=_work, args=(environment, log))
        self.process.start()

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave no process behind."""
        if self.process.is_alive():
            self.kill()
        self.process.close()

    def wait_until(self, there: Callable[[Seen], object], look: Callable[[], Seen], what: str) -> None:
        """Look until it is there; fails with its name when the worker is gone, or a look shows the same for long."""
        seen, since = look(), time.monotonic()
        while not there(seen):
            assert self.process.is_alive(), f"the worker ended before {what}: {seen}\n{self._said()}"
            if time.monotonic() - since > STANDSTILL:
                raise AssertionError(f"nothing moved for {STANDSTILL:.0f} s before {what}: {seen}\n{self._doing()}")
            time.sleep(LOOK_EVERY)
            before, seen = seen, look()
            since = since if seen == before else time.monotonic()

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; fails when it does not."""
        self.process.terminate()
        self.process.join(ENDS_WITHIN)
        assert not self.process.is_alive(), f"{ENDS_WITHIN:.0f} s after SIGTERM it still works\n{self._doing()}"

    def _end(self, number: signal.Signals) -> None:
        os.kill(self.process.pid or 0, number)
        self.process.join(ENDS_WITHIN)

    def _doing(self) -> str:
        """What each thread of the worker is at, and who waits for whom in the database."""
        waiting = self._in_the_database()
        self._end(signal.SIGABRT)  # faulthandler writes the stack of every thread
        return "\n".join([*waiting, self._said()])

    def _in_the_database(self) -> list[str]:
        if self.database.engine.dialect.name != "postgresql":
            return []
        with self.database.reading() as session:
            return [str(tuple(row)) for row in session.execute(BLOCKED)]

    def _said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-8000:]
