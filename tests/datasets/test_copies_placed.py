"""Where a copy cannot be written or taken in: one sentence, and nothing left behind."""

import json
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.context import placing
from app.config import Settings
from app.datasets.archive import OtherPacking
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.operations import NameTaken, freeze_version
from app.db import Database
from app.errors import Refusal
from app.jobs.running import run_now
from app.sources.archives import brought, workspace_of
from app.sources.formats import recognise
from app.sources.models import ImportRun, ImportState, Into
from app.sources.operations import ImportPlan, start_import
from app.sources.rulesets import NONE
from app.worker import worker_name
from tests import factories
from tests.commands import Shell
from tests.datasets.test_exports import export


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder: the database has its own files in the test's."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", [Format.MESSAGES, Format.CSV, Format.PARQUET])
@pytest.mark.parametrize("name", ["out", "new/deep/out", "new/out.zip", "out.tar"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    database: Database, version: Version, here: Path, form: Format, name: str
) -> None:
    out = here / name
    with pytest.raises(Refusal) as caught, disk_of(900), placing(out):
        export(database, version, form, out)
    assert caught.value.message.startswith(f"{out} could not be written (file too large), and nothing of it was kept.")
    assert list(here.iterdir()) == []
    export(database, version, form, out)
    assert out.exists()


def test_a_folder_that_was_there_stays(database: Database, version: Version, here: Path) -> None:
    (here / "mine").mkdir()
    with pytest.raises(Refusal), disk_of(900), placing(here / "mine/new/out"):
        export(database, version, Format.LIMA, here / "mine/new/out")
    assert list((here / "mine").iterdir()) == []


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x.TAR.XZ", "x.7z", "x.tar.bz2", "x.zst"])
def test_an_archive_of_another_kind_is_no_folders_name(
    database: Database, version: Version, here: Path, name: str
) -> None:
    with pytest.raises(OtherPacking, match=r"Name a file in \.tar or \.zip, or a folder"):
        export(database, version, Format.LIMA, here / name)
    assert list(here.iterdir()) == []
    export(database, version, Format.LIMA, here / "v1.2")
    assert (here / "v1.2").is_dir()


def test_commands_say_in_a_sentence_where_they_cannot_write(
    handpicked: Shell, kitchen: factories.People, here: Path
) -> None:
    slug = kitchen.project.slug
    assert handpicked("freeze", slug, "--name", "v1").returncode == 0
    (here / "file").write_text("mine")
    for words in (
        ("export", f"{slug}@v1", "--out", here / "file/x"),
        ("export", f"{slug}@v1", "--out", here / "file/x.zip"),
        ("export", f"{slug}@v1", "--out", "/proc/xx"),
        ("export", f"{slug}@v1", "--out", here / ("x" * 300)),
        ("export", f"{slug}@v1", "--out", here / "x.tar.gz"),
        ("diff", f"{slug}@v1", f"{slug}@draft", "--out", here / "none/notes.md"),
        ("diff", f"{slug}@v1", f"{slug}@draft", "--out", here / "file/notes.md"),
    ):
        done = handpicked(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert done.stderr.startswith("handpicked: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    assert [path.name for path in here.iterdir()] == ["file"]
    assert handpicked("diff", f"{slug}@v1", f"{slug}@draft", "--out", here / "notes.md").returncode == 0
    assert (here / "notes.md").read_text("utf-8")


def test_a_name_is_taken_whatever_its_capitals(database: Database, kitchen: factories.People, version: Version) -> None:
    with database.writing() as session, pytest.raises(NameTaken, match=f"a version {version.name} already"):
        freeze_version(session, kitchen.lead, kitchen.project, name="V1")
    with database.writing() as session:
        assert freeze_version(session, kitchen.lead, kitchen.project, name="V1.1").name == "V1.1"


def brought_in(database: Database, settings: Settings, people: factories.People, path: Path) -> ImportRun:
    """The path imported into the set of a project of its own."""
    found = recognise(brought(path, workspace_of(settings)))
    with database.writing() as session:
        project = factories.project(session, people.lead)
        plan = ImportPlan(path=path, name=path.name, format=found, ruleset=NONE, into=Into.SET)
        run = start_import(session, people.lead, project, plan)
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        return session.get_one(ImportRun, run.id)


@pytest.mark.parametrize("gone", [(), ("manifest.json",), ("SHA256SUMS",)])
@pytest.mark.parametrize("packed", [False, True])
def test_examples_that_are_not_those_of_the_export_are_not_taken_in(
    database: Database, settings: Settings, kitchen: factories.People, version: Version, here: Path,
    gone: tuple[str, ...], packed: bool,
) -> None:  # fmt: skip
    out = here / "out"
    export(database, version, Format.LIMA, out)
    for name in gone:
        (out / name).unlink()
    assert brought_in(database, settings, kitchen, out).state is ImportState.PUBLISHED
    lines = (out / "examples.jsonl").read_bytes().split(b"\n")[:-1]
    first = json.loads(lines[0])
    first["messages"][0]["content"] = "Forged."
    (out / "examples.jsonl").write_bytes(b"".join(line + b"\n" for line in (json.dumps(first).encode(), *lines[1:])))
    path = Path(shutil.make_archive(str(here / "packed"), "zip", here, "out")) if packed else out
    run = brought_in(database, settings, kitchen, path)
    assert run.state is ImportState.FAILED
    assert "examples.jsonl is not what manifest.json and SHA256SUMS beside it say" in (run.error or "")
    for name in ("manifest.json", "SHA256SUMS"):
        (out / name).unlink(missing_ok=True)
    assert brought_in(database, settings, kitchen, out).state is ImportState.PUBLISHED
