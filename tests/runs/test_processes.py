"""Children of the worker: what they see, and who is ended."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from app.config import Settings
from app.runs import processes


def test_a72_a_child_sees_no_secret(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HANDPICKED_SECRET", "canary-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://canary")
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", "sqlite:///canary")
    child = processes.start("tests.runs.printer", "; echo $(id)", token="t", settings=settings, output=tmp_path / "out")
    assert child.wait(timeout=30) == 0
    seen = json.loads((tmp_path / "out").read_text())
    assert "canary" not in json.dumps(seen)
    assert {name for name in seen["environment"] if name.startswith("HANDPICKED")} == {processes.TOKEN}
    assert set(seen["environment"]) - {"LC_CTYPE"} <= {*processes.PASSED_ON, *processes.environment("", 1)}
    assert seen["arguments"] == ["; echo $(id)"]  # A70: a list of words, and no shell
    assert seen["session"] == child.pid


def test_nobody_else_s_process_is_ended():
    with subprocess.Popen(["/bin/sleep", "60"], env={processes.TOKEN: "another"}) as other:
        processes.end_all("ours", grace=0)
        assert other.poll() is None
        processes.end_all("another", grace=0)
        assert other.wait(60) == -signal.SIGKILL
