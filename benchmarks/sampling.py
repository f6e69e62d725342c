"""A plan looked at over a large pool: what Pool → Sample costs before anything moves, on both databases.

    python benchmarks/sampling.py [--candidates 200000] [--database sqlite,postgresql] [--times 5] [--json]

A pool of LIMA's sources with texts of 1,200 to 4,000 characters: exchanges, wikiHow's categories, tasks and Reddit.
Seconds of the process and of the clock for one look by LIMA's plan, the smallest of several; the first is not counted.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from typing import Any

from first_steps import calibration
from house import house, load
from sqlalchemy import insert, select, text

from app.accounts import operations as accounts
from app.accounts.models import Role
from app.config import Settings
from app.db import Database
from app.projects import operations as projects
from app.projects.models import Project, Split
from app.selection.sampling import taking
from app.selection.sampling.plans import LIMA
from app.sources.models import Candidate, ImportRun, ImportState, Into

BATCH = 5000
# Of a hundred candidates: how many are of each source.
MIX = (
    ("stackexchange_stem", 45),
    ("stackexchange_other", 25),
    ("wikihow", 12),
    ("natural_instructions", 10),
    ("writingprompts", 5),
    ("askreddit", 3),
)
TEXT = "the water and a kettle that you boil with steam from their lid it would heat"
WORDS = TEXT.split()


def row(project: int, run: int, number: int) -> dict[str, Any]:
    """A candidate whose length, score, exchange, category and task follow from its number alone."""
    dice = int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:6], "big")
    source = next(name for name, upto in _upto() if number % 100 < upto)
    answer = " ".join(WORDS[(dice >> place % 40) % len(WORDS)] for place in range(240 + dice % 560))
    title = f"Question {number}: {answer[:60]}"
    extra: dict[str, Any] = {"question_score": dice % 90, "tags": WORDS[:3], "question_licence": "CC BY-SA 4.0"}
    if source == "wikihow":
        extra = {"category": f"Category {dice % 20}"}
    elif source == "natural_instructions":
        extra = {"task": f"task{dice % 400:03}", "category": "Summarization", "generation": dice % 400 % 3 > 0}
    return {
        "project_id": project, "import_run_id": run, "site": _site(source, dice), "external_id": str(number),
        "source": source, "title": title, "score": dice // 3600 % 200, "published": True,
        "content_hash": f"{number:064x}",
        "split": Split.TEST if source == "askreddit" else Split.TRAIN, "licence": "CC BY-SA 4.0", "extra": extra,
        "category": extra.get("category"), "length": len(answer), "author": f"Writer {dice % 5000}",
        "author_url": f"https://example.org/users/{dice % 5000}", "url": f"https://example.org/a/{number}",
        "messages": [{"role": "user", "content": title}, {"role": "assistant", "content": answer}],
    }  # fmt: skip


def _upto() -> list[tuple[str, int]]:
    found, sum_ = [], 0
    for name, share in MIX:
        found.append((name, sum_ := sum_ + share))
    return found


def _site(source: str, dice: int) -> str:
    return f"exchange{int((dice % 3600) ** 0.5)}.example.org" if source.startswith("stack") else f"{source}.example.org"


def fill(database: Database, size: int) -> int:
    """A pool of so many candidates; the project's number."""
    with database.writing() as session:
        lead = accounts.create_user(
            session, None, email="lead@example.org", name="Lead", role=Role.ADMIN, password=None
        )
        project = projects.create_project(session, lead, slug="bench", name="Bench")
        run = ImportRun(
            project_id=project.id, name="dump", path="", format="stackexchange", site="x.example.org", into=Into.POOL,
            ruleset={}, ruleset_hash="", state=ImportState.PUBLISHED,
        )  # fmt: skip
        session.add(run)
        session.flush()
        here = (project.id, run.id)
    for start in range(1, size + 1, BATCH):
        with database.writing() as session:
            numbers = range(start, min(start + BATCH, size + 1))
            session.execute(insert(Candidate), [row(*here, number) for number in numbers])
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    return here[0]


def looked_at(settings: Settings, project_id: int, times: int) -> dict[str, Any]:
    """One look after the other, each in a transaction of its own, as a request is."""
    database = Database(settings)
    spent, waited, taken, digest = [], [], 0, ""
    for _ in range(times + 1):
        with database.reading() as session:
            project = session.scalars(select(Project).where(Project.id == project_id)).one()
            begun, clock = time.process_time(), time.perf_counter()
            drawn = taking.look(session, project, LIMA, 7)
            spent.append(time.process_time() - begun)
            waited.append(time.perf_counter() - clock)
        picks = [(pick.candidate.external_id, pick.stratum, pick.as_title) for part in drawn for pick in part.picks]
        taken, digest = len(picks), hashlib.sha256(repr(picks).encode()).hexdigest()[:12]
    database.dispose()
    return {
        "taken": taken, "rows": digest, "cpu_s": round(min(spent[1:]), 3), "wall_s": round(min(waited[1:]), 3),
        "first_s": round(waited[0], 3),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200_000)
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for backend in options.database.split(","):
        with house(backend) as settings:
            database = Database(settings)
            project = fill(database, options.candidates)
            database.dispose()
            found = looked_at(settings, project, options.times)
            rows.append({"database": backend, "candidates": options.candidates, **found, "load": load()})
            print(rows[-1], file=sys.stderr)
    machine = {"calibration_seconds": round(calibration(), 3), "cores": os.cpu_count()}
    print(json.dumps({"rows": rows, **machine}) if options.json else machine)


if __name__ == "__main__":
    main()
