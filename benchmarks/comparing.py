"""How long it takes to compare two versions, and how long their page takes.

    python benchmarks/comparing.py [--examples 1000,10000] [--database sqlite,postgresql] [--times 5] [--json]

Two versions of that many pairs of about 120 words. In the second one a tenth are reworded, a twentieth new, a twentieth
gone, three in a hundred in another split. "compare" reads both versions and pairs their rows, each time in a process of
its own that has compared nothing before; "items" makes the JSON of every change, word diffs among it; "command" is all
of `handpicked diff --json`, from its start to its end. "cpu" is the processor time of these two, which a busy machine
changes little. Medians. "first page" is what whoever opens the page first waits for, "page" the median of the others:
every tab and fifteen pages of the list, one after the other, in one session.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from house import (  # first: it finds ROOT
    ROOT,
    come_to_rest,
    house,
    load,
    make_drafts,
    make_people,
    only_warn,
    serving,
    tell,
)
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.config import Settings
from app.datasets.material_queries import material_of
from app.datasets.operations import freeze_version
from app.db import Database
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Project, Split
from app.reviews.models import Review, ReviewVerdict
from app.text.canonical import content_hash

# As many as there are examples, so that no two responses are the same.
WORDS = [f"{word}{number}" for number in range(100) for word in __doc__.split()]
PAGE = "/projects/bench/comparison?old=v1&new=v2"
COMPARE = """
import json, sys, time
from app.config import Settings
from app.datasets.comparison.documents import item_document, pairs_of
from app.datasets.comparison.comparisons import compared, side_named
from app.db import Database
from app.projects.queries import project_by_slug
import app.orm
with Database(Settings()).reading() as session:
    project = project_by_slug(session, "bench")
    started, before = time.perf_counter(), time.process_time()
    old, new = (side_named(session, project, name) for name in ("v1", "v2"))
    found = compared(old, new)
    paired = time.perf_counter()
    spent = time.process_time() - before
    for pair in pairs_of(old, new, found.changes):
        item_document(pair)
    done = time.perf_counter()
print(json.dumps([paired - started, done - paired, spent]))
"""


def measure(backend: str, size: int, times: int) -> list[dict[str, Any]]:
    """Medians in milliseconds over one house."""
    with house(backend) as settings:
        token, expected = _fill(settings, size)
        apart = [json.loads(_run(settings, sys.executable, "-c", COMPARE)[0]) for _ in range(times)]
        command = [sys.executable, "-m", "app.cli", "diff", "bench@v1", "bench@v2", "--json"]
        whole = [_run(settings, *command) for _ in range(times)]
        told = json.loads(whole[0][0])
        counts = {name: told[name] for name in expected}
        if counts != expected or len(told["items"]) != size * 23 // 100:
            raise SystemExit(f"expected {expected}, found {counts}")
        with serving(settings) as (port, _):
            first, pages = _pages(port, token)
    return [{
        "database": backend, "examples": size,
        "compare_ms": round(1000 * statistics.median(one[0] for one in apart)),
        "compare_cpu_ms": round(1000 * statistics.median(one[2] for one in apart)),
        "items_ms": round(1000 * statistics.median(one[1] for one in apart)),
        "command_ms": round(1000 * statistics.median(seconds for _, seconds, _ in whole)),
        "command_cpu_ms": round(1000 * statistics.median(spent for _, _, spent in whole)),
        "first_page_ms": round(first), "page_ms": round(statistics.median(pages)), "load": load(),
    }]  # fmt: skip


def _fill(settings: Settings, size: int) -> tuple[str, dict[str, int]]:
    """Freeze v1 and v2; the token of somebody who reads them, and what there is between them."""
    database = Database(settings)
    with database.writing() as session:
        project, people, tokens = make_people(session, 2)
        make_drafts(session, project, people, size * 21 // 20, WORDS)
        only_warn(session, project)
        ids = list(session.scalars(select(Example.id).order_by(Example.id)))
        _approve(session, people, ids[:size], 1)
        _freeze(session, project, "v1")
        tenth, gone, moved = size // 10, size // 20, size * 3 // 100
        _reword(session, people, ids[:tenth])
        session.execute(update(Example).where(Example.id.in_(ids[tenth : tenth + moved])).values(split=Split.DEV))
        removed = Example.id.in_(ids[size - gone : size])
        session.execute(update(Example).where(removed).values(state=ExampleState.RETURNED, approved_number=None))
        _approve(session, people, ids[size:], 1)
        _freeze(session, project, "v2")
    come_to_rest(database)
    database.dispose()
    unchanged = size - tenth - moved - gone
    return tokens[0], {
        "added": len(ids) - size, "removed": gone, "reworded": tenth, "moved": moved, "unchanged": unchanged,
    }  # fmt: skip


def _approve(session: Session, people: list[User], ids: list[int], number: int) -> None:
    session.execute(
        update(Example)
        .where(Example.id.in_(ids))
        .values(state=ExampleState.APPROVED, approved_number=number, revision_number=number, licence="CC BY-SA 4.0")
    )
    review = {"revision_number": number, "reviewer_id": people[1].id, "verdict": ReviewVerdict.APPROVED}
    session.execute(insert(Review), [{"example_id": one, **review} for one in ids])


def _reword(session: Session, people: list[User], ids: list[int]) -> None:
    """A second revision of each, with a few words of the response changed in three places."""
    heads = session.execute(select(Revision.example_id, Revision.messages).where(Revision.example_id.in_(ids)))
    rows = []
    for example_id, (asked, answered) in heads:
        words = answered["content"].split()
        for place in (5, 60, 110):
            words[place : place + 2] = ["quite", "otherwise", "said"]
        messages = [asked, {"role": "assistant", "content": " ".join(words)}]
        rows.append({
            "example_id": example_id, "number": 2, "messages": messages, "title": asked["content"][:200],
            "content_hash": content_hash(messages), "author_id": people[0].id,
        })  # fmt: skip
    session.execute(insert(Revision), rows)
    _approve(session, people, ids, 2)


def _freeze(session: Session, project: Project, name: str) -> None:
    lead = session.scalars(select(User).where(User.email == "lead@example.org")).one()
    reasons = {gate.gate: "a benchmark" for gate in material_of(session, project).gates if gate.state == "block"}
    freeze_version(session, lead, project, name=name, overrides=reasons)


def _run(settings: Settings, *command: str) -> tuple[str, float, float]:
    """What a command printed, how many seconds it took, and how many of a processor."""
    own = {"HANDPICKED_DATA_DIR": str(settings.data_dir), "HANDPICKED_DATABASE_URL": settings.database_url}
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **own, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, time.perf_counter() - started, spent


def _pages(port: int, token: str) -> tuple[float, list[float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(path: str) -> float:
        started = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": f"handpicked_session={token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return 1000 * (time.perf_counter() - started)

    ask("/projects")  # what a server does once
    first = ask(PAGE)
    kinds = ("added", "removed", "reworded", "moved", "unchanged")
    others = [f"{PAGE}&kind={kind}" for kind in kinds] + [f"{PAGE}&page={number}" for number in range(2, 17)]
    return first, [ask(path) for path in others]


if __name__ == "__main__":
    tell(__doc__, measure, examples="1000,10000", times=5)
