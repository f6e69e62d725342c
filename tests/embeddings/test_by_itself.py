"""A pool that was encoded stays so: what comes in is encoded without anybody asking, once, behind all other work."""

import json
import threading

import pytest
from sqlalchemy import select

from app.db import now
from app.embeddings import jobs, operations, pool
from app.embeddings.queries import pool_standing
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import enqueue, request_cancellation
from app.jobs.running import HANDLERS, handles
from app.projects.models import Project
from app.sources.rulesets import NONE
from app.worker import Worker
from tests.duplicates.rooms import GIT, KETTLE, candidate, import_run
from tests.sources import rooms


@pytest.fixture(autouse=True)
def nothing_seen():
    jobs._seen.clear()
    yield
    jobs._seen.clear()


@pytest.fixture
def bring(database, settings, people, tmp_path):
    """Imports rows with these prompts, as anybody may."""

    def bring(*prompts):
        path = tmp_path / f"{prompts[0][:12]}.jsonl"
        path.write_text("".join(json.dumps({"conversations": [one, "So."]}) + "\n" for one in prompts), "utf-8")
        return rooms.imported(database, settings, people, path, format="lima", ruleset=NONE, site="")

    return bring


@pytest.fixture
def encode(database, people):
    """Asks for the pool to be encoded, as the button does, and waits for it."""

    def encode(worker):
        with database.writing() as session:
            operations.start_encoding(session, people.lead, people.project)
        assert worker.work_once(Lane.QUICK)

    return encode


@pytest.fixture
def worker(settings, database):
    return Worker(settings, database)


def encodings(database):
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.kind == operations.KIND).order_by(Job.id)).all()


def standing(database, settings, people):
    with database.reading() as session:
        return pool_standing(session, operations.encoder_for(settings.embedding_model).key, people.project.id)


def looked(worker):
    """A look that has its model: the first one may only have begun to load it."""
    operations.light_encoder_within(60, worker.settings.embedding_model)
    jobs.encode_what_came(worker.database, worker.settings)


def test_what_an_import_brings_is_encoded_once_without_anybody_asking(
    database, settings, people, bring, encode, worker
):
    bring(KETTLE)
    encode(worker)
    bring(GIT, "Why is the sky blue?")
    assert standing(database, settings, people) == (1, 3)
    looked(worker)
    looked(worker)
    _, by_itself = encodings(database)
    assert (by_itself.state, by_itself.created_by, by_itself.args) == (
        JobState.QUEUED,
        None,
        {"project": people.project.id},
    )
    assert worker.work_once(Lane.QUICK)
    assert standing(database, settings, people) == (3, 3)
    jobs._seen.clear()
    looked(worker)
    assert [one.state for one in encodings(database)] == [JobState.SUCCEEDED] * 2


def test_a_worker_looks_for_it_between_its_jobs(database, settings, people, bring, encode, worker):
    bring(KETTLE)
    encode(worker)
    bring(GIT)
    operations.light_encoder_within(60, settings.embedding_model)
    worker.look(Lane.QUICK)
    assert len(encodings(database)) == 2


def test_a_record_that_is_restored_is_found_after_a_while(database, people, bring, encode, worker, monkeypatch):
    run = bring(KETTLE)
    encode(worker)
    looked(worker)
    with database.writing() as session:
        candidate(session, run, "restored", GIT)
    looked(worker)
    assert len(encodings(database)) == 1
    monkeypatch.setattr(jobs, "_seen", {url: (shown, 0.0) for url, (shown, _) in jobs._seen.items()})
    looked(worker)
    assert len(encodings(database)) == 2


def test_where_nobody_had_it_encoded_nothing_begins_and_no_model_is_looked_for(database, settings, bring, worker):
    bring(KETTLE)
    jobs.encode_what_came(database, settings.model_copy(update={"embedding_model": "/nowhere"}))
    looked(worker)
    assert encodings(database) == []
    assert jobs._seen == {}


def test_without_its_model_a_worker_says_so_in_its_log_and_begins_nothing(
    database, settings, bring, encode, worker, caplog
):
    bring(KETTLE)
    encode(worker)
    bring(GIT)
    without = settings.model_copy(update={"embedding_model": "/nowhere"})
    for _ in range(100):
        jobs.encode_what_came(database, without)
        if jobs._seen:
            break
    assert "pools are not encoded" in caplog.text
    assert len(encodings(database)) == 1


def test_an_archived_project_is_left_alone(database, people, bring, encode, worker):
    bring(KETTLE)
    encode(worker)
    bring(GIT)
    with database.writing() as session:
        session.get_one(Project, people.project.id).archived_at = now()
    looked(worker)
    assert len(encodings(database)) == 1


def test_what_somebody_stopped_begins_again_when_something_comes(database, people, bring, encode, worker):
    bring(KETTLE)
    encode(worker)
    bring(GIT)
    looked(worker)
    with database.writing() as session:
        request_cancellation(session, people.lead, session.get_one(Job, encodings(database)[1].id))
    jobs._seen.clear()
    looked(worker)
    assert len(encodings(database)) == 2
    bring("Why is the sky blue?")
    looked(worker)
    assert len(encodings(database)) == 3


def test_two_workers_that_look_at_once_begin_it_once(database, settings, people, bring, encode, worker):
    bring(KETTLE)
    encode(worker)
    bring(GIT)
    key = operations.encoder_for(settings.embedding_model).key
    together, begun = threading.Barrier(4), []

    def look():
        together.wait()
        begun.extend(operations.keep_encoded(database, key, [people.project.id]))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.id for job in begun}) == 1
    assert len(encodings(database)) == 2


@pytest.fixture
def other(database, people):
    """Other work of the same lane: `wait` has one wait, `done` are the encodings' states when it was done."""
    done = []

    def wait():
        with database.writing() as session:
            return enqueue(session, people.lead, "other_work", title="Other", project_id=people.project.id)

    handles("other_work")(lambda _: done.append([one.state for one in encodings(database)]))
    wait.done = done
    yield wait
    HANDLERS.pop("other_work")


def test_other_work_is_begun_first_whoever_came_first(database, people, bring, other, worker):
    bring(KETTLE)
    with database.writing() as session:
        operations.start_encoding(session, people.lead, people.project)
    other()
    assert worker.work_once(Lane.QUICK)
    assert other.done == [[JobState.QUEUED]]
    assert worker.work_once(Lane.QUICK)
    assert [one.state for one in encodings(database)] == [JobState.SUCCEEDED]


def test_one_that_runs_stands_back_and_loses_nothing(database, settings, people, bring, other, worker, monkeypatch):
    monkeypatch.setattr(pool, "TEXTS_A_CHUNK", 1)
    vectors_for, calls = pool.vectors_for, []

    def and_then_somebody_else_comes(*args):
        calls.append(args[2])
        if len(calls) == 1:
            other()
        return vectors_for(*args)

    monkeypatch.setattr(pool, "vectors_for", and_then_somebody_else_comes)
    bring(KETTLE, GIT, "Why is the sky blue?")
    with database.writing() as session:
        operations.start_encoding(session, people.lead, people.project)
    assert worker.work_once(Lane.QUICK)
    assert [(one.state, one.attempts) for one in encodings(database)] == [(JobState.QUEUED, 0)]
    assert standing(database, settings, people) == (1, 3)
    assert worker.work_once(Lane.QUICK)
    assert other.done == [[JobState.QUEUED]]
    assert worker.work_once(Lane.QUICK)
    assert standing(database, settings, people) == (3, 3)
    assert len(calls) == 3, "no text is encoded twice"


def test_what_shows_late_with_lower_numbers_is_encoded_by_the_same_job(
    database, settings, people, bring, worker, monkeypatch
):
    monkeypatch.setattr(pool, "CANDIDATES_A_PART", 1)
    with database.writing() as session:
        late = candidate(session, import_run(session, people), "late", "Who came late?")
        late.published = False
    vectors_for = pool.vectors_for

    def and_then_it_shows(*args):
        with database.writing() as session:
            session.merge(late).published = True
        return vectors_for(*args)

    monkeypatch.setattr(pool, "vectors_for", and_then_it_shows)
    bring(KETTLE)
    with database.writing() as session:
        operations.start_encoding(session, people.lead, people.project)
    assert worker.work_once(Lane.QUICK)
    assert standing(database, settings, people) == (2, 2)
