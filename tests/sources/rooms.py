"""What tests of this room share: files to upload, imports that are done."""

from pathlib import Path

from app import sample
from app.jobs.running import run_now
from app.sources import operations
from app.sources.models import ImportRun
from app.sources.operations import ImportPlan
from app.sources.rulesets import LIMA
from app.worker import worker_name

SITE = sample.SITE


def start(database, people, path: Path, **plan) -> ImportRun:
    """An import that waits for its worker; of the sample's site by LIMA's rules, unless `plan` says otherwise."""
    plan = {"name": "An import", "format": "stackexchange", "ruleset": LIMA, "site": SITE, **plan}
    with database.writing() as session:
        return operations.start_import(session, people.annotator, people.project, ImportPlan(path=path, **plan))


def imported(database, settings, people, path: Path, **plan) -> ImportRun:
    """An import that a worker has ended."""
    run = start(database, people, path, **plan)
    run_now(database, settings, run.job_id, worker_name())
    return again(database, run)


def again(database, run: ImportRun) -> ImportRun:
    """The same import as it stands now."""
    with database.reading() as session:
        return session.get_one(ImportRun, run.id)


def work(database, settings, people, import_id: int) -> ImportRun:
    """Do a started import's job and give the import."""
    with database.reading() as session:
        run = session.get_one(ImportRun, import_id)
    run_now(database, settings, run.job_id, worker_name())
    return again(database, run)


def dump_files() -> list[tuple[str, tuple[str, bytes]]]:
    """The sample's Posts.xml and Users.xml as a browser posts them."""
    folder = sample.dump_folder()
    return [("files", (name, (folder / name).read_bytes())) for name in ("Posts.xml", "Users.xml")]


def upload(name: str, content: str | bytes) -> list[tuple[str, tuple[str, bytes]]]:
    """One file as a browser posts it."""
    return [("files", (name, content.encode() if isinstance(content, str) else content))]


def uploads_in(settings) -> list[Path]:
    """What lies in the folder of uploads."""
    folder = settings.data_dir / "uploads"
    return sorted(folder.iterdir()) if folder.exists() else []
