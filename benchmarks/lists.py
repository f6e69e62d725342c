"""Pages over many examples: what a person waits for at 1,000, 10,000 and 100,000 of them, on both databases.

    python benchmarks/lists.py [--examples 1000,10000,100000] [--database sqlite,postgresql] [--times 40] [--json]

A real server, one session, one request after the other; the median and the 95th part of a hundred of each, in
milliseconds, as the client sees them, and the processor time that the server's process spent on one, which a busy
machine changes less (PostgreSQL's own is not in it). A third of the examples are drafts that nobody has begun, a third
wait in review, a third are approved. That a page asks as often for 2 rows as for 20 is a test, not a measurement.
"""

import http.client
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from house import come_to_rest, house, load, make_drafts, make_people, pair, serving, tell
from sqlalchemy import update

from app.db import Database
from app.examples.models import Example, ExampleState
from app.text.search import words_of

BASE = "/projects/bench"
NARROW = {"state": "draft", "source": "wikihow"}
WORDS = Path(__file__).read_text("utf-8").split()


def requests(size: int) -> dict[str, tuple[str, str]]:
    """Method and path of each page by its name."""
    rare, common, phrase = f"Question {size // 2}:", "examples", '"each a third" -nothing'
    many = f'"{" ".join(words_of(pair(1, WORDS)[1]["content"])[:2])}"'
    return {
        "list": ("GET", f"{BASE}/examples"),
        "list, drafts of one source": ("GET", f"{BASE}/examples?state=draft&source=wikihow"),
        "list, page 20": ("GET", f"{BASE}/examples?page=20"),
        "search, one hit": ("GET", f"{BASE}/examples?{urlencode({'words': rare})}"),
        "search, many hits": ("GET", f"{BASE}/examples?{urlencode({'words': common})}"),
        "search, no hit": ("GET", f"{BASE}/examples?words=none{size}"),
        "search, a phrase": ("GET", f"{BASE}/examples?{urlencode({'words': phrase})}"),
        "search, a phrase of many": ("GET", f"{BASE}/examples?{urlencode({'words': many})}"),
        "search, drafts of one source": ("GET", f"{BASE}/examples?{urlencode({'words': common, **NARROW})}"),
        "list, one's own": ("GET", f"{BASE}/examples?whose=mine"),
        "list, in another language": ("GET", f"{BASE}/examples?language=de"),
        "editor": ("GET", f"{BASE}/examples/{size // 2}"),
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
    come_to_rest(database)
    return tokens[0]


def processor_ms(process: "subprocess.Popen[bytes]") -> float:
    """How long that process has run on a processor, all its threads together."""
    fields = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
        with serving(settings) as (port, server):
            for name, (method, path) in requests(size).items():
                before = processor_ms(server)
                median, slow = timed(port, token, method, path, times)
                spent = round((processor_ms(server) - before) / (times + 1), 1)
                row = {"database": backend, "examples": size, "page": name, "p50_ms": median, "p95_ms": slow}
                rows.append({**row, "processor_ms": spent, "load": load()})
                print(f"{backend} {size:,} {name}: {median} ms", file=sys.stderr)
    return rows


if __name__ == "__main__":
    tell(__doc__, measure, examples="1000,10000,100000", times=40)
