"""`handpicked serve` as people start it: a process of its own, with its worker, on a free port."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
from sqlalchemy.engine import make_url

from app.db import sqlite_module

ROOT = Path(__file__).resolve().parent.parent.parent
SET_UP = re.compile(r"once: (\S+/invitations/\S+)")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Site:
    """A server with its worker; `address` is where it answers, `set_up_link` what it printed without an admin."""

    data_dir: Path
    database_url: str
    address: str = ""
    set_up_link: str = ""
    said: list[str] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None
    listener: threading.Thread | None = None

    @property
    def last_words(self) -> str:
        """The end of what the server printed."""
        return "".join(self.said[-30:])

    def environment(self) -> dict[str, str]:
        """What the server, its worker and commands beside it run with."""
        own = {
            "HANDPICKED_DATA_DIR": str(self.data_dir),
            "HANDPICKED_DATABASE_URL": self.database_url,
            "HANDPICKED_POLL_SECONDS": "0.25",
            "HANDPICKED_NICENESS": "0",
            "HF_HUB_OFFLINE": "1",
        }
        return {**os.environ, **own}

    def start(self, port: int = 0) -> None:
        """Start it, on a port that a killed one had or a free one, and wait until it answers."""
        port = port or free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            cwd=ROOT,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.listener = threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True)
        self.listener.start()
        self._wait()

    def _listen(self, lines: "IO[str]") -> None:
        for line in lines:
            self.said.append(line)
            if found := SET_UP.search(line):
                self.set_up_link = found.group(1)

    def _wait(self, seconds: float = 150) -> None:
        assert self.process
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"The server did not come up: {''.join(self.said)}")

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`handpicked …` on the same data, as from a terminal."""
        line = [sys.executable, "-m", "app.cli", *words]
        return subprocess.run(line, cwd=ROOT, env=self.environment(), text=True, capture_output=True, check=False)

    def kill(self) -> int:
        """Kill -9 of the server and its worker, as a power cut would; returns the port, to come back on."""
        assert self.process
        assert self.listener
        first = psutil.Process(self.process.pid)
        for one in (first, *first.children(recursive=True)):
            one.kill()
        self.process.wait(60)
        self.listener.join(60)
        assert self.process.stdout
        self.process.stdout.close()
        return int(self.address.rsplit(":", 1)[1])

    def stop(self) -> None:
        """End the server gently, and by force whatever it leaves behind."""
        assert self.process
        family = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)
        for left in family:
            if left.is_running():
                left.kill()
        if self.process.stdout:
            self.process.stdout.close()


class Lent:
    """One server that many tests have, one after the other: each finds it as if it had only just been started."""

    def __init__(self, template: str, folder: Path) -> None:
        """Start nothing yet; `template` is the URL of a migrated, empty SQLite database."""
        self._template = str(make_url(template).database)
        self._file = folder / "handpicked.sqlite3"
        self._site = Site(folder / "data", f"sqlite:///{self._file}")

    def emptied(self) -> Site:
        """The server, with nothing in its database and its folder; started again where it is dead or still works."""
        if self._site.process and not self._is_idle():
            self.stop()
        if self._site.data_dir.exists():
            shutil.rmtree(self._site.data_dir)
        self._site.data_dir.mkdir()
        sqlite = sqlite_module()
        with closing(sqlite.connect(self._template)) as empty, closing(sqlite.connect(self._file, timeout=30)) as used:
            empty.backup(used)  # also in the connections that the server has open
        self._site.said.clear()
        if not self._site.process:
            self._site.start()
        return self._site

    def _is_idle(self) -> bool:
        # A worker in the midst of a job would write what it found into the next test's database.
        assert self._site.process
        if self._site.process.poll() is not None:
            return False
        with closing(sqlite_module().connect(self._file, timeout=30)) as used:
            used.execute("UPDATE job SET state = 'cancelled' WHERE state = 'queued'")
            used.commit()
            return not used.execute("SELECT count(*) FROM job WHERE state = 'running'").fetchone()[0]

    def stop(self) -> None:
        """End the server, if it lives."""
        if self._site.process:
            self._site.stop()
            self._site.process = None
