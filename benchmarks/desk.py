"""So many people write at once: a real server, real sessions, and a look into the database at the end.

    python benchmarks/desk.py [--people 8,32] [--database sqlite,postgresql] [--examples 3] [--saves 12] [--json]

Each person, one connection each and no pause for thought: takes the next example, is saved by the desk's autosave as
the text grows, saves a revision, submits; the last example is left in the middle. At the end the database is asked:
the last acknowledged text is there, each save made one revision, and no example was handed to two people. A save is a
request that was acknowledged after it had been committed: an autosave, a revision, a submission. The fsyncs are counted
by strace in a stretch of their own, one person writing, so that the tracing slows no figure.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from first_steps import calibration, fsync
from house import house, load, make_drafts, make_people, serving

from app.config import Settings
from app.db import Database

SLUG = "bench"
WORDS = Path(__file__).read_text("utf-8").split()


@dataclass
class Written:
    """What one person did: their examples with the last acknowledged text, the milliseconds of each save, failures."""

    texts: dict[int, str] = field(default_factory=dict)
    left: int | None = None
    saves: list[float] = field(default_factory=list)
    nexts: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


class Person:
    """A browser without a screen: one connection, one session."""

    def __init__(self, port: int, token: str) -> None:
        """Open the connection with the first request."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {
            "Cookie": f"handpicked_session={token}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.done = Written()

    def post(self, path: str, fields: dict[str, Any], times: list[float]) -> tuple[int, str, bytes]:
        """Status, where it leads, and body of one request; its time is noted."""
        started = time.perf_counter()
        self.connection.request("POST", path, urlencode(fields), self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        times.append(1000 * (time.perf_counter() - started))
        self.done.statuses[answer.status] = self.done.statuses.get(answer.status, 0) + 1
        return answer.status, answer.headers.get("Location", ""), body

    def write(self, examples: int, saves: int) -> Written:
        """Write so many examples; the last is left with what the autosave has kept."""
        for place in range(examples):
            status, where, _ = self.post(f"/projects/{SLUG}/queue/next", {}, self.done.nexts)
            number = int(where.rpartition("/")[2])
            last = place == examples - 1
            if status != 303 or not self._example(number, saves, last=last):
                break
        self.connection.close()
        return self.done

    def _example(self, number: int, saves: int, *, last: bool) -> bool:
        here = f"/projects/{SLUG}/examples/{number}"
        fields = {"split": "train", "source": "wikihow", "language": "en", "flags": "", "based_on": 1, "turn_1": "Why?"}
        counter = 0
        for save in range(1, saves + 1):
            text = " ".join(WORDS[: 8 * save]) + f" {number}"
            keys = {"key": f"form-{number}-key", "copy_key": f"copy-{number}-{save}", "counter": counter}
            status, _, body = self.post(f"{here}/working-copy", {**fields, **keys, "turn_2": text}, self.done.saves)
            if status != 200:
                return False
            counter = json.loads(body)["counter"]
            self.done.texts[number] = text
        if last:
            self.done.left = number
            return True
        return self._finish(here, fields, number)

    def _finish(self, here: str, fields: dict[str, Any], number: int) -> bool:
        text = self.done.texts[number] + " done"
        for act, words in (("save", text), ("submit", text)):
            key = {"key": f"{act}-{number}-key", "act": act, "turn_2": words}
            status, where, _ = self.post(
                here, {**fields, **key, "based_on": 2 if act == "submit" else 1}, self.done.saves
            )
            if status != 303 or not where:
                return False
            self.done.texts[number] = text
        return True


def write_together(port: int, tokens: list[str], examples: int, saves: int) -> list[dict[str, Any]]:
    """Some of the people, a thread each, in this process."""
    done: list[Written] = []
    threads = [
        threading.Thread(target=lambda token=token: done.append(Person(port, token).write(examples, saves)))
        for token in tokens
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [asdict(one) for one in done]


def rush(port: int, tokens: list[str], examples: int, saves: int) -> tuple[list[Written], float]:
    """Everybody writes; what they did, and the seconds it took. Two processes, so that the clients do not wait."""
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        halves = [half for half in (tokens[::2], tokens[1::2]) if half]
        work = [pool.submit(write_together, port, half, examples, saves) for half in halves]
        done = [Written(**one) for future in work for one in future.result()]
    return done, time.perf_counter() - started


def problems(settings: Settings, done: list[Written]) -> list[str]:
    """What the database says against it: lost or doubled words, examples handed to two."""
    from sqlalchemy import func, select

    from app.examples.models import Example, Revision, WorkingCopy

    found = []
    given = [number for one in done for number in one.texts]
    if len(given) != len(set(given)):
        found.append(f"{len(given) - len(set(given))} examples were handed to two people")
    database = Database(settings)
    with database.reading() as session:
        heads = {
            example: (count, messages)
            for example, count, messages in session.execute(
                select(Example.id, Example.revision_number, Revision.messages)
                .join(Revision, (Revision.example_id == Example.id) & (Revision.number == Example.revision_number))
                .where(Example.id.in_(given))
            )
        }
        counted = select(Revision.example_id, func.count()).where(Revision.example_id.in_(given))
        rows = {row[0]: row[1] for row in session.execute(counted.group_by(Revision.example_id))}
        copies = {row[0]: row[1] for row in session.execute(select(WorkingCopy.example_id, WorkingCopy.messages))}
    database.dispose()
    for one in done:
        for number, text in one.texts.items():
            if number == one.left:
                kept = copies.get(number)
                if kept is None or kept[-1]["content"] != text:
                    found.append(f"the copy of example {number} is not what was acknowledged")
                continue
            count, messages = heads[number]
            if messages[-1]["content"] != text:
                found.append(f"example {number} does not say what was acknowledged")
            if rows[number] != count or count != 2:
                found.append(f"example {number} has {rows[number]} revisions instead of 2")
            if number in copies:
                found.append(f"a copy of example {number} is left over")
    return found


def fsyncs(settings: Settings, port: int, process: "subprocess.Popen[bytes]", token: str) -> float | None:
    """Calls of fsync and fdatasync a save, by strace, one person writing; None where there is no strace."""
    if not shutil.which("strace"):
        return None
    with tempfile.NamedTemporaryFile("r") as table:
        watched = [str(process.pid), *_postgres(settings)]
        flags = [flag for pid in watched for flag in ("-p", pid)]
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", table.name, "-e", "trace=fsync,fdatasync", *flags], stderr=subprocess.DEVNULL
        )
        time.sleep(2)  # until it has attached to every thread
        done = Person(port, token).write(2, 30)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
        # A call that another thread interrupts takes two lines; only the first has the bracket.
        calls = sum("fsync(" in line or "fdatasync(" in line for line in Path(table.name).read_text().splitlines())
    return calls / len(done.saves + done.nexts)


def _postgres(settings: Settings) -> list[str]:
    """The processes of the database's server, which does the syncing there."""
    if not settings.database_url:
        return []
    import psutil

    found = [one for one in psutil.process_iter(["name", "cmdline"]) if one.info["name"] == "postgres"]
    mine = settings.database_url.rpartition("host=")[2]
    roots = [one for one in found if any(part and part in mine for part in one.info["cmdline"] or []) or _in(one, mine)]
    return [str(one.pid) for root in roots for one in (root, *root.children(recursive=True))]


def _in(process: Any, url: str) -> bool:
    folder = Path(f"/proc/{process.pid}/cwd").resolve().name
    return folder.startswith("handpicked-pg-") and folder in url


def measure(backend: str, people: int, examples: int, saves: int) -> dict[str, Any]:
    """One row of the table."""
    with house(backend) as settings:
        database = Database(settings)
        with database.writing() as session:
            project, writers, tokens = make_people(session, people + 2)
            make_drafts(session, project, writers, (people + 2) * (examples + 2) + 10, WORDS)
        database.dispose()
        with serving(settings) as (port, process):
            write_together(port, tokens[-2:-1], 1, 3)  # the first request of all imports what it needs
            before = load()
            done, seconds = rush(port, tokens[:-2], examples, saves)
            synced = fsyncs(settings, port, process, tokens[-1])
        wrong = problems(settings, done)
    times = sorted(time for one in done for time in one.saves)
    statuses: dict[int, int] = {}
    for one in done:
        for status, count in one.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return {
        "database": backend,
        "people": people,
        "saves": len(times),
        "saves_a_second": round(len(times) / seconds, 1),
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(times[int(0.95 * len(times))], 1),
        "p99_ms": round(times[int(0.99 * len(times))], 1),
        "next_p95_ms": round(sorted(time for one in done for time in one.nexts)[-1 - people * examples // 20], 1),
        "statuses": statuses,
        "failed_5xx": sum(count for status, count in statuses.items() if status >= 500),
        "fsyncs_a_save": None if synced is None else round(synced, 2),
        "problems": wrong,
        "load": before,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default="8,32")
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--examples", type=int, default=4, help="examples each person writes")
    parser.add_argument("--saves", type=int, default=20, help="autosaves of each example")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        measure(backend, int(people), options.examples, options.saves)
        for backend in options.database.split(",")
        for people in options.people.split(",")
    ]
    machine = {"calibration_seconds": round(calibration(), 3), "fsync_ms": round(fsync(), 3), "cores": os.cpu_count()}
    if options.json:
        print(json.dumps({"rows": rows, **machine}))
    else:
        _print(rows, machine)
    sys.exit(any(row["problems"] or row["failed_5xx"] for row in rows))


def _print(rows: list[dict[str, Any]], machine: dict[str, Any]) -> None:
    names = (
        "database",
        "people",
        "saves_a_second",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "failed_5xx",
        "fsyncs_a_save",
        "load",
    )
    print(f"| {' | '.join(name.replace('_', ' ') for name in names)} | lost, doubled, shared |")
    print(f"|{' --- |' * (len(names) + 1)}")
    for row in rows:
        cells = " | ".join("not counted" if row[name] is None else str(row[name]) for name in names)
        print(f"| {cells} | {'; '.join(row['problems']) or 'none'} |")
    print(
        f"\n{machine['cores']} cores; ten million additions in {machine['calibration_seconds']} s, "
        f"an fsync in {machine['fsync_ms']} ms."
    )


if __name__ == "__main__":
    main()
