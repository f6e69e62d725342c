"""Who writes when several want to: a long job lets others in, nobody waits for ever, lost clients hold nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from app import db
from app.db import now
from app.jobs import running
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import claim_one, enqueue
from app.jobs.running import HANDLERS, JobContext, handles, run_now
from app.projects.models import Project
from app.turns import Line
from app.worker import Worker


@pytest.fixture
def job(database, people):
    with database.writing() as session:
        return enqueue(session, people.annotator, "long_work", title="Long work", project_id=people.project.id)


@pytest.fixture
def context(database, settings, job):
    """The job, held as a worker holds it."""
    with database.writing() as session:
        held = claim_one(session, "host/boot/1/0.00", job.id, timedelta(seconds=settings.lease_seconds))
    return JobContext(database, settings, held)


@pytest.fixture
def handler():
    """Registers what the job does, for this test."""
    yield handles("long_work")
    HANDLERS.pop("long_work", None)


@pytest.fixture
def only_sqlite(database):
    if database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL lets several write at once")


@pytest.fixture
def only_postgresql(database):
    if database.engine.dialect.name == "sqlite":
        pytest.skip("with SQLite no server outlives its client")


def _read(database, job):
    with database.reading() as session:
        return session.get_one(Job, job.id)


def test_a_long_job_lets_in_who_waits_after_the_step_in_hand(only_sqlite, database, context):
    """Each save of somebody else has its turn after one step, two where it came at the end of one; never many."""
    steps, waited, over = [0], [], threading.Event()

    def step(_session):
        steps[0] += 1
        time.sleep(0.002)

    def save():
        _until(lambda: steps[0] >= 5)
        while len(waited) < 30:
            asked = steps[0]
            with database.writing() as session:
                session.scalar(select(func.count(Job.id)))
                waited.append(steps[0] - asked)
                time.sleep(0.004)  # as long as a save takes
        over.set()

    others = threading.Thread(target=save)
    others.start()
    context.in_turns((step for _ in range(1500) if not over.is_set()), most=1000)
    others.join(60)
    assert len(waited) == 30
    assert sorted(waited)[len(waited) // 2] <= 2
    assert sorted(waited)[-3] <= 10  # a busy machine may leave one of them asleep meanwhile
    assert steps[0] >= 20  # and it gets on, however many others save


def test_where_nobody_waits_it_writes_many_steps_at_once(database, context):
    began = []
    with _counting_commits(database) as commits:
        context.in_turns([began.append] * 25, most=10)
    assert [began.count(one) for one in dict.fromkeys(began)] == [10, 10, 5]
    assert commits == [1, 1, 1]


@contextmanager
def _counting_commits(database):
    commits = []

    def note(_connection):
        commits.append(1)

    db.event.listen(database.engine, "commit", note)
    yield commits
    db.event.remove(database.engine, "commit", note)


def test_the_line_knows_whether_anybody_waits(only_sqlite, database, tmp_path):
    assert not database.wanted()
    with database.writing() as session:
        session.scalar(select(1))
        assert not database.wanted()
        other = threading.Thread(target=_touch, args=(database,))
        other.start()
        _until(database.wanted)
    other.join(60)
    assert not database.wanted()


def _touch(database):
    with database.writing() as session:
        session.scalar(select(1))


def _until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.002)


def test_without_its_file_the_line_is_in_nobody_s_way(tmp_path):
    line = Line(tmp_path / "not there" / "x.sqlite3")
    with line.next(1):
        assert not line.wanted()


def test_a_writer_that_waits_too_long_is_told_so(only_sqlite, database, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE", 0.05)
    with database.writing() as session:
        session.scalar(select(1))
        with pytest.raises(OperationalError, match="locked"):
            _touch(database)
    _touch(database)


def test_a_lease_outlives_a_transaction_that_is_longer_than_it(database, settings, context, job):
    """The beat cannot renew it meanwhile: the transaction has the job's row, on SQLite the whole database."""
    context.settings = settings.model_copy(update={"lease_seconds": 0.2})
    with context.writing() as session:
        session.scalar(select(1))
        time.sleep(0.3)
    assert _read(database, job).lease_until > now()


def test_a_worker_told_to_stop_while_it_takes_a_job_tells_the_job(database, settings, job, handler, monkeypatch):
    told = []

    @handler
    def _look(context):
        told.append(context.shutting_down.is_set())
        context.go_on()

    worker = Worker(settings, database)
    take = running.operations.claim

    def stopped_meanwhile(*arguments):
        taken = take(*arguments)
        worker.stop()
        return taken

    monkeypatch.setattr(running.operations, "claim", stopped_meanwhile)
    assert worker.work_once(Lane.QUICK)
    assert told == [True]
    assert (_read(database, job).state, _read(database, job).attempts) == (JobState.QUEUED, 0)


def test_a_worker_ends_by_a_signal_that_another_of_its_threads_was_given(database, settings):
    """The system gives it to whichever it likes; the main thread, which acts on it, then sleeps on."""
    worker = Worker(settings, database)
    in_time = threading.Timer(20, worker.stop)

    def send():
        _until(lambda: sum(thread.name in settings.worker_lanes for thread in threading.enumerate()) >= 2)
        time.sleep(0.2)  # until the main thread waits for the lanes
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    usual = signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    try:
        in_time.start()
        threading.Thread(target=send).start()
        worker.run()
        assert in_time.is_alive()
    finally:
        in_time.cancel()
        signal.signal(signal.SIGTERM, usual)


def test_a_job_that_waited_in_vain_for_others_is_started_again(database, settings, people, job, handler, monkeypatch):
    """Whoever held the lock was at fault, so the work begins anew; but not for ever."""
    monkeypatch.setattr(db, "PATIENCE", 0.2)
    rename = update(Project).where(Project.id == people.project.id).values(name="New")

    @handler
    def _rename(context):
        with database.writing() as somebody, context.writing() as session:
            somebody.execute(rename)
            session.execute(rename)

    few = settings.model_copy(update={"max_attempts": 2})
    worker = Worker(few, database)
    assert worker.work_once(Lane.QUICK)
    assert (_read(database, job).state, _read(database, job).attempts) == (JobState.QUEUED, 1)
    assert worker.work_once(Lane.QUICK)
    assert (_read(database, job).state, _read(database, job).attempts) == (JobState.FAILED, 2)


def test_the_command_line_starts_it_again_itself(database, settings, people, job, handler, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE", 0.2)
    rename = update(Project).where(Project.id == people.project.id).values(name="New")

    @handler
    def _rename(context):
        with database.writing() as somebody:
            if context.attempts == 1:
                somebody.execute(rename)
                with context.writing() as session:
                    session.execute(rename)

    assert run_now(database, settings, job.id, "host/boot/1/0.00") is JobState.SUCCEEDED


HOLD = """
import sys
from sqlalchemy import text
from app.config import Settings
from app.db import Database
with Database(Settings()).writing() as session:
    session.execute(text("UPDATE project SET name = 'Held'"))
    print("held", flush=True)
    session.execute(text("SELECT pg_sleep(300)"))
"""


def test_a_killed_worker_s_statement_holds_nothing_for_long(only_postgresql, database, settings, people):
    """The server would go on with it to its end, keep its locks, and let everybody wait."""
    environment = {**os.environ, "HANDPICKED_DATABASE_URL": settings.url}
    process = subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with database.writing() as session:
        assert session.scalar(text("SELECT name FROM project FOR UPDATE")) != "Held"
