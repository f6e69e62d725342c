"""Pages over many examples: what a person waits for at 1,000, 10,000 and 100,000 of them, on both databases.

    python benchmarks/lists.py [--examples 1000,10000,100000] [--database sqlite,postgresql] [--times 40] [--json]

A real server, one session, one request after the other; the median and the 95th part of a hundred of each, in
milliseconds, as the client sees them. A third of the examples are drafts that nobody has begun, a third wait in review,
a third are approved. That a page asks as often for 2 rows as for 20 is a test, not a measurement.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from first_steps import calibration, fsync
from house import house, load, make_drafts, make_people, serving
from sqlalchemy import text, update

from app.db import Database
from app.examples.models import Example, ExampleState

BASE = "/projects/bench"
WORDS = Path(__file__).read_text("utf-8").split()


def requests(size: int) -> dict[str, tuple[str, str]]:
    """Method and path of each page by its name."""
    rare, common = f"Question {size // 2}:", "examples"
    return {
        "list": ("GET", f"{BASE}/examples"),
        "list, drafts of one source": ("GET", f"{BASE}/examples?state=draft&source=wikihow"),
        "list, page 20": ("GET", f"{BASE}/examples?page=20"),
        "search, one hit": ("GET", f"{BASE}/examples?{urlencode({'words': rare})}"),
        "search, many hits": ("GET", f"{BASE}/examples?{urlencode({'words': common})}"),
        "search, no hit": ("GET", f"{BASE}/examples?words=xylophonist"),
        "editor": ("GET", f"{BASE}/examples/{size // 2}"),
        "claim": ("GET", f"{BASE}/examples/{size // 2}/claim"),
        "next": ("POST", f"{BASE}/queue/next"),
        "queue": ("GET", f"{BASE}/queue"),
        "inbox": ("GET", f"{BASE}/inbox"),
        "home": ("GET", f"{BASE}?view=day"),
        "review": ("GET", f"{BASE}/review"),
    }


def fill(database: Database, size: int) -> str:
    """So many examples in the states of a set in the making; the session of one annotator."""
    with database.writing() as session:
        project, people, tokens = make_people(session, 4)
        make_drafts(session, project, people, size, WORDS)
        for rest, state, approved in ((1, ExampleState.REVIEW, None), (2, ExampleState.APPROVED, 1)):
            chosen = update(Example).where(Example.id % 3 == rest)
            session.execute(chosen.values(state=state, approved_number=approved))
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    return tokens[0]


def timed(port: int, token: str, method: str, path: str, times: int) -> tuple[float, float]:
    """Median and 95th part of a hundred, in milliseconds; the first request is not counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": f"handpicked_session={token}", "Sec-Fetch-Site": "same-origin"}
    taken = []
    for _ in range(times + 1):
        started = time.perf_counter()
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        taken.append(1000 * (time.perf_counter() - started))
        if answer.status not in {200, 303}:
            raise SystemExit(f"{method} {path} answered {answer.status}")
    connection.close()
    rest = sorted(taken[1:])
    return round(statistics.median(rest), 1), round(rest[int(0.95 * len(rest))], 1)


def measure(backend: str, size: int, times: int) -> list[dict[str, Any]]:
    """All pages over one house."""
    rows = []
    with house(backend) as settings:
        database = Database(settings)
        token = fill(database, size)
        database.dispose()
        with serving(settings) as (port, _):
            for name, (method, path) in requests(size).items():
                median, slow = timed(port, token, method, path, times)
                row = {"database": backend, "examples": size, "page": name, "p50_ms": median, "p95_ms": slow}
                rows.append({**row, "load": load()})
                print(f"{backend} {size:,} {name}: {median} ms", file=sys.stderr)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", default="1000,10000,100000")
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        row
        for backend in options.database.split(",")
        for size in options.examples.split(",")
        for row in measure(backend, int(size), options.times)
    ]
    machine = {"calibration_seconds": round(calibration(), 3), "fsync_ms": round(fsync(), 3), "cores": os.cpu_count()}
    if options.json:
        print(json.dumps({"rows": rows, **machine}))
        return
    print("| database | examples | page | p50 ms | p95 ms | load |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    print(f"\n{machine['cores']} cores; ten million additions in {machine['calibration_seconds']} s.")


if __name__ == "__main__":
    main()
