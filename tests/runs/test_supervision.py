"""Whoever dies, a run ends with the losses of an unbroken one, bit by bit."""

import contextlib
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.config import Settings
from app.db import Database, sqlite_module
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import request_cancellation
from app.runs import operations, processes, queries
from app.runs.folders import run_folder
from app.runs.models import BaseModel, Checkpoint, RunState, TrainingRun
from app.worker import Worker
from tests.runs.conftest import LONG, Ground, WorkerProcess, job_of, look, losses, reached, wait_until
from training.spec import read_result, trainer_process, whole_checkpoints

Start = Callable[..., TrainingRun]
Losses = Callable[..., list[float]]
Work = Callable[..., bool]
NewWorker = Callable[..., WorkerProcess]


def trainer_of(settings: Settings, run: TrainingRun) -> int:
    pid = trainer_process(run_folder(settings, run.id).path)
    assert pid is not None
    return pid


def kill_trainer(settings: Settings, run: TrainingRun) -> None:
    os.kill(trainer_of(settings, run), signal.SIGKILL)


def background(work: Work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_queued_run_succeeds(database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work):
    run = start()
    assert look(database, run).state is RunState.QUEUED
    assert work()
    ended = look(database, run)
    assert (ended.state, ended.step, ended.steps, ended.epoch) == (RunState.SUCCEEDED, 12, 12, 4)
    assert losses(settings, run) == unbroken()
    assert ended.loss == ended.result["last_loss"] == unbroken()[-1]
    assert ended.started_at
    assert ended.finished_at
    job = job_of(database, run)
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 12, 12)
    with database.reading() as session:
        rows = session.scalars(queries.checkpoints_of(run)).all()
        found = whole_checkpoints(run_folder(settings, run.id).path)
        assert [(row.name, row.sha256) for row in rows] == [(one.name, one.sha256) for one in found]
        assert [row.epoch for row in rows] == [1, 2, 3, 4]
        verbs = set(session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"run:{run.id}")))
    assert verbs == {"start run"}
    assert not list(processes.bearing(run.token))


def test_the_worker_killed_the_trainer_is_adopted(
    database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work, worker_process: NewWorker
):
    run = start(**LONG)
    folder = run_folder(settings, run.id)
    worker = worker_process()
    wait_until(lambda: reached(folder, 8))
    trainer = trainer_of(settings, run)
    environment = Path(f"/proc/{trainer}/environ").read_bytes()
    assert run.token.encode() in environment
    assert b"canary" not in environment  # A72; the worker has it in its own
    worker.kill()
    assert psutil.pid_exists(trainer)
    assert look(database, run).state is RunState.RUNNING
    assert work()
    assert look(database, run).state is RunState.SUCCEEDED
    assert losses(settings, run) == unbroken(**LONG)
    assert folder.log.read_text().count("Steps 1 to 120") == 1  # one trainer did it all


@pytest.mark.any_database
def test_the_trainer_killed_is_started_again(
    database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work
):
    run = start(**LONG)
    folder = run_folder(settings, run.id)
    working = background(work)
    wait_until(lambda: reached(folder, 30))
    kill_trainer(settings, run)
    working.join()
    assert look(database, run).state is RunState.SUCCEEDED
    assert losses(settings, run) == unbroken(**LONG)
    begun = re.findall(r"Steps (\d+) to 120 on cpu", folder.log.read_text())
    assert begun[0] == "1"
    assert int(begun[1]) % 12 == 1, "from the end of an epoch, where the last whole checkpoint was"
    assert int(begun[1]) > 24


def test_both_killed(
    database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work, worker_process: NewWorker
):
    run = start(**LONG)
    worker = worker_process()
    wait_until(lambda: reached(run_folder(settings, run.id), 30))
    worker.kill()
    kill_trainer(settings, run)
    assert work()
    assert look(database, run).state is RunState.SUCCEEDED
    assert losses(settings, run) == unbroken(**LONG)


def test_stopped_and_resumed(
    database: Database, settings: Settings, start: Start, ground: Ground, unbroken: Losses, work: Work
):
    run = start(**LONG)
    folder = run_folder(settings, run.id)
    working = background(work)
    wait_until(lambda: reached(folder, 5))
    with database.writing() as session:
        operations.stop_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    assert look(database, run).state is RunState.STOPPING
    with database.writing() as session:  # a second time changes nothing
        operations.stop_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    working.join()
    stopped = look(database, run)
    assert stopped.state is RunState.STOPPED
    assert 5 <= stopped.step < 120
    assert whole_checkpoints(folder.path)[-1].step == stopped.step
    assert job_of(database, run).state is JobState.CANCELLED
    assert not list(processes.bearing(run.token))
    with database.writing() as session:
        operations.resume_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    assert work()
    ended = look(database, run)
    assert (ended.state, ended.reason) == (RunState.SUCCEEDED, None)
    assert losses(settings, run) == unbroken(**LONG)
    with database.reading() as session:
        rows = session.scalars(select(Checkpoint).where(Checkpoint.run_id == run.id)).all()
        kept = {row.name for row in rows if row.removed_at is None}
        said = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"run:{run.id}")).all()
    assert kept == {one.name for one in whole_checkpoints(folder.path)}
    assert said.count("stop run") == 1
    assert said.count("resume run") == 1


def test_stopped_while_it_waits(database: Database, settings: Settings, start: Start, ground: Ground, work: Work):
    run = start()
    with database.writing() as session:
        operations.stop_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    assert look(database, run).state is RunState.STOPPED
    assert job_of(database, run).state is JobState.CANCELLED
    assert not work()
    assert not run_folder(settings, run.id).path.exists()


def test_its_job_cancelled_is_the_run_stopped(database: Database, start: Start, ground: Ground, work: Work):
    waiting = start()
    with database.writing() as session:
        request_cancellation(session, ground.people.lead, session.get_one(Job, waiting.job_id))
    stopped = look(database, waiting)
    assert (stopped.state, stopped.reason) == (RunState.STOPPED, "Stopped before it began.")
    assert not work()


def test_a_run_that_was_handed_over_is_not_orphaned_by_a_stop(
    database: Database, settings: Settings, start: Start, ground: Ground, work: Work
):
    """The worker ended in peace and the trainer lives: the job waits, but the run does not."""
    run = start(**LONG)
    worker = Worker(settings, database)
    working = background(lambda: worker.work_once(Lane.TRAINING))
    wait_until(lambda: reached(run_folder(settings, run.id), 3))
    worker.stop()
    working.join()
    job = job_of(database, run)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert look(database, run).state is RunState.RUNNING
    trainer_of(settings, run)
    with database.writing() as session:
        operations.stop_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    assert look(database, run).state is RunState.STOPPING
    assert work()
    assert look(database, run).state is RunState.STOPPED
    assert not list(processes.bearing(run.token))


@pytest.mark.any_database
def test_a_stop_that_nobody_asked_for_is_no_end(
    database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work
):
    """A machine that shuts down tells every process to end; the run goes on after it."""
    run = start(**LONG)
    working = background(work)
    wait_until(lambda: reached(run_folder(settings, run.id), 4))
    os.kill(trainer_of(settings, run), signal.SIGTERM)
    working.join()
    assert look(database, run).state is RunState.SUCCEEDED
    assert losses(settings, run) == unbroken(**LONG)


@pytest.mark.any_database
def test_a_trainer_that_heeds_no_stop_is_ended(database: Database, settings: Settings, start: Start, ground: Ground):
    run = start(epochs="1000")
    impatient = settings.model_copy(update={"stop_grace_seconds": 0.5})
    working = background(lambda: Worker(impatient, database).work_once(Lane.TRAINING))
    wait_until(lambda: reached(run_folder(settings, run.id), 3))
    os.kill(trainer_of(settings, run), signal.SIGSTOP)
    with database.writing() as session:
        operations.stop_run(session, ground.people.lead, queries.run_by_id(session, run.id))
    working.join()
    assert look(database, run).state is RunState.STOPPED
    assert not list(processes.bearing(run.token))


def test_a_trainer_that_dies_again_and_again_is_given_up(
    database: Database, settings: Settings, start: Start, ground: Ground, work: Work, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(processes, "PASSED_ON", ())
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    run = start()
    assert work()
    failed = look(database, run)
    assert failed.state is RunState.FAILED
    assert failed.reason
    assert failed.reason.startswith("The trainer died 3 times")
    assert job_of(database, run).error == failed.reason


@pytest.mark.any_database
def test_what_the_trainer_says_of_its_failure_is_the_reason(
    database: Database, settings: Settings, start: Start, ground: Ground, work: Work
):
    run = start()
    with database.writing() as session:
        session.get_one(BaseModel, ground.model.id).path = str(settings.data_dir / "gone")
    assert work()
    failed = look(database, run)
    result = read_result(run_folder(settings, run.id).path)
    assert result
    assert failed.state is RunState.FAILED
    assert failed.reason == f"{result['message']} {result['next_step']}"
    assert failed.reason.startswith("The model's folder gone is not there any more")
    assert job_of(database, run).state is JobState.FAILED


def test_a_failed_run_can_be_resumed(database: Database, start: Start, ground: Ground):
    run = start()
    with database.writing() as session:
        found = queries.run_by_id(session, run.id)
        session.get_one(Job, run.job_id).state = JobState.FAILED
        operations.fail_run(session, {"run_id": run.id}, "The disk was full.", JobState.FAILED)
        assert (found.state, found.reason) == (RunState.FAILED, "The disk was full.")
        operations.resume_run(session, ground.people.lead, found)
    again = look(database, run)
    assert (again.state, again.reason) == (RunState.QUEUED, None)
    assert again.job_id != run.job_id
    assert job_of(database, run).state is JobState.QUEUED


def test_a73_two_workers_never_share_a_run(database: Database, settings: Settings, start: Start, unbroken: Losses):
    runs = [start(), start()]
    workers = [Worker(settings, database), Worker(settings, database)]
    threads = [background(lambda worker=worker: worker.work_once(Lane.TRAINING)) for worker in workers]
    for thread in threads:
        thread.join()
    for run in runs:
        assert look(database, run).state is RunState.SUCCEEDED
        assert losses(settings, run) == unbroken()
        assert run_folder(settings, run.id).log.read_text().count("Steps 1 to 12") == 1
        assert job_of(database, run).attempts == 1


def freeze(worker: WorkerProcess, database: Database) -> None:
    """Stop it between two of its transactions: whoever stands still within one keeps all of SQLite from writing."""
    wait_until(lambda: stopped_outside(worker, database))


def stopped_outside(worker: WorkerProcess, database: Database) -> bool:
    worker.process.send_signal(signal.SIGSTOP)
    if database.engine.dialect.name != "sqlite" or may_write(database):
        return True
    worker.process.send_signal(signal.SIGCONT)
    return False


def may_write(database: Database) -> bool:
    module = sqlite_module()
    with contextlib.closing(module.connect(database.engine.url.database, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except module.OperationalError:
            return False
        return True


def test_a73_a_worker_that_froze_writes_nothing_more(
    database: Database, settings: Settings, start: Start, unbroken: Losses, work: Work, worker_process: NewWorker
):
    run = start(**LONG)
    frozen = worker_process()
    wait_until(lambda: reached(run_folder(settings, run.id), 3))
    freeze(frozen, database)
    wait_until(work, seconds=30)  # its lease runs out, another takes the run to its end
    ended = look(database, run)
    job = job_of(database, run)
    frozen.process.send_signal(signal.SIGCONT)
    time.sleep(1.5)
    after = look(database, run)
    assert (after.state, after.finished_at) == (RunState.SUCCEEDED, ended.finished_at)
    assert job_of(database, run).changed_at == job.changed_at
    assert losses(settings, run) == unbroken(**LONG)


def test_a_worker_that_dies_too_often_fails_the_run(database: Database, settings: Settings, start: Start, work: Work):
    run = start()
    with database.writing() as session:
        job = session.get_one(Job, run.job_id)
        job.state, job.attempts, job.worker = JobState.RUNNING, settings.max_attempts, "gone/boot/1/0"
        job.lease_until = job.created_at
    assert not work()
    failed = look(database, run)
    assert failed.state is RunState.FAILED
    assert failed.reason
    assert "workers died" in failed.reason


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_points(
    seed: int,
    database: Database,
    settings: Settings,
    start: Start,
    unbroken: Losses,
    work: Work,
    worker_process: NewWorker,
):
    """Worker, trainer or both, up to three times, at any point."""
    chance = random.Random(seed)
    run = start(**LONG)
    for _ in range(3):
        worker = worker_process()
        time.sleep(chance.uniform(2, 9))
        pid = trainer_process(run_folder(settings, run.id).path)
        if chance.random() < 0.7:
            worker.kill()
        if pid is not None and chance.random() < 0.7:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        worker.kill()
    while look(database, run).state.live:
        work()
    assert look(database, run).state is RunState.SUCCEEDED
    assert losses(settings, run) == unbroken(**LONG)
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.kind == "train")) == 1
