"""Each benchmark still runs: what nobody runs rots, and is found broken on the day when a figure is asked for.

The cheap half imports each and takes its building step here. The long half runs each as its docstring says, offline, on
SQLite and at the least size, and looks only whether it answers: figures of so few rows mean nothing. `first_steps` as a
whole installs from the network, so only its parts are run.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sqlalchemy import func, select

from app import sample
from app.config import Settings
from app.datasets import operations
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.verify import verify_folder
from app.db import Database
from app.duplicates.models import ExampleText
from app.embeddings.models import CandidateText
from app.examples.models import Example
from app.projects.models import Project
from app.sources.models import Candidate

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """`load(name)` imports a script with its folder first, as running it does; nothing of it stays."""
    monkeypatch.syspath_prepend(str(FOLDER))
    path = [*sys.path]
    yield importlib.import_module
    sys.path[:] = path
    for name in NAMES:
        sys.modules.pop(name, None)


def count(database: Database, what: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def test_each_imports_and_says_what_it_measures(load: Load) -> None:
    for name in NAMES:
        assert load(name).__doc__, name


def test_a_version_is_built_and_frozen(load: Load, database: Database) -> None:
    versions, house = load("versions"), load("house")
    with database.writing() as session:
        project, people, _ = house.make_people(session, 2)
        lead = session.scalars(select(house.User).where(house.User.email == "lead@example.org")).one()
        house.make_drafts(session, project, people, 12, versions.WORDS)
        versions._approve(session, project, people[0])
        house.only_warn(session, project)
    versions._freeze(database, lead, project, "v1")
    versions._look(database)
    versions._save(database, people[1], 1)
    with database.reading() as session:
        assert session.scalars(select(Version.row_count)).all() == [12]


def test_a_version_is_built_that_exports_and_verifies(load: Load, database: Database, tmp_path: Path) -> None:
    load("exports").fill(database, 40)
    with database.reading() as session:
        version = session.scalars(select(Version)).one()
        operations.export_version(session, version, Format.LIMA, tmp_path / "out")
    assert verify_folder(tmp_path / "out")["problems"] == []


def test_two_versions_are_built_to_be_compared(load: Load, settings: Settings, database: Database) -> None:
    _, expected = load("comparing")._fill(settings, 40)
    assert expected == {"added": 2, "removed": 2, "reworded": 4, "moved": 1, "unchanged": 33}
    assert count(database, Version) == 2


def test_examples_are_built_for_pages(load: Load, database: Database) -> None:
    assert load("lists").fill(database, 9)
    assert count(database, Example) == 9


def test_vectors_are_built_for_the_desk(load: Load, database: Database) -> None:
    assert load("near").fill(database, 6)
    assert count(database, ExampleText) == 6


def test_a_pool_is_built_with_vectors_and_searched(load: Load, database: Database) -> None:
    meaning = load("meaning")
    assert meaning.fill(database, 80)
    assert count(database, CandidateText) == 80
    taken, spent = meaning.in_process(database, meaning.SEARCHES["meaning"], 1)
    assert taken[0] > 0
    assert spent > 0


def test_selections_are_made_and_lazy_greed_is_plain_greed(load: Load) -> None:
    selection = load("selection")
    found = selection.measure(selection.rows(400, None, 0), 20, 0)
    assert found["lazy_is_plain"]
    covered = {name: one["mean"] for name, one in found["methods"].items()}
    assert covered["coverage"] > covered["random"] > 0


def test_a_pool_is_built_and_looked_at(load: Load, settings: Settings, database: Database) -> None:
    sampling = load("sampling")
    project = sampling.fill(database, 120)
    assert count(database, Candidate) == 120
    assert sampling.looked_at(settings, project, 1)["taken"] > 0
    with database.reading() as session:
        assert session.get_one(Project, project).slug == "bench"


def test_files_are_built_to_be_imported(load: Load, tmp_path: Path) -> None:
    importing = load("import")
    dump = importing.Dump().write(tmp_path / "dump", 20_000)
    assert importing.bare_pass(dump / "Posts.xml")["seconds"] > 0
    lines = importing.write_rows(tmp_path / "rows.jsonl", 5).read_text("utf-8").splitlines()
    assert [len(json.loads(line)["conversations"]) for line in lines] == [2] * 5


def test_house_style_is_measured(load: Load) -> None:
    counts, items = load("lint_sample").measured(f"{sample.dump_folder()}@{sample.SITE}")
    assert counts["texts"] > 0
    assert sum(counts["remarks"].values()) >= len(items)


def test_near_vectors_are_drawn_and_found_both_ways(load: Load, tmp_path: Path) -> None:
    dedup = load("dedup")
    texts = np.random.default_rng(3).normal(size=(50, 16)).astype(np.float32)
    vectors = dedup.drawn(texts / np.linalg.norm(texts, axis=1, keepdims=True), 100, tmp_path)
    assert dedup.ours(vectors, 0.9) == dedup.product(vectors, 0.9) != set()


def test_machines_are_told_apart(load: Load) -> None:
    steps = load("first_steps")
    assert steps.fsync() > 0
    assert 1024 < steps.free_port() < 65536


SMALL = {
    "comparing": "--examples 100 --database sqlite --times 1 --json",
    "dedup": "--sizes 300 --texts 60 --times 1 --json",
    "encoding": "--short 6 --long 2 --times 1 --pool 30 --json",
    "desk": "--people 2 --database sqlite --examples 2 --saves 2 --json",
    "exports": "--examples 40 --database sqlite --times 1 --json",
    "import": "--mb 1 --rows 200 --json",
    "lint_sample": f"{sample.dump_folder()}@{sample.SITE} --sample 3 --json",
    "lists": "--examples 60 --database sqlite --times 1 --json",
    "meaning": "--candidates 120 --database sqlite --times 2 --json",
    "methods": "--copies --json",
    "near": "--examples 30 --database sqlite --times 2 --json",
    "others": "--rows 3000 --people 2 --seconds 5 --json",
    "sampling": "--candidates 300 --database sqlite --times 1 --json",
    "selection": "--rows 400 --count 20 --json",
    "versions": "--examples 400 --database sqlite --times 1 --json",
}


def test_each_is_run_by_the_long_tests() -> None:
    assert set(NAMES) - set(SMALL) == {"first_steps", "house"}


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL)
def test_each_runs_from_its_beginning_to_its_end(name: str, tmp_path: Path) -> None:
    if name == "methods" and not (ROOT.parent / "shared" / "data").is_dir():
        pytest.skip("no shared data beside this checkout")
    environment = os.environ | {"TMPDIR": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, f"benchmarks/{name}.py", *SMALL[name].split()]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    rows = found.get("rows") or found.get("inputs") or [found]
    assert rows
    assert all(rows)
    assert list(tmp_path.glob("handpicked-*")) == [], "it left something in the folder for what is temporary"
