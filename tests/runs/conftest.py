"""A frozen version, the tiny model once a session, and what an unbroken run of them writes."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.config import ROOT, Settings
from app.datasets.models import Version
from app.datasets.operations import freeze_version, training_rows
from app.db import Database, now
from app.jobs.models import Job, JobState, Lane
from app.projects.models import Split
from app.runs import operations, processes, queries
from app.runs.folders import fill, run_folder
from app.runs.modelfolder import inspect_model
from app.runs.models import BaseModel, Checkpoint, ModelKind, TrainingRun
from app.worker import Worker, release_the_dead
from tests import factories
from tests.datasets.material import approve, dialogue
from training.spec import RunFolder, read_progress, spec_from

LINES = (
    "Brew it within a few minutes, while the smell is strong.",
    "Call its sort method; to keep the first list, ask for a sorted copy.",
    "Weight is how hard it is pulled, mass is how much there is.",
    "Check the soil first: too wet is more common than too dry.",
)
# 12 train rows, 4 a step: 3 steps an epoch, a fiftieth of a second each; a trainer takes seconds to start.
SMALL = {"epochs": "4", "batch_size": "4", "micro_batch": "4", "threads": "1", "device": "cpu"}
LONG = {**SMALL, "batch_size": "1", "epochs": "10"}  # 120 steps, ten checkpoints


@contextmanager
def made_once(folder: Path, name: str) -> Iterator[Path]:
    """A path that the first worker fills while the others wait: a process that loads torch takes seconds."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name


@pytest.fixture(scope="session")
def tiny(once_for_all: Path) -> Path:
    """The folder of the tiny base model, made by one worker for all."""
    with made_once(once_for_all, "tiny") as folder:
        if not folder.exists():
            made = folder.with_suffix(".making")
            command = [sys.executable, "-m", "training.tiny", str(made)]
            subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
            made.rename(folder)
    return folder


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As everywhere, but one thread, and no stepping back on a busy machine."""
    return settings.model_copy(update={"threads": 1, "niceness": 0, "stop_grace_seconds": 60})


@dataclass(frozen=True)
class Ground:
    """What a run needs: people, a version of theirs, a model called tiny."""

    people: factories.People
    version: Version
    model: BaseModel


@pytest.fixture
def ground(database: Database, people: factories.People, tiny: Path) -> Ground:
    with database.writing() as session:
        for number in range(12):
            said = dialogue(f"Question {number}?", f"{LINES[number % 4]} {LINES[(number * 3 + 1) % 4]}")
            approve(session, people.project, people.annotator, people.reviewer, said)
        for split, answer in ((Split.DEV, LINES[0]), (Split.TEST, None)):
            said = dialogue(f"A question of {split.value}?", answer)
            approve(session, people.project, people.annotator, people.reviewer, said, split=split)
        version = freeze_version(session, people.lead, people.project, name="v1")
        facts = inspect_model(tiny)
        model = BaseModel(
            name="tiny", kind=ModelKind.FOLDER, path=str(tiny), ready_at=now(), architecture=facts.architecture,
            parameters=facts.parameters, layers=facts.layers, sha256=facts.sha256,
        )  # fmt: skip
        session.add(model)
    return Ground(people, version, model)


@pytest.fixture
def start(database: Database, ground: Ground) -> Callable[..., TrainingRun]:
    """`start(**settings)` queues a smoke run on v1 from tiny."""

    def start_run(**overrides: str) -> TrainingRun:
        with database.writing() as session:
            return operations.start_run(
                session, ground.people.lead, ground.people.project, ground.version,
                model_name="tiny", recipe="smoke", overrides={**SMALL, **overrides},
            )  # fmt: skip

    return start_run


@pytest.fixture
def unbroken(
    database: Database, ground: Ground, tiny: Path, tmp_path: Path, once_for_all: Path
) -> Callable[..., list[float]]:
    """`unbroken(**settings)`: the losses of the same run by the trainer alone, without any of the app around it."""

    def train(**overrides: str) -> list[float]:
        wanted = {**SMALL, **overrides}
        name = " ".join(f"{setting}={value}" for setting, value in sorted(wanted.items()))
        with made_once(once_for_all, f"unbroken {name}") as told:
            if not told.exists():
                folder = RunFolder(tmp_path / "unbroken")
                with database.reading() as session:
                    rows = list(training_rows(session, ground.version))
                fill(folder, spec_from("smoke", wanted, base_model=str(tiny)), rows)
                environment = processes.environment("unbroken", 1)
                command = [sys.executable, "-m", "training.sft", str(folder.path)]
                subprocess.run(command, check=True, cwd=ROOT, capture_output=True, env=environment)
                told.write_text(json.dumps([step["loss"] for step in read_progress(folder.path).steps]))
            return list(json.loads(told.read_text()))

    return train


@pytest.fixture
def work(database: Database, settings: Settings) -> Callable[..., bool]:
    """`work()` is what a worker does that was just started: let go of the dead, then do one training job."""

    def work_once(lane: Lane = Lane.TRAINING) -> bool:
        release_the_dead(database)
        return Worker(settings, database).work_once(lane)

    return work_once


class WorkerProcess:
    """A worker of its own process, to be killed."""

    def __init__(self, settings: Settings, lanes: str = "training", **more: str) -> None:
        environment = {
            **os.environ,
            "HANDPICKED_DATABASE_URL": settings.url,
            "HANDPICKED_DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": "postgresql://canary.example.org",
            "HANDPICKED_SECRET": "canary",
            "HANDPICKED_LEASE_SECONDS": "2",
            "HANDPICKED_POLL_SECONDS": "0.05",
            "HANDPICKED_THREADS": "1",
            "HANDPICKED_NICENESS": "0",
            "HANDPICKED_WORKER_LANES": lanes,
            **more,
        }
        command = [sys.executable, "-m", "app.worker"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


@pytest.fixture
def worker_process(settings: Settings, database: Database) -> Iterator[Callable[..., WorkerProcess]]:
    """`worker_process()` starts a worker; all are gone at the end of the test, and so are their trainers."""
    started: list[WorkerProcess] = []

    def begin(**more: str) -> WorkerProcess:
        started.append(WorkerProcess(settings, **more))
        return started[-1]

    yield begin
    for worker in started:
        worker.kill()
    with database.reading() as session:
        tokens = [run.token for run in session.scalars(queries.all_runs())]
    for token in tokens:
        processes.end_all(token, grace=0)


STEPS = [
    {"step": at, "steps": 12, "epoch": at / 3, "loss": 6.0 - at / 3, "lr": 3e-3 - 2.25e-4 * (at - 1), "grad_norm": 1.5,
     "tokens": 480, "trained_tokens": 300, "seconds": 0.5, "tokens_per_second": 960.0, "seconds_left": 0.5 * (12 - at),
     "time": 1.7e9 + at}
    for at in range(1, 8)
]  # fmt: skip


@pytest.fixture
def at(ground: Ground) -> str:
    return f"/projects/{ground.people.project.slug}/runs"


@pytest.fixture
def running(database: Database, settings: Settings, start: Callable[..., TrainingRun]) -> TrainingRun:
    """A run at step 7 of 12, with what its trainer has written until now."""
    run = start()
    folder = run_folder(settings, run.id)
    folder.path.mkdir(parents=True)
    folder.progress.write_text("".join(json.dumps(step) + "\n" for step in STEPS))
    with database.writing() as session:
        job = session.get_one(Job, run.job_id)
        job.state, job.started_at = JobState.RUNNING, job.created_at
        found = queries.run_by_id(session, run.id)
        operations.note_launch(session, found)
        operations.note_progress(session, found, STEPS[-1])
        session.add(Checkpoint(run_id=run.id, name="epoch-02", epoch=2, step=6, sha256="ab" * 32))
    return run


def wait_until(truth: Callable[[], Any], seconds: float = 90) -> None:
    """Until something is so."""
    end = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def reached(folder: RunFolder, step: int) -> bool:
    """Whether progress.jsonl has a whole line of that step."""
    return folder.progress.exists() and folder.progress.read_bytes().count(b"\n") >= step


def losses(settings: Settings, run: TrainingRun) -> list[float]:
    """The loss of each step, exactly as written; each step stands once and in order."""
    steps = read_progress(run_folder(settings, run.id).path).steps
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    return [step["loss"] for step in steps]


def look(database: Database, run: TrainingRun) -> TrainingRun:
    """The run as it is now."""
    with database.reading() as session:
        found = queries.run_by_id(session, run.id)
        assert found is not None
        return found


def job_of(database: Database, run: TrainingRun) -> Job:
    """The run's newest job as it is now."""
    with database.reading() as session:
        return session.get_one(Job, look(database, run).job_id)


def choices(**changes: str) -> dict[str, str]:
    """A posted form of a new run."""
    return {"version": "v1", "model": "tiny", "recipe": "smoke", "defaults_of": "smoke", **changes}
