"""Colleagues' work beside the desk: what a person waits for at 1,000, 10,000 and 50,000 examples, on both databases.

    python benchmarks/near.py [--examples 1000,10000,50000] [--database sqlite,postgresql] [--times 30] [--json]

An example has two vectors, so 50,000 examples are 100,000 vectors. They are drawn at random and kept as a worker keeps
them; prompts and searches that are asked are really encoded, each another one. A real server, one session, one request
after the other. "cold" is the first answer that has everything, from a server that has loaded nothing: until then the
page says that it is under way. Then the median and the 95th part of a hundred, in milliseconds as the client sees them,
the processor time of the server for one answer, which a busy machine changes little, and the memory of the server: its
own, and what is mapped, which the system may take back.
"""

import http.client
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from house import come_to_rest, house, load, make_drafts, make_people, serving, tell
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.duplicates.lexical import signature
from app.duplicates.models import ExampleText
from app.duplicates.normal import normal_form
from app.embeddings.encoder import load_encoder
from app.embeddings.models import Embedding
from app.embeddings.vectors import text_hash
from app.examples.models import Example, ExampleState, Revision
from app.sources.bulk import insert_ignoring
from app.text.dialogue import prompt_of, response_of

BASE = "/projects/bench"
WORDS = Path(__file__).read_text("utf-8").split()
AT_ONCE = 2000
# So long is waited for a first answer that has everything.
LONGEST = 120.0


def fill(database: Database, size: int) -> str:
    """So many examples with vectors, a third of them approved; the session of one annotator."""
    with database.writing() as session:
        project, people, tokens = make_people(session, 4)
        make_drafts(session, project, people, size, WORDS)
        approved = update(Example).where(Example.id % 3 == 0)
        session.execute(approved.values(state=ExampleState.APPROVED, approved_number=1))
        keep_vectors(session, project.id)
    come_to_rest(database)
    return tokens[0]


def keep_vectors(session: Session, project_id: int) -> None:
    """What a worker makes of every example, with random vectors in place of encoded ones."""
    model, dimensions = load_encoder(light=True).key, load_encoder(light=True).dimensions
    draw = np.random.default_rng(7)
    heads = session.execute(select(Revision.example_id, Revision.messages)).all()
    for start in range(0, len(heads), AT_ONCE):
        texts, vectors = [], []
        for example_id, messages in heads[start : start + AT_ONCE]:
            prompt, response = prompt_of(messages), response_of(messages)
            hashes = [text_hash(prompt), text_hash(response)]
            rows = draw.normal(size=(2, dimensions)).astype("<f4")
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            vectors += [
                {"model": model, "text_hash": one, "vector": row.tobytes()}
                for one, row in zip(hashes, rows, strict=True)
            ]
            texts.append({
                "example_id": example_id, "project_id": project_id, "revision_number": 1, "model": model,
                "prompt_hash": hashes[0], "response_hash": hashes[1], "prompt_form": text_hash(normal_form(prompt)),
                "prompt_signature": signature(prompt).astype("<u4").tobytes(),
            })  # fmt: skip
        session.execute(insert_ignoring(session, Embedding), vectors)  # some of the responses are the same
        session.execute(insert(ExampleText), texts)


class Client:
    """One session of one person."""

    def __init__(self, port: int, token: str) -> None:
        """Connect once."""
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": f"handpicked_session={token}", "Sec-Fetch-Site": "same-origin"}

    def ask(self, page: str, number: int) -> tuple[float, str]:
        """Milliseconds and the answer to the so-manieth question, each in other words."""
        said = " ".join(WORDS[(number * 37 + place * 101) % len(WORDS)] for place in range(12))
        method, path, body = "GET", f"{BASE}/colleagues?{urlencode({'q': said[:60]})}", None
        headers = self.headers | {"HX-Target": "div#colleagues-hits"}
        if page == "warning":
            method, path = "POST", f"{BASE}/nearness"
            body = urlencode({"turn_1": f"How is it that {said}?", "turn_2": "", "split": "train"})
            headers = self.headers | {
                "HX-Target": "div#nearness", "Content-Type": "application/x-www-form-urlencoded",
            }  # fmt: skip
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        words = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{method} {path} answered {answer.status}")
        return 1000 * (time.perf_counter() - started), words


def measure(backend: str, size: int, times: int) -> list[dict[str, Any]]:
    """Cold and warm, over one house."""
    rows = []
    with house(backend) as settings:
        database = Database(settings)
        token = fill(database, size)
        database.dispose()
        for page in ("warning", "search"):
            with serving(settings) as (port, process):
                client = Client(port, token)
                cold = first_whole_answer(client, page)
                server = psutil.Process(process.pid)
                before = sum(server.cpu_times()[:2])
                taken = sorted(client.ask(page, number)[0] for number in range(1, times + 1))
                spent = 1000 * (sum(server.cpu_times()[:2]) - before) / times
                memory = server.memory_info()
                rows.append({
                    "database": backend, "examples": size, "vectors": 2 * size, "page": page, "cold_ms": round(cold),
                    "p50_ms": round(statistics.median(taken), 1), "p95_ms": round(taken[int(0.95 * len(taken))], 1),
                    "cpu_ms": round(spent, 1),
                    "own_mb": round((memory.rss - memory.shared) / 1e6), "mapped_mb": round(memory.shared / 1e6),
                    "load": load(),
                })  # fmt: skip
                print(f"{backend} {size:,} {page}: {rows[-1]['p50_ms']} ms", file=sys.stderr)
    return rows


def first_whole_answer(client: Client, page: str) -> float:
    """Milliseconds until nothing is under way any more, asking again as the page does."""
    started = time.perf_counter()
    while time.perf_counter() - started < LONGEST:
        if "data-again" not in client.ask(page, 0)[1]:
            return 1000 * (time.perf_counter() - started)
        time.sleep(0.1)
    raise SystemExit(f"{page} was still under way after {LONGEST:.0f} s")


if __name__ == "__main__":
    tell(__doc__, measure, examples="1000,10000,50000", times=30)
