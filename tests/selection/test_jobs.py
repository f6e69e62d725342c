"""The index of the pool's words as a job: step by step, from where it was, and asked for once."""

from sqlalchemy import delete, select, text

from app.jobs.models import Job, JobState, Lane
from app.selection import jobs, searching
from app.selection.models import SearchableImport
from app.sources.models import Candidate
from app.worker import Worker
from tests.examples import rows


def _two_imports(database, people, each):
    """Two imports at the same time: their candidates lie one between the other's."""
    with database.writing() as session:
        runs = [rows.import_run(session, people.project) for _ in range(2)]
        for number in range(1, each + 1):
            for run in runs:
                rows.candidate(session, people.project, run, 1000 * run.id + number, title=f"Cheese {number}")
        if searching.on_sqlite(session):
            session.execute(text("INSERT INTO candidate_words (candidate_words) VALUES ('delete-all')"))
            session.execute(delete(SearchableImport))
        return [run.id for run in runs]


def _waiting(database):
    with database.reading() as session:
        return list(session.scalars(select(Job).where(Job.kind == jobs.KIND)))


def test_the_hourly_round_asks_for_it_once_and_the_job_makes_all_whole(database, settings, people, monkeypatch):
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    runs = _two_imports(database, people, 5)
    for _ in range(2):
        jobs.index_the_rest(database, settings)
    asked = _waiting(database)
    if database.engine.dialect.name != "sqlite":
        assert asked == []  # PostgreSQL keeps its own index
        return
    assert [job.state for job in asked] == [JobState.QUEUED]
    Worker(settings, database).work_once(Lane.QUICK)
    assert [job.state for job in _waiting(database)] == [JobState.SUCCEEDED]
    with database.reading() as session:
        assert [one.whole for one in session.scalars(select(SearchableImport))] == [True] * len(runs)
        indexed = set(session.scalars(text("SELECT id FROM candidate_words_docsize")))
        assert indexed == set(session.scalars(select(Candidate.id)))
    jobs.index_the_rest(database, settings)
    assert len(_waiting(database)) == 1


def test_a_worker_told_to_end_leaves_the_rest_of_it_to_the_next(database, settings, people, monkeypatch):
    if database.engine.dialect.name != "sqlite":
        return
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    _two_imports(database, people, 15)
    jobs.index_the_rest(database, settings)
    worker = Worker(settings, database)
    some = searching.index_some

    def then_stop(*arguments):
        worker.stop()
        return some(*arguments)

    monkeypatch.setattr(searching, "index_some", then_stop)
    assert worker.work_once(Lane.QUICK)
    assert [(job.state, job.attempts) for job in _waiting(database)] == [(JobState.QUEUED, 0)]
    monkeypatch.setattr(searching, "index_some", some)
    with database.reading() as session:
        before = len(session.scalars(text("SELECT id FROM candidate_words_docsize")).all())
    assert 0 < before < 30
    Worker(settings, database).work_once(Lane.QUICK)
    with database.reading() as session:
        assert len(session.scalars(text("SELECT id FROM candidate_words_docsize")).all()) == 30
