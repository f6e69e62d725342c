"""Exports of a frozen version in every format: seconds at 10,000 examples, and memory there and at 100,000.

    python benchmarks/exports.py [--examples 10000,100000] [--database sqlite] [--times 5] [--formats lima,…] [--json]

Examples are as long as LIMA's are on average, some 3,000 characters. Each format has a process of its own, which reads
the version from the database and writes the whole folder, synced to disk: data files, examples.jsonl, card, picture,
attribution, Croissant, manifest. `export` is the median of so many, `processor` what one of them took of the processor,
which a busy machine changes less. `verify` proves the last without the database; `zip` and `tar` are exports as one
file. `peak` is the most memory that the process held while it exported, `grown` by how much that is more than it held
when everything was loaded and nothing exported. The loop and the synced page tell machines apart.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from first_steps import calibration, fsync
from house import house, load, make_people
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.config import Settings
from app.datasets import operations, queries
from app.datasets.canonical import set_sha256
from app.datasets.checking import FROZEN, Frozen, seal_of
from app.datasets.formats import Format
from app.datasets.gates import Approvals
from app.datasets.manifest import build_manifest
from app.datasets.material import Item, Material, Person, fillings
from app.datasets.models import Version, VersionRow
from app.datasets.verify import verify_folder
from app.db import Database
from app.examples.models import Example, ExampleState
from app.jobs.memory import Peak
from app.projects.models import Project, Split

WORDS = Path(__file__).read_text("utf-8").split()
BATCH = 2000
LICENCE = "CC BY-SA 4.0"


def words(number: int, count: int) -> str:
    """So many words, others for each number."""
    return " ".join(WORDS[(number * 7919 + place * 104_729) % len(WORDS)] for place in range(count))


def item(number: int) -> Item:
    """An example of LIMA's mean length; one in thirty is a dialogue, one in twenty a test prompt without a response."""
    messages = [{"role": "user", "content": f"{number}: {words(number, 45)}?"}]
    split = "test" if number % 20 == 0 else "train"
    if split == "train":
        messages.append({"role": "assistant", "content": words(number + 1, 380)})
    if number % 30 == 1:
        messages += [
            {"role": "user", "content": f"{words(number + 2, 9)}?"},
            {"role": "assistant", "content": words(number + 3, 90)},
        ]
    credit = {"author": f"Author {number}", "url": f"https://x.example.org/a/{number}", "site": "x.example.org"}
    return Item(number, 1, split, "stackexchange_stem", "en", messages, LICENCE, credit)


def fill(database: Database, size: int) -> None:
    """A version of so many rows; only rows of the version have words, for nothing else is read."""
    with database.writing() as session:
        project, people, _ = make_people(session, 1)
        items = sorted((item(number) for number in range(1, size + 1)), key=lambda one: one.line)
        example = Example(
            project_id=project.id, split=Split.TRAIN, source="wikihow", state=ExampleState.APPROVED, revision_number=1,
            approved_number=1, attribution={}, created_by=people[0].id,
        )  # fmt: skip
        session.add(example)
        session.flush()
        version = _version(session, project, items)
        for start in range(0, size, BATCH):
            rows = enumerate(items[start : start + BATCH], start)
            session.execute(insert(VersionRow), [_row(version, example, position, one) for position, one in rows])
        frozen = (_row(version, example, position, one) for position, one in enumerate(items))
        session.add(seal_of(version, (Frozen(**{field: row[field] for field in FROZEN}) for row in frozen)))


def _version(session: Session, project: Project, items: list[Item]) -> Version:
    texts = [one.line.text for one in items]
    person = Person(1, "Lead")
    material = Material(
        tuple(items), fillings((), items), Approvals(second_person=len(items)), (), (person,), (person,), ()
    )
    sha256, at = set_sha256(texts), datetime(2026, 1, 1, tzinfo=UTC)
    manifest = build_manifest(
        material, (), name="v1", project={"slug": project.slug, "name": project.name}, sha256=sha256,
        size=sum(len(text.encode()) + 1 for text in texts), frozen_by=person, frozen_at=at,
    )  # fmt: skip
    version = Version(
        project_id=project.id, name="v1", sha256=sha256, row_count=len(items), manifest=manifest, frozen_at=at
    )
    session.add(version)
    session.flush()
    return version


def _row(version: Version, example: Example, position: int, one: Item) -> dict[str, Any]:
    return {
        "version_id": version.id, "position": position, "example_id": example.id, "revision_number": 1,
        "split": Split(one.split), "source": one.source, "sha256": one.line.sha256, "line": one.line.text,
    }  # fmt: skip


def measure(form: Format, settings: Settings, folder: Path, times: int) -> dict[str, Any]:
    """The figures of one format; runs in a process of its own."""
    database = Database(settings)

    def export(out: Path) -> None:
        with database.reading() as session:
            version = session.query(Version).one()
            operations.export_version(session, version, form, out)

    with database.reading() as session:
        next(iter(queries.frozen_lines(session, session.query(Version).one())))
    if form.suffix == "parquet":
        import pyarrow.parquet  # noqa: F401 - loaded once a process, whatever it exports
    peak, began = Peak(), time.process_time()
    taken = [timed(lambda at=at: export(folder / f"{form}-{at}")) for at in range(times)]
    processor, held, grown = (time.process_time() - began) / times, peak.mb(), peak.grown_mb()
    last = folder / f"{form}-{times - 1}"
    size = sum(path.stat().st_size for path in last.rglob("*") if path.is_file())
    found = {
        "export s": round(statistics.median(taken), 2),
        "processor s": round(processor, 2),
        "verify s": round(timed(lambda: require_sound(last)), 2),
        "zip s": round(timed(lambda: export(folder / f"{form}.zip")), 2),
        "tar s": round(timed(lambda: export(folder / f"{form}.tar")), 2),
        "MB written": round(size / 1e6, 1),
        "peak MB": round(held),
        "grown MB": grown,
    }
    database.dispose()
    return found


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def require_sound(folder: Path) -> None:
    """Stop where an export does not verify: what is wrong is not measured."""
    found = verify_folder(folder)
    if not found["ok"]:
        raise SystemExit(f"{folder} does not verify: {found['problems']}")


def in_a_process(form: str, settings: Settings, times: int) -> dict[str, Any]:
    """Measure a format in a new process, in a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="handpicked-exports-"))
    environment = {
        **os.environ, "HANDPICKED_DATA_DIR": str(settings.data_dir), "HANDPICKED_DATABASE_URL": settings.database_url,
    }  # fmt: skip
    command = [sys.executable, __file__, "--one", form, "--folder", str(folder), "--times", str(times)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return dict(json.loads(done.stdout))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", default="10000,100000")
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--formats", default=",".join(Format))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(Format(options.one), Settings(), options.folder, options.times)))
        return
    rows = []
    for backend in options.database.split(","):
        for size in map(int, options.examples.split(",")):
            with house(backend) as settings:
                database = Database(settings)
                fill(database, size)
                database.dispose()
                # Of the larger set one export tells the memory, which is what it is there for.
                times = options.times if size <= 10_000 else 1
                for form in options.formats.split(","):
                    found = in_a_process(form, settings, times)
                    rows.append({"format": form, "database": backend, "examples": size, **found, "load": load()})
                    if not options.json:
                        tell(rows)
    machine = {"calibration_seconds": round(calibration(), 3), "fsync_ms": round(fsync(), 3), "cores": os.cpu_count()}
    if options.json:
        print(json.dumps({"rows": rows, **machine}))
        return
    print(
        f"\n{machine['cores']} cores; ten million additions in {machine['calibration_seconds']} s; a synced page "
        f"in {machine['fsync_ms']} ms."
    )


def tell(rows: list[dict[str, Any]]) -> None:
    """Print the newest row of the table, which grows for minutes."""
    if len(rows) == 1:
        print(f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}")
    print(f"| {' | '.join(str(value) for value in rows[-1].values())} |", flush=True)


if __name__ == "__main__":
    main()
