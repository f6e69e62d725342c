"""Child processes of a run: started apart from the worker, found again by their token, ended to the last one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from app.config import ROOT, Settings

TOKEN = "HANDPICKED_RUN_TOKEN"  # noqa: S105 - the name of a variable
# What a trainer may see of the server's environment: no secrets, no database.
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
    "VIRTUAL_ENV", "SYSTEMROOT",
)  # fmt: skip


def environment(token: str, threads: int) -> dict[str, str]:
    """The child's whole environment; `threads` 0 means all cores."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    cores = str(threads or len(os.sched_getaffinity(0)))
    return {
        **passed,
        TOKEN: token,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": cores,
        # glibc giving big blocks back makes every first touch slow again; measured at several seconds a step.
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "-1",
    }


def start(module: str, *arguments: str, token: str, settings: Settings, output: Path) -> "subprocess.Popen[bytes]":
    """Start `python -m module arguments…` in a session of its own, its words appended to a file by the system.

    It outlives the worker: no pipe, no shared session, no signal that reaches both.
    """
    with output.open("ab") as stream:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment(token, settings.threads),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    _step_back(child.pid, settings.niceness)
    return child


_LEFT: list["subprocess.Popen[bytes]"] = []


def leave(child: "subprocess.Popen[bytes]") -> None:
    """Let a child go on without its supervisor; held on to, so that it is reaped here should it end first."""
    _LEFT[:] = [one for one in (*_LEFT, child) if one.poll() is None]


def _step_back(pid: int, niceness: int) -> None:
    """Let the web app go first; done from outside, since code between fork and exec is unsafe beside threads."""
    if niceness:
        try:
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
        except OSError:  # it has ended already, or the system does not allow it: neither matters
            return


def bearing(token: str) -> Iterator[psutil.Process]:
    """Every living process that carries the token."""
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(TOKEN) == token:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def end_all(token: str, grace: float) -> None:
    """Ask every process of the token to end, wait, then end what is left by force until nothing is left."""
    asked = list(bearing(token))
    _signal(asked, signal.SIGTERM if grace else signal.SIGKILL)
    deadline = time.monotonic() + grace
    while asked and time.monotonic() < deadline:
        time.sleep(0.1)
        asked = list(bearing(token))
    while left := list(bearing(token)):
        _signal(left, signal.SIGKILL)
        time.sleep(0.05)  # psutil could wait, but would take our own children's exit codes away


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
