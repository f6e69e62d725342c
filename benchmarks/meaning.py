"""The pool searched by meaning: what a person waits for at 10,000 and 100,000 candidates, on both databases.

    python benchmarks/meaning.py [--candidates 10000,100000] [--database sqlite,postgresql] [--times 60] [--json]

Candidates are of some 1,200 characters and ask about one of forty things; their vectors are drawn round those of the
forty, from far to near, and kept as a worker keeps them. What is searched for is really encoded, each time another
sentence. "in process" is the search alone, from the sentence to the numbers of one page; "typed" is the list as it
changes while somebody types, "api" the same as JSON, "page" the whole page: a real server, one session, one request
after the other, in milliseconds as the client sees them. "cold" is the first answer that has everything, from a
server that has loaded nothing: until then words answer. A search that is narrowed asks for what one in forty has.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from first_steps import calibration
from house import BATCH, come_to_rest, house, load, make_candidates, make_people, serving
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts.models import Scope
from app.db import Database
from app.embeddings.encoder import load_encoder
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.vectors import text_hash
from app.projects.models import Project
from app.selection.queries import By, PoolFilter
from app.selection.search.finding import find, page_of
from app.selection.searching import index_all
from app.sources.bulk import insert_ignoring
from app.sources.models import Candidate, CandidateStatus

LONGEST = 120.0
# So many first answers are not counted: statements are compiled and templates read.
WARMING = 5
# What is asked about, and how.
THINGS = (
    "bread", "a bicycle", "the stars", "tax", "a violin", "whales", "concrete", "chess", "a fever", "volcanoes",
    "linen", "a lawn", "coffee", "the tides", "a contract", "bees", "photography", "glass", "a marathon", "yeast",
    "batteries", "a poem", "mushrooms", "the moon", "a sailing boat", "rust", "grammar", "a greenhouse", "snow",
    "an orchestra", "electric cars", "cheese", "a museum", "spiders", "statistics", "a kettle", "roses", "bridges",
    "dreams", "a passport",
)  # fmt: skip
ASKED = ("how does one look after {}", "why does {} change over the years", "what should a beginner know about {}")
FILLING = "it is told by those who have tried for many years that one part in three goes wrong at first "


def question(number: int) -> str:
    """The so-manieth sentence to search for, each another one."""
    thing = THINGS[number % len(THINGS)]
    return f"{ASKED[number // len(THINGS) % len(ASKED)].format(thing)}, {number % 97} ways to begin"


def fill(database: Database, size: int) -> dict[str, str]:
    """A pool of so many open candidates with vectors; one annotator's headers for pages and for the API."""
    with database.writing() as session:
        project, people, sessions = make_people(session, 1)
        _, token = accounts.create_api_token(
            session, people[0], name="bench", scope=Scope.READ, project_id=None, days=None
        )
        for _ in make_candidates(session, project, size, _candidate):
            pass
        keep_vectors(session, project.id)
        index_all(session, project.id)
    come_to_rest(database)
    return {"Cookie": f"handpicked_session={sessions[0]}", "Authorization": f"Bearer {token}"}


def _candidate(number: int) -> dict[str, Any]:
    thing = THINGS[number % len(THINGS)]
    title = f"Question {number}: what about {thing}?"
    answer = f"About {thing}: " + FILLING * 13
    return {
        "site": f"site{number // len(THINGS) % 40}.example.org", "source": "stackexchange_other", "title": title,
        "score": number % 50, "published": True, "status": CandidateStatus.OPEN, "content_hash": f"{number:064x}",
        "length": len(answer),
        "messages": [{"role": "user", "content": title}, {"role": "assistant", "content": answer}],
    }  # fmt: skip


def keep_vectors(session: Session, project_id: int) -> None:
    """What a worker makes of every candidate, with vectors drawn round what each is about."""
    encoder = load_encoder(light=True)
    centres = encoder.encode([f"what about {thing}?" for thing in THINGS])
    draw = np.random.default_rng(7)
    rows = session.execute(select(Candidate.id, Candidate.title).order_by(Candidate.id)).all()
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        about = centres[[number % len(THINGS) for number in range(start + 1, start + 1 + len(part))]]
        near = draw.uniform(0, 0.95, size=(len(part), 1))  # from far to what says nearly the same
        noise = draw.normal(size=about.shape)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        vectors = near * about + np.sqrt(1 - near**2) * noise
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f4")
        hashes = [text_hash(row.title) for row in part]
        session.execute(
            insert_ignoring(session, Embedding),
            [
                {"model": encoder.key, "text_hash": one, "vector": vector.tobytes()}
                for one, vector in zip(hashes, vectors, strict=True)
            ],
        )
        session.execute(
            insert(CandidateText),
            [
                {"candidate_id": row.id, "project_id": project_id, "model": encoder.key, "prompt_hash": one}
                for row, one in zip(part, hashes, strict=True)
            ],
        )


class Client:
    """One session of one person."""

    def __init__(self, port: int, known_by: dict[str, str]) -> None:
        """Connect once."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.known_by = known_by

    def ask(self, what: str, wanted: dict[str, Any]) -> tuple[float, str]:
        """Milliseconds and the answer."""
        path = "/api/v1/projects/bench/candidates" if what == "api" else "/projects/bench/pool"
        name = "Authorization" if what == "api" else "Cookie"
        headers = {name: self.known_by[name]} | ({"HX-Target": "div#found"} if what == "typed" else {})
        started = time.perf_counter()
        self.connection.request("GET", f"{path}?{urlencode(wanted)}", headers=headers)
        answer = self.connection.getresponse()
        words = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return 1000 * (time.perf_counter() - started), words


SEARCHES: dict[str, dict[str, Any]] = {
    "meaning": {"by": "meaning"},
    "both": {"by": "both"},
    "narrowed": {"by": "meaning", "site": "site3.example.org"},
    "more like": {"by": "meaning", "like": 11},
}
# Each kind of answer with the searches that are asked of it.
ANSWERS = (("in process", "meaning"), ("in process", "narrowed"), *(("typed", name) for name in SEARCHES),
           ("api", "meaning"), ("page", "meaning"))  # fmt: skip


def measure(backend: str, size: int, times: int) -> Iterator[dict[str, Any]]:
    """In process and over a server, over one house."""
    with house(backend) as settings:
        database = Database(settings)
        known_by = fill(database, size)
        for what, search in ANSWERS[:2]:
            yield row(backend, size, what, search, *in_process(database, SEARCHES[search], times))
        database.dispose()
        with serving(settings) as (port, process):
            client, server = Client(port, known_by), psutil.Process(process.pid)
            cold = first_whole_answer(client)
            for what, search in ANSWERS[2:]:
                before = sum(server.cpu_times()[:2])
                taken = [
                    client.ask(what, SEARCHES[search] | {"words": question(one)})[0] for one in range(1, times + 1)
                ]
                spent = 1000 * (sum(server.cpu_times()[:2]) - before) / times
                yield row(backend, size, what, search, taken, spent) | {"cold_ms": round(cold)}


def in_process(database: Database, wanted: dict[str, Any], times: int) -> tuple[list[float], float]:
    """Milliseconds of each search, and those of the processor for one; the first few are not counted."""
    taken, asked = [], {**wanted, "by": By(wanted["by"])}
    with database.reading() as session:
        project_id = session.scalars(select(Project.id).where(Project.slug == "bench")).one()
    for number in range(WARMING + times):
        if number == WARMING:
            begun = time.process_time()
        with database.reading() as session:
            started = time.perf_counter()
            page_of(session, find(session, project_id, PoolFilter(words=question(number), **asked), LONGEST), 1)
            taken.append(1000 * (time.perf_counter() - started))
    return taken[WARMING:], 1000 * (time.process_time() - begun) / times


def row(backend: str, size: int, what: str, search: str, taken: list[float], spent: float) -> dict[str, Any]:
    """One row of the table."""
    rest = sorted(taken)
    found = {
        "database": backend, "candidates": size, "what": what, "search": search,
        "p50_ms": round(statistics.median(rest), 1), "p95_ms": round(rest[int(0.95 * len(rest))], 1),
        "cpu_ms": round(spent, 1), "cold_ms": "", "load": load(),
    }  # fmt: skip
    print(f"{backend} {size:,} {what}, {search}: {found['p50_ms']} ms, cpu {found['cpu_ms']} ms", file=sys.stderr)
    return found


def first_whole_answer(client: Client) -> float:
    """Milliseconds until meaning answers, asking again as the page does."""
    started = time.perf_counter()
    while time.perf_counter() - started < LONGEST:
        if "in a moment" not in client.ask("typed", {"words": question(0)})[1]:
            return 1000 * (time.perf_counter() - started)
        time.sleep(0.1)
    raise SystemExit(f"meaning was still under way after {LONGEST:.0f} s")


def main() -> None:
    """Measure each size on each database, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", default="10000,100000")
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        found
        for backend in options.database.split(",")
        for size in options.candidates.split(",")
        for found in measure(backend, int(size), options.times)
    ]
    if options.json:
        print(json.dumps({"rows": rows, "calibration_seconds": round(calibration(), 3), "cores": os.cpu_count()}))
        return
    print(f"| {' | '.join(name.replace('_', ' ') for name in rows[0])} |\n|{' --- |' * len(rows[0])}")
    for found in rows:
        print(f"| {' | '.join(str(value) for value in found.values())} |")
    print(f"\n{os.cpu_count()} cores; ten million additions in {calibration():.3f} s.")


if __name__ == "__main__":
    main()
