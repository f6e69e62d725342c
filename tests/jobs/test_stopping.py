"""A request to stop is heard at the next write, and within a second by work that writes nothing."""

import threading
import time
from datetime import timedelta

import pytest

from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import Cancelled, claim_one, enqueue, request_cancellation
from app.jobs.running import HANDLERS, LISTEN, JobContext, handles
from app.worker import Worker


@pytest.fixture
def slow_beat(settings):
    """So slow a beat that only listening can hear anything."""
    return settings.model_copy(update={"lease_seconds": 600.0})


@pytest.fixture
def job(database, people):
    with database.writing() as session:
        return enqueue(session, people.annotator, "long_work", title="Long work", project_id=people.project.id)


def _ask(database, people, job):
    with database.writing() as session:
        request_cancellation(session, people.lead, session.get_one(Job, job.id))


def test_the_next_write_after_the_request_hears_it(database, slow_beat, people, job):
    with database.writing() as session:
        held = claim_one(session, "host/boot/1/0.00", job.id, timedelta(seconds=600))
    context = JobContext(database, slow_beat, held)
    written = []

    def step(number):
        def write(_session):
            written.append(number)

        return write

    context.in_turns([step(0)])
    _ask(database, people, job)
    with pytest.raises(Cancelled):
        context.in_turns([step(1), step(2)], most=1)
    assert written == [0, 1]  # heard with the first write, and the second is not begun


def test_work_that_writes_nothing_hears_it_within_a_second(database, slow_beat, people, job):
    begun, heard = threading.Event(), []

    def work(context):
        begun.set()
        assert context.cancel_requested.wait(30)
        heard.append(time.monotonic())
        context.check()

    handles("long_work")(work)
    try:
        worker = threading.Thread(target=Worker(slow_beat, database).work_once, args=(Lane.QUICK,))
        worker.start()
        assert begun.wait(30)
        _ask(database, people, job)
        asked = time.monotonic()
        worker.join(60)
    finally:
        HANDLERS.pop("long_work", None)
    assert heard[0] - asked < LISTEN + 2  # a look a second, and a busy machine; the beat comes after 150 seconds
    with database.reading() as session:
        assert session.get_one(Job, job.id).state is JobState.CANCELLED
