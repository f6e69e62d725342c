"""Measures what other people wait while one person's import or hostile upload runs, on a real server with its worker.

    python benchmarks/others.py [--rows 200000] [--people 4] [--seconds 20] [--database URL] [--json]

A few people read lists and save examples over HTTP, pausing as people do, on an idle server; then while a worker
imports a large file of rows; then while somebody sends a form of ten thousand parts, a form field of a gigabyte and
endless headers of a part. For each the middle and the 95th percentile in milliseconds, and how many times those of the
idle server. Everything lies in a temporary folder. Beside it a calibration loop and an fsync, to tell machines apart.
"""

import argparse
import http.client
import importlib
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from first_steps import calibration, free_port, fsync

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# A module of that name cannot be imported by a statement.
write_rows = importlib.import_module("import").write_rows

PAUSE = (0.05, 0.25)
EXAMPLES = 200
BOUNDARY = "x"
WORDS = "A sentence of the kind that people write at this desk. " * 40


@dataclass
class House:
    """A server with its worker in a folder of its own, and how to speak to it."""

    folder: Path
    port: int
    environment: dict[str, str]
    token: str = ""
    slug: str = "desk"

    def command(self, *words: str) -> str:
        """Run `handpicked …` and give what it prints."""
        command = [sys.executable, "-m", "app.cli", *words]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def connection(self) -> http.client.HTTPConnection:
        """A connection of one person's."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
        """One request to the API; its answer as JSON. Raises SystemExit for a refusal: then nothing is measured."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} was answered by {answer.status}: {text[:300]!r}")
        return json.loads(text)


@contextmanager
def serving(folder: Path, database: str) -> Iterator[House]:
    """A house with a lead, a project and its examples, served until the end of the block."""
    port = free_port()
    environment = {
        **os.environ,
        "HANDPICKED_DATA_DIR": str(folder / "data"),
        "HANDPICKED_DATABASE_URL": database,
        "HANDPICKED_IMPORT_FOLDERS": str(folder),
    }
    house = House(folder, port, environment)
    house.command("user", "create", "lead@example.org", "--role", "admin")
    house.command("project", "create", house.slug, "--as", "lead@example.org")
    house.token = house.command("token", "create", "bench", "--scope", "admin", "--as", "lead@example.org").strip()
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            env=environment, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait(house)
            yield house
        finally:
            server.terminate()
            server.wait()


def _wait(house: House) -> None:
    for _ in range(1200):
        try:
            connection = house.connection()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            connection.close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not answer within two minutes")


def _messages(number: int) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"Question {number}: {WORDS[:200]}"},
        {"role": "assistant", "content": f"{number} {WORDS}"},
    ]


@dataclass
class Times:
    """Seconds of each kind of request, while they count."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"list": [], "read": [], "save": []})

    def take(self, kind: str, work: Callable[[], Any]) -> Any:
        """Do it and note how long it took."""
        started = time.perf_counter()
        found = work()
        self.seconds[kind].append(time.perf_counter() - started)
        return found

    def summary(self) -> dict[str, dict[str, float]]:
        """Middle, 95th percentile and greatest in milliseconds, by kind, and of all."""
        return {
            kind: {"requests": len(all_), **{name: round(1000 * one, 1) for name, one in _spread(all_).items()}}
            for kind, all_ in {**self.seconds, "all": [one for some in self.seconds.values() for one in some]}.items()
        }


def _spread(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 20:
        raise SystemExit("too few requests were answered to speak of a 95th percentile; give more --seconds or --rows")
    return {"p50": statistics.median(seconds), "p95": statistics.quantiles(seconds, n=20)[-1], "max": max(seconds)}


def person(house: House, number: int, times: Times, over: threading.Event) -> None:
    """Read a list, open an example, save it, and think, again and again until it is over."""
    chance, connection = random.Random(number), house.connection()  # noqa: S311 - pauses that can be repeated
    mine = house.ask(
        connection, "POST", f"/projects/{house.slug}/examples", {"source": "authors", "messages": _messages(number)}
    )
    path, revision = f"/projects/{house.slug}/examples/{mine['id']}", 1
    while not over.is_set():
        page = chance.randint(1, 3)
        times.take("list", lambda at=page: house.ask(connection, "GET", f"/projects/{house.slug}/examples?page={at}"))
        times.take("read", lambda: house.ask(connection, "GET", path))
        body = {"based_on": revision, "messages": _messages(revision)}
        revision = times.take("save", lambda words=body: house.ask(connection, "POST", f"{path}/revisions", words))[
            "number"
        ]
        over.wait(chance.uniform(*PAUSE))
    connection.close()


def measured(house: House, people: int, during: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
    """What the people wait while `during` goes on, and what that gives."""
    times, over = [Times() for _ in range(people)], threading.Event()
    threads = [
        threading.Thread(target=person, args=(house, number, one, over), daemon=True)
        for number, one in enumerate(times)
    ]
    for thread in threads:
        thread.start()
    found = during()
    over.set()
    for thread in threads:
        thread.join()
    total = Times()
    for one in times:
        for kind, seconds in one.seconds.items():
            total.seconds[kind] += seconds
    return total.summary(), found


def importing(house: House, path: Path) -> dict[str, Any]:
    """Have the worker import a file, and wait until it has."""
    connection = house.connection()
    fields = {"path": str(path), "rules": "none", "name": f"Rows {time.time():.0f}"}
    body = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    headers = {"Authorization": f"Bearer {house.token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request("POST", f"/api/v1/projects/{house.slug}/imports", f"{body}--{BOUNDARY}--\r\n".encode(), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 201:
        raise SystemExit(f"the import did not begin: {text[:300]!r}")
    begun = json.loads(text)
    while True:
        run = house.ask(connection, "GET", f"/projects/{house.slug}/imports/{begun['id']}")
        if run["state"] not in {"waiting", "running"}:
            break
        time.sleep(0.5)
    while any(job["state"] in {"queued", "running"} for job in _jobs(house, connection)):
        time.sleep(0.5)  # making the pool searchable belongs to it
    if run["state"] != "published":
        raise SystemExit(f"the import ended as {run['state']}: {run['error']}")
    return {key: run["result"][key] for key in ("records", "created", "seconds")}


def _jobs(house: House, connection: http.client.HTTPConnection) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = house.ask(connection, "GET", f"/projects/{house.slug}/jobs")
    return jobs


def hostile(house: House, seconds: float) -> dict[str, int]:
    """Send forms that no browser sends, one after the other, for so long; how each was answered."""
    answers: dict[str, int] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, send in {"parts": _parts, "field": _field, "headers": _headers}.items():
            answers[name] = _answered(house, send)
    return answers


def _answered(house: House, body: Callable[[], Iterator[bytes]]) -> int:
    """The status that a form is answered by; 0 where the server closed before it had all."""
    connection = house.connection()
    headers = {"Authorization": f"Bearer {house.token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    try:
        connection.request("POST", f"/api/v1/projects/{house.slug}/imports", body(), headers, encode_chunked=True)
        return connection.getresponse().status
    except OSError:
        try:
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
    finally:
        connection.close()


def _parts() -> Iterator[bytes]:
    for number in range(10_000):
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f{number}"\r\n\r\nx\r\n'.encode()


def _field() -> Iterator[bytes]:
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"\r\n\r\n'.encode()
    for _ in range(1000):
        yield b"y" * 1_000_000


def _headers() -> Iterator[bytes]:
    yield f"--{BOUNDARY}\r\n".encode()
    for number in range(1000):
        yield b"X-A%d: " % number + b"y" * 100_000 + b"\r\n"


def measure(folder: Path, rows: int, people: int, seconds: float, database: str) -> dict[str, Any]:
    """All of it, in one run."""
    path = write_rows(folder / "rows.jsonl", rows)
    with serving(folder, database) as house:
        connection = house.connection()
        for number in range(EXAMPLES):
            body = {"source": "authors", "messages": _messages(number)}
            house.ask(connection, "POST", f"/projects/{house.slug}/examples", body)
        connection.close()
        idle, _ = measured(house, people, lambda: time.sleep(seconds))
        during, imported = measured(house, people, lambda: importing(house, path))
        attacked, answers = measured(house, people, lambda: hostile(house, seconds))
        after, _ = measured(house, people, lambda: time.sleep(seconds))
    return {
        "people": people,
        "idle": idle,
        "importing": during,
        "hostile": attacked,
        "idle_again": after,
        "import": imported,
        "answers": answers,
        "times_idle": {
            name: round(found["all"]["p95"] / idle["all"]["p95"], 2)
            for name, found in {"importing": during, "hostile": attacked, "idle_again": after}.items()
        },
        "database": database.partition(":")[0] or "sqlite",
        "calibration_seconds": calibration(),
        "fsync_ms": fsync(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    names = {"idle": "idle", "importing": "an import", "hostile": "hostile forms", "idle_again": "idle again"}
    lines = ["| while | request | times | p50 ms | p95 ms | max ms | p95 of idle |", "| --- | --- |" + " ---: |" * 5]
    for key, words in names.items():
        for kind, one in found[key].items():
            ratio = one["p95"] / found["idle"][kind]["p95"]
            lines.append(
                f"| {words} | {kind} | {one['requests']:,} | {one['p50']:.1f} | {one['p95']:.1f} | {one['max']:.1f} "
                f"| {ratio:.2f} |"
            )
    imported = found["import"]
    lines.append(
        f"\n{found['people']} people, {found['database']}; the import took {imported['seconds']:.1f} s for "
        f"{imported['records']:,} rows; the forms were answered by {found['answers']}.\n{found['system']}, "
        f"{found['cores']} cores, Python {found['python']}; ten million additions in "
        f"{found['calibration_seconds']:.3f} s, an fsync in {found['fsync_ms']:.3f} ms."
    )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--database", default="", help="URL of an empty database; SQLite if it is left out.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="handpicked-others-") as folder:
        found = measure(Path(folder), options.rows, options.people, options.seconds, options.database)
    print(json.dumps(found) if options.json else table(found))


if __name__ == "__main__":
    main()
