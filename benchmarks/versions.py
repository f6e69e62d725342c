"""How long a freeze takes, and how long savers wait beside it.

    python benchmarks/versions.py [--examples 1000,10000] [--database sqlite,postgresql] [--times 5] [--json]

Each size is a project of its own: approved pairs of about 120 words by eight writers, each approved by a second person.
A freeze is the operation that the page, the command line and the API call: it reads the set, asks every gate, makes the
lines and the manifest, writes them and commits; the median of so many freezes, each under a new name. The first is told
apart: the gates remember texts that they have read, as a server does whose page of gates somebody has opened. The
seconds of the processor are this process's own: on a busy machine the only ones to compare.

Beside it the look that the nightly job takes at a version, and the preview of splits. Then eight people save without a
pause, first alone and then while one freeze follows the other a second later: the 95th percentile of a save, by the
same operation as the desk's, with its commit.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

from house import house, load, make_drafts, make_people, only_warn, tell  # first: it finds the folder above
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets import checking
from app.datasets.material_queries import material_of
from app.datasets.models import Version
from app.datasets.operations import freeze_version
from app.datasets.splits import operations as splits
from app.datasets.splits.splitting import Asked
from app.db import Database
from app.examples.models import Example, ExampleState
from app.examples.operations import save_revision
from app.projects.models import Project
from app.reviews.models import Review, ReviewVerdict

WRITERS = 8
SECONDS = 5.0
WORDS = [f"{word}{number}" for number in range(100) for word in __doc__.split()]


def measure(backend: str, size: int, times: int) -> list[dict[str, Any]]:
    """Seconds of a freeze of that many examples, of a look at it and of a preview of splits; how long saves take."""
    with house(backend) as settings:
        database = Database(settings)
        with database.writing() as session:
            project, people, _ = make_people(session, WRITERS)
            lead = session.scalars(select(User).where(User.email == "lead@example.org")).one()
            make_drafts(session, project, people, size, WORDS)
            _approve(session, project, people[0])
            only_warn(session, project)
        names = iter(f"v{number}" for number in range(1, 10_000))
        spent = time.process_time()
        freezes = [_timed(lambda: _freeze(database, lead, project, next(names))) for _ in range(times)]
        spent = time.process_time() - spent
        looks = [_timed(lambda: _look(database)) for _ in range(times)]
        draws = [_timed(lambda: _preview(database, project)) for _ in range(times)]
        alone = _saves(database, people, project, lambda: time.sleep(SECONDS))
        beside = _saves(database, people, project, lambda: _freeze_for_a_while(database, lead, project, names))
        database.dispose()
    return [
        {
            "database": backend,
            "examples": size,
            "freeze_s": round(statistics.median(freezes), 3),
            "first_s": round(freezes[0], 3),
            "cpu_s_each": round(spent / times, 3),
            "look_s": round(statistics.median(looks), 3),
            "splits_s": round(statistics.median(draws), 3),
            "save_p95_ms": round(1000 * _p95(alone), 1),
            "save_beside_freezes_p95_ms": round(1000 * _p95(beside), 1),
            "longest_save_ms": round(1000 * max(beside), 1),
            "load": load(),
        }
    ]


def _approve(session: Session, project: Project, reviewer: User) -> None:
    ids = session.scalars(select(Example.id).where(Example.project_id == project.id)).all()
    session.execute(
        update(Example).where(Example.project_id == project.id)
        .values(state=ExampleState.APPROVED, approved_number=1, licence="CC BY-SA 4.0",
                attribution={"author": "A. Baker", "url": "https://x.example.org/a/1", "site": "x.example.org"})
    )  # fmt: skip
    approved = ReviewVerdict.APPROVED
    row = {"revision_number": 1, "reviewer_id": reviewer.id, "verdict": approved, "outcome": approved, "words": ""}
    session.execute(insert(Review), [row | {"example_id": example_id} for example_id in ids])


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _freeze(database: Database, lead: User, project: Project, name: str) -> None:
    with database.writing() as session:
        held = session.get_one(Project, project.id)
        reasons = {gate.gate: "a benchmark" for gate in material_of(session, held).gates if gate.state == "block"}
        freeze_version(session, lead, held, name=name, overrides=reasons)


def _look(database: Database) -> None:
    with database.reading() as session:
        newest = session.scalars(select(Version.id).order_by(Version.id.desc()).limit(1)).one()
        assert checking.look_at(session, newest) == []


def _preview(database: Database, project: Project) -> None:
    with database.reading() as session:
        found = session.get_one(Project, project.id)
        assert splits.look(session, found, Asked(dev=50, test=300, seed=7)).moves


def _freeze_for_a_while(database: Database, lead: User, project: Project, names: Any) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        _freeze(database, lead, project, next(names))
        time.sleep(1)


def _saves(database: Database, people: list[User], project: Project, meanwhile: Callable[[], None]) -> list[float]:
    """Seconds of each save of eight people while something else is done."""
    with database.reading() as session:
        ids = session.scalars(
            select(Example.id).where(Example.project_id == project.id).order_by(Example.id).limit(20 * WRITERS)
        ).all()
    stop, seconds = threading.Event(), list[float]()

    def save(person: User, mine: list[int]) -> None:
        own = Database(database.settings)
        while not stop.is_set():
            seconds.append(_timed(lambda: _save(own, person, random.choice(mine))))  # noqa: S311 - no secret
        own.dispose()

    threads = [threading.Thread(target=save, args=(person, list(ids[at::WRITERS]))) for at, person in enumerate(people)]
    for thread in threads:
        thread.start()
    meanwhile()
    stop.set()
    for thread in threads:
        thread.join()
    return seconds


def _save(database: Database, person: User, number: int) -> None:
    with database.writing() as session:
        example = session.get_one(Example, number)
        based_on = example.revision_number
        words = [{"role": "user", "content": f"Why {number}?"}, {"role": "assistant", "content": f"{based_on} times."}]
        save_revision(session, person, example, based_on=based_on, messages=words)


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


if __name__ == "__main__":
    tell(__doc__, measure, "1000", 5)
