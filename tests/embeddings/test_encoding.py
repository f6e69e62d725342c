"""The job that encodes a pool: it goes on after a kill, by two at once none is lost, and it can be stopped."""

import threading
from typing import NamedTuple

import psutil
import pytest
from sqlalchemy import func, insert, select

from app import handlers
from app.embeddings import operations, pool
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.queries import pool_standing
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue, request_cancellation
from app.jobs.running import run_now
from app.sources.models import Candidate
from app.text.canonical import content_hash
from tests.duplicates.rooms import SITE, import_run, messages
from tests.jobs.processes import WorkerProcess

assert handlers.ROOMS
# Some chunks of texts, each of which is kept by itself; a worker's own are as large as they are.
MANY = 3 * operations.TEXTS_A_CHUNK
FEW, A_CHUNK = 120, 30


@pytest.fixture
def many(database, people):
    fill(database, people, MANY)


@pytest.fixture
def few(database, people, monkeypatch):
    monkeypatch.setattr(pool, "TEXTS_A_CHUNK", A_CHUNK)
    fill(database, people, FEW)


def fill(database, people, count) -> None:
    with database.writing() as session:
        run = import_run(session, people)
        said = [messages(f"{number} times {number + 7}?") for number in range(count)]
        session.execute(
            insert(Candidate),
            [
                {
                    "project_id": run.project_id, "import_run_id": run.id, "site": SITE, "external_id": str(number),
                    "title": one[0]["content"], "messages": one, "content_hash": content_hash(one), "published": True,
                    "source": "stackexchange_other", "score": 1,
                }
                for number, one in enumerate(said)
            ],
        )  # fmt: skip


class Seen(NamedTuple):
    """Vectors that are kept, candidates that count as encoded, and how the job stands."""

    vectors: int
    encoded: int
    state: JobState
    # Of the worker: while it loads its model nothing else moves.
    spent: float = 0.0


def start(database, people) -> Job:
    with database.writing() as session:
        return operations.start_encoding(session, people.lead, people.project)


def seen(database, job) -> Seen:
    with database.reading() as session:
        counts = [session.scalar(select(func.count(table.id))) for table in (Embedding, CandidateText)]
        return Seen(*counts, session.get_one(Job, job.id).state)


def looking(database, job, worker):
    process = psutil.Process(worker.process.pid)
    return lambda: seen(database, job)._replace(spent=sum(process.cpu_times()[:2]))


def assert_whole(database, people, count) -> None:
    with database.reading() as session:
        [model] = session.scalars(select(Embedding.model).distinct())
        assert pool_standing(session, model, people.project.id) == (count, count)
        assert session.scalar(select(func.count(Embedding.id))) == count


def test_a_killed_worker_s_vectors_are_kept_and_another_goes_on(database, settings, people, many, tmp_path):
    job = start(database, people)
    with WorkerProcess(settings, database, tmp_path / "first.log") as first:
        first.wait_until(lambda now: now.vectors >= operations.TEXTS_A_CHUNK, looking(database, job, first), "vectors")
        first.kill()
    at_death = seen(database, job)
    assert 0 < at_death.vectors < MANY
    assert at_death.state is JobState.RUNNING
    with database.reading() as session:
        kept = set(session.scalars(select(Embedding.id)))
    with WorkerProcess(settings, database, tmp_path / "second.log") as second:
        second.wait_until(lambda now: now.state.over, looking(database, job, second), "the end")
        second.stop()
    assert_whole(database, people, MANY)
    with database.reading() as session:
        done = session.get_one(Job, job.id)
        numbers = session.scalars(select(Embedding.id)).all()
    assert done.state is JobState.SUCCEEDED, done.error
    assert kept <= set(numbers), "what was kept is the same row"
    assert done.attempts == 2
    assert done.done == MANY - at_death.encoded, "it counts what it has done itself, for the rate"


class Counting:
    """The encoder, telling how many texts it was given."""

    def __init__(self, encoder) -> None:
        self.encoder, self.texts = encoder, []
        self.name, self.key, self.dimensions, self.choice = encoder.name, encoder.key, encoder.dimensions, None

    def encode(self, texts, progress=None):
        self.texts += texts
        return self.encoder.encode(texts, progress)


@pytest.fixture
def counting(settings, monkeypatch):
    made = Counting(operations.encoder_for(settings.embedding_model))
    monkeypatch.setattr(pool, "encoder_for", lambda _name: made)
    return made


def test_nothing_that_was_kept_is_encoded_again(database, settings, people, few, counting):
    class Killed(BaseException):
        """Nothing catches it."""

    plain = counting.encode

    def die(texts, progress=None):
        if len(counting.texts) >= 2 * A_CHUNK:
            raise Killed
        return plain(texts, progress)

    counting.encode = die
    with pytest.raises(Killed):
        run_now(database, settings, start(database, people).id, "first")
    counting.encode = plain
    # What a command held is stopped with it; whoever asks next begins where it ended.
    assert run_now(database, settings, start(database, people).id, "second") is JobState.CANCELLED
    assert run_now(database, settings, start(database, people).id, "third") is JobState.SUCCEEDED
    assert len(counting.texts) == len(set(counting.texts)) == FEW
    assert_whole(database, people, FEW)


def test_two_at_once_lose_none(database, settings, people, few, monkeypatch):
    monkeypatch.setattr(pool, "CANDIDATES_A_PART", 50)
    with database.writing() as session:
        jobs = [
            enqueue(session, people.lead, operations.KIND, title="", project_id=number, project=number)
            for number in [people.project.id] * 2
        ]
    ended = {}

    def work(job) -> None:
        ended[job.id] = run_now(database, settings, job.id, f"worker {job.id}")

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert list(ended.values()) == [JobState.SUCCEEDED] * 2
    assert_whole(database, people, FEW)


def test_stopped_by_request_it_keeps_what_it_has(database, settings, people, few, counting):
    job = start(database, people)
    plain = counting.encode

    def stop_soon(texts, progress=None):
        with database.writing() as session:
            request_cancellation(session, people.lead, session.get_one(Job, job.id))
        return plain(texts, progress)

    counting.encode = stop_soon
    assert run_now(database, settings, job.id, "here") is JobState.CANCELLED
    assert 0 < len(counting.texts) < FEW
    counting.encode = plain
    again = start(database, people)
    assert again.id != job.id
    assert run_now(database, settings, again.id, "here") is JobState.SUCCEEDED
    # The chunk that was under way when the stop was heard may have been lost; no other.
    assert len(counting.texts) - len(set(counting.texts)) in {0, A_CHUNK}
    assert_whole(database, people, FEW)


def test_progress_says_how_far_and_by_what(database, settings, people, few, counting, monkeypatch):
    monkeypatch.setattr(pool, "TELL_EVERY", 0.0)
    told = []
    monkeypatch.setattr(
        pool.JobContext, "progress", lambda _, done, total=0, unit="", note="": told.append((done, total, unit, note))
    )
    job = start(database, people)
    assert run_now(database, settings, job.id, "here") is JobState.SUCCEEDED
    assert told[:2] == [(0, 0, "candidates", "loading the model"), (0, FEW, "candidates", "encoding")]
    assert [one[0] for one in told] == sorted(one[0] for one in told)
    assert told[-1][:2] == (FEW, FEW)
    assert len(told) > 4
