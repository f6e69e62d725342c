"""How much memory a piece of work took at most, where the system can tell it from what the process took before."""

import ctypes
import gc
import resource
from contextlib import suppress
from pathlib import Path

_FORGET = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class Peak:
    """The most resident memory from here on, and by how much it grew.

    Where that cannot be told, `own` is False: the peak is the process's own since it began, and its growth is unknown.
    """

    def __init__(self) -> None:
        """Have the kernel start its high-water mark anew (Linux; proc(5), clear_refs, 5)."""
        _give_back()
        try:
            _FORGET.write_text("5")
            self._before = _kb("VmRSS:")
            self.own = bool(_kb("VmHWM:"))
        except OSError:
            self.own = False

    def mb(self) -> float:
        """The peak so far, in MB of 1024 kB."""
        kb = _kb("VmHWM:") if self.own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return round(kb / 1024, 1)

    def grown_mb(self) -> float | None:
        """By how much the peak is above what the process held when it began."""
        return round(max(0, _kb("VmHWM:") - self._before) / 1024, 1) if self.own else None

    def document(self) -> dict[str, float | bool | None]:
        """The peak as results say it."""
        return {"peak_rss_mb": self.mb(), **({"grown_mb": self.grown_mb()} if self.own else {"peak_of_process": True})}


def _kb(name: str) -> int:
    """A number of the process's status, 0 where the system has none."""
    lines = (line.split() for line in _STATUS.read_text().splitlines())
    return next((int(line[1]) for line in lines if line[0] == name), 0)


def _give_back() -> None:
    """Hand what earlier work freed back to the system: filling it again would be no growth."""
    gc.collect()
    with suppress(OSError, AttributeError):  # only the GNU C library keeps it
        ctypes.CDLL(None).malloc_trim(0)
