"""What takes a moment to be there, made beside the request that asked for it: nobody's page waits for a model.

A request says how long it can wait; if the thing is not there by then, the page says that it is under way.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

# So long a failure is told again without trying anew.
AGAIN_AFTER = 60.0


@dataclass
class Making(Generic[Thing]):
    """One thing that is made at most once at a time, in a thread of its own."""

    make: Callable[[], Thing]
    made: Thing | None = None
    failure: Exception | None = None
    failed_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _under_way: threading.Event | None = None

    def within(self, seconds: float) -> Thing | None:
        """The thing if it is there, or comes in time; None while it is under way. Raises why it could not be made."""
        if self.made is not None:
            return self.made
        self._begin().wait(seconds)
        if self.made is None and self.failure is not None:
            raise self.failure
        return self.made

    def _begin(self) -> threading.Event:
        with self._lock:
            stale = self.failure is not None and time.monotonic() - self.failed_at > AGAIN_AFTER
            if self._under_way is None or stale:
                self.failure, self._under_way = None, threading.Event()
                threading.Thread(target=self._work, args=(self._under_way,), name="making", daemon=True).start()
            return self._under_way

    def _work(self, over: threading.Event) -> None:
        try:
            self.made = self.make()
        except Exception as failure:  # noqa: BLE001 - told to whoever asks, in their own thread
            self.failure, self.failed_at = failure, time.monotonic()
        finally:
            over.set()
