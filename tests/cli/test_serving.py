"""`handpicked serve` as a process: it serves, keeps a worker alive, and takes it along when it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest


@pytest.fixture
def served(settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "HANDPICKED_DATABASE_URL": settings.url,
        "HANDPICKED_DATA_DIR": str(settings.data_dir),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield psutil.Process(process.pid), process, f"http://127.0.0.1:{port}"
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def _wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def _answers(address):
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def test_serve_prints_the_set_up_link_and_takes_its_worker_along(served, handpicked):
    watched, process, address = served
    assert process.stdout.readline().strip() == f"Handpicked is at {address}"
    assert re.search(rf"{address}/invitations/[\w-]{{40,}}$", process.stdout.readline().strip())
    _wait_until(lambda: _answers(address))
    worker = _wait_until(watched.children)[0]
    assert handpicked("invite", "--role", "reviewer").stdout.startswith(f"{address}/invitations/")
    process.terminate()
    assert process.wait(120) == 0
    _wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    assert handpicked("invite", "--role", "reviewer").stdout.startswith("http://127.0.0.1:8000/invitations/")


def test_a_worker_that_was_killed_is_started_again(served):
    watched, _, address = served
    _wait_until(lambda: _answers(address))
    first = _wait_until(watched.children)[0]
    os.kill(first.pid, signal.SIGKILL)
    _wait_until(lambda: any(child.pid != first.pid and child.is_running() for child in watched.children()))


def test_a_worker_ends_when_its_server_was_killed(served):
    watched, process, address = served
    _wait_until(lambda: _answers(address))
    worker = _wait_until(watched.children)[0]
    process.kill()
    _wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def _refused(settings, *words):
    environment = {**os.environ, "HANDPICKED_DATABASE_URL": settings.url, "HANDPICKED_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "app.cli", "serve", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_port_that_is_taken_is_refused_in_one_sentence_before_anything_is_said(settings):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = _refused(settings, "--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"handpicked: Port {port} is taken on this machine; choose another with --port.\n"


def test_an_address_of_another_machine_is_refused(settings):
    ended = _refused(settings, "--host", "192.0.2.1", "--port", "8000")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "handpicked: This machine cannot listen on 192.0.2.1, port 8000; choose an address of its own with --host.\n"
    )


@pytest.mark.parametrize("port", ["0", "99999"])
def test_a_number_that_is_no_port_is_wrong_usage(settings, port):
    ended = _refused(settings, "--port", port)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--port" in ended.stderr
