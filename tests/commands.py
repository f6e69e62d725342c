"""`handpicked …` as a shell would run it, but in this process: a new one takes a second and more to load everything."""

import subprocess
import sys

import pytest

from app import cli


class Shell:
    """Runs commands and gives their exit code, their output and their errors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **environment: str) -> None:
        """Commands see what this process sees, and `environment`."""
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.set(**environment)

    def set(self, **environment: str) -> None:
        """DATA_DIR="…" is the HANDPICKED_DATA_DIR of the commands from now on, until the test ends."""
        for name, value in environment.items():
            self._monkeypatch.setenv(f"HANDPICKED_{name}", value)

    def __call__(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run one command."""
        argv = ["handpicked", *map(str, words)]
        self._capsys.readouterr()  # what the test said before is not the command's
        self._monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capsys.readouterr()
        return subprocess.CompletedProcess(argv, int(ended.value.code or 0), said.out, said.err)
