"""Who may go on: requests within a process, and everybody who writes to one SQLite file, in whatever process.

SQLite lets one writer in at a time and keeps no line: who is refused looks again after a while that grows to a tenth
of a second, and a worker that writes batch after batch is back before that. Here a writer stands in a line, and a
worker can see whether anybody does.
"""

import fcntl
import os
import time
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from weakref import WeakKeyDictionary

import anyio

LOOK_EVERY = 0.001


class Turns:
    """Who may go on: as many requests as there are threads, and on SQLite one that writes at a time, in their order.

    A request runs in several threads one after the other, so one that waited for a lock in a thread could hold up the
    very request that has the lock. Here it waits outside, holding nothing.
    """

    def __init__(self, threads: int, *, one_writer: bool) -> None:
        """Nothing is built yet: locks belong to an event loop, and tests have many."""
        self._threads = threads
        self._one_writer = one_writer
        self._lines: WeakKeyDictionary[AbstractEventLoop, tuple[anyio.Lock, anyio.Semaphore]] = WeakKeyDictionary()

    @asynccontextmanager
    async def turn(self, *, writes: bool) -> AsyncIterator[None]:
        """Wait in line, then run the block."""
        loop = get_running_loop()
        if (lines := self._lines.get(loop)) is None:
            # Whoever finds nobody before them goes on at once, without a round of the loop.
            writers = anyio.Lock(fast_acquire=True)
            lines = self._lines[loop] = (writers, anyio.Semaphore(self._threads, fast_acquire=True))
        writers, everybody = lines
        async with writers if writes and self._one_writer else nullcontext(), everybody:
            yield


class Line:
    """The line before a SQLite file: a kernel's lock on an empty file beside it, held by whoever is next.

    Who has it waits for the writer that is inside; the others wait for it. It is a matter of manners: SQLite's own lock
    keeps writers apart, so without the file, or after `seconds`, everything goes on as if there were no line. The
    kernel lets go of a lock when its process dies.
    """

    def __init__(self, database: Path) -> None:
        """Take the path of the database; nothing is opened yet."""
        self.path = database.with_name(f"{database.name}-line")

    @contextmanager
    def next(self, seconds: float) -> Iterator[None]:
        """Be the next one within the block."""
        deadline = time.monotonic() + seconds
        try:
            mine = self._open()
        except OSError:  # a folder that this account may not write to
            yield
            return
        try:
            wait_for(lambda: _locked(mine, fcntl.LOCK_EX), deadline)
            yield
        finally:
            os.close(mine)

    def wanted(self) -> bool:
        """Whether anybody stands in the line: whoever writes a long while lets them in."""
        with suppress(OSError):
            mine = self._open()
            try:
                return not _locked(mine, fcntl.LOCK_SH)
            finally:
                os.close(mine)
        return False

    def _open(self) -> int:
        # Each look has a description of its own: locks are between those, not between processes.
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for(done: Callable[[], bool], deadline: float) -> bool:
    """Look until it is done or the time has come; whether it is done."""
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True
