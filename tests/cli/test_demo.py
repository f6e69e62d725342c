"""The whole path on the bundled sample, unattended, as a stranger would start it."""

import os
import re
import shutil
import subprocess
import sys

import pytest

# Fails the process that opens a connection or listens; a pair of its own ends is no socket to anybody.
WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.listen"):
        sys.stderr.write(f"{event} {arguments}\\n")
        raise SystemExit(99)
sys.addaudithook(watch)
sys.argv = ["handpicked", "demo"]
from app.cli import main
main()
"""


def _demo(settings, *, network: bool) -> str:
    environment = {**os.environ, "HANDPICKED_DATA_DIR": str(settings.data_dir), "HF_HUB_OFFLINE": "1"}
    environment.pop("HANDPICKED_DATABASE_URL", None)
    command = [sys.executable, "-c", WATCHED]
    if not network:
        command = ["unshare", "--net", *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _cannot_unshare() -> bool:
    return not shutil.which("unshare") or subprocess.run(["unshare", "--net", "true"], check=False).returncode != 0


def _losses(said: str) -> str:
    found = re.search(r"loss [\d.]+ at the first step, [\d.]+ at the last", said)
    assert found
    return found.group()


def test_the_demo_says_what_it_did_and_ends_with_the_version_and_its_hash(settings, backend):
    if backend != "sqlite":
        pytest.skip("the demo makes its own SQLite database")
    said = _demo(settings, network=True)
    *_, reference, digest = said.strip().splitlines()
    assert reference == "demo@v1"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    for word in ("imported", "dropped", "matched", "approved", "frozen", "verified", "trained", "answered"):
        assert word in said
    first, last = map(float, re.findall(r"[\d]+\.[\d]{4}", _losses(said)))
    assert last < first


@pytest.mark.long
def test_the_demo_repeats_itself_without_a_network(settings, backend):
    if backend != "sqlite":
        pytest.skip("the demo makes its own SQLite database")
    if _cannot_unshare():
        pytest.skip("needs the right to make a network namespace")
    first, second = (_demo(settings, network=False) for _ in range(2))
    assert first.strip().splitlines()[-2:] == second.strip().splitlines()[-2:]
    assert _losses(first) == _losses(second)
    assert second.count("0 new") == 2
