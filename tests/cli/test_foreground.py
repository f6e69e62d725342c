"""A command does its own work: workers find nothing of it, Ctrl-C is Stop, what a killed one held is taken up."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app import cli
from app.cli.context import House
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import enqueue
from app.jobs.running import HANDLERS, handles
from app.sources.models import Candidate, ImportRecord, ImportRun, ImportState
from app.worker import Worker, release_the_dead


@pytest.fixture
def environment(settings, monkeypatch):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))


def _chats(path, count):
    lines = [json.dumps({"conversations": [f"Hello {path.stem} {n}", "And hello to you"]}) for n in range(count)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@contextmanager
def _polling(settings, database):
    """A worker beside the test that looks for work all the time; the numbers of the jobs that it found."""
    worker, found, over = Worker(settings, database), [], threading.Event()
    worker.name = "another/boot/1/0.00"

    def poll():
        while not over.is_set():
            found.append(worker.work_once(Lane.QUICK))
            time.sleep(0.001)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def test_no_worker_finds_the_work_of_a_command_waiting(
    closing, database, settings, environment, people, tmp_path, monkeypatch
):
    files = [_chats(tmp_path / f"{number}.jsonl", 1500) for number in range(4)]
    monkeypatch.setattr(sys, "argv", ["handpicked", "import", people.project.slug, *map(str, files), "--json"])
    with _polling(settings, database) as found, pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert found
    assert not any(found)
    with database.reading() as session:
        jobs = session.scalars(select(Job)).all()
        assert [(job.state, job.attempts) for job in jobs] == [(JobState.SUCCEEDED, 1)] * len(files)
        assert all(f"/{os.getpid()}/" in job.worker for job in jobs)
        assert session.scalar(select(func.count()).select_from(Candidate)) == 1500 * len(files)


def test_what_waits_for_its_turn_in_a_command_stays_held(closing, database, settings, environment, people):
    """The first job goes on until the lease of the second was renewed: no first job is too long for those behind it."""
    ids = []

    def lease_of(number):
        with database.reading() as session:
            return session.get_one(Job, ids[number]).lease_until

    @handles("long")
    def work(context):
        before, deadline = lease_of(1), time.monotonic() + 60
        while context.job_id == ids[0] and lease_of(1) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    house = House(settings=settings.model_copy(update={"lease_seconds": 8.0}))
    try:
        with house.writing() as (session, actor):
            for _ in range(2):
                ids.append(enqueue(session, actor, "long", title="A work").id)
                house.take(session, ids[-1])
        assert [job.state for job in house.run(*ids)] == [JobState.SUCCEEDED] * 2
    finally:
        del HANDLERS["long"]


def test_a_try_that_goes_wrong_by_who_else_is_at_work_is_not_left_to_a_worker(
    closing, database, settings, environment, people
):
    tries = []

    @handles("wrong once")
    def work(context):
        tries.append(context.attempts)
        if len(tries) == 1:
            raise OperationalError("", {}, Exception("database is locked"))

    house = House(settings=settings)
    try:
        with _polling(settings, database) as found:
            with house.writing() as (session, actor):
                job = enqueue(session, actor, "wrong once", title="A work")
                house.take(session, job.id)
            (ended,) = house.run(job.id)
    finally:
        del HANDLERS["wrong once"]
    assert (ended.state, tries, any(found)) == (JobState.SUCCEEDED, [1, 2], False)


def test_a_second_ctrl_c_ends_the_command_and_leaves_the_stopping_to_a_worker(
    closing, database, settings, environment, people
):
    @handles("deaf")
    def work(context):
        if not context.cancel_requested.is_set():
            for _ in range(2):
                signal.raise_signal(signal.SIGINT)
        context.check()

    house = House(settings=settings)
    try:
        with house.writing() as (session, actor):
            job = enqueue(session, actor, "deaf", title="A work")
            house.take(session, job.id)
        with pytest.raises(KeyboardInterrupt):
            house.run(job.id)
        with database.reading() as session:
            assert session.get_one(Job, job.id).state is JobState.QUEUED
        assert Worker(settings, database).work_once(Lane.QUICK)
    finally:
        del HANDLERS["deaf"]
    with database.reading() as session:
        assert session.get_one(Job, job.id).state is JobState.CANCELLED


@contextmanager
def _importing(database, people, path):
    """`handpicked import` of a file in a process of its own, that has written some records by now."""
    command = [sys.executable, "-m", "app.cli", "import", people.project.slug, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not _count(database, ImportRecord):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()


def _count(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _states(database):
    with database.reading() as session:
        run = session.scalars(select(ImportRun)).one()
        return run.state, session.get_one(Job, run.job_id).state


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_work_and_nothing_of_it_stays(database, environment, people, tmp_path, number):
    with _importing(database, people, _chats(tmp_path / "a.jsonl", 60_000)) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (1, "handpicked: Stopped by request.\n")
    assert _states(database) == (ImportState.CANCELLED, JobState.CANCELLED)
    assert _count(database, Candidate) == _count(database, ImportRecord) == 0


def test_what_a_killed_command_held_is_taken_up_by_a_worker(database, settings, environment, people, tmp_path):
    with _importing(database, people, _chats(tmp_path / "a.jsonl", 20_000)) as process:
        process.kill()
        process.wait()
    assert _states(database) == (ImportState.RUNNING, JobState.RUNNING)
    release_the_dead(database)  # as a worker does when it starts; another one waits for the lease to end
    assert Worker(settings, database).work_once(Lane.QUICK)
    assert _states(database) == (ImportState.PUBLISHED, JobState.SUCCEEDED)
    assert _count(database, Candidate) == 20_000
