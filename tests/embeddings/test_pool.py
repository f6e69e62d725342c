"""The pool is encoded once, and its vectors in memory follow the database."""

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from app import handlers
from app.embeddings import operations
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.pool_rows import PoolRows
from app.embeddings.queries import pool_standing
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.projects.limits import Archived
from app.sources.models import Candidate, ImportState
from tests.duplicates.rooms import GIT, KETTLE, candidate, import_run

assert handlers.ROOMS


@pytest.fixture
def run(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name, prompt in (("1", KETTLE), ("2", GIT), ("3", "   "), ("4", KETTLE)):
            candidate(session, run, name, prompt)
        return run


def encode(database, settings, people) -> Job:
    with database.writing() as session:
        job = operations.start_encoding(session, people.lead, people.project)
    assert run_now(database, settings, job.id, "here/1") is JobState.SUCCEEDED
    return job


def rows_of(settings, people) -> PoolRows:
    encoder = operations.encoder_for(settings.embedding_model)
    return PoolRows(settings, people.project.id, encoder.key, encoder.dimensions)


def test_each_candidate_gets_its_prompt_s_vector(database, settings, people, run):
    encode(database, settings, people)
    encoder = operations.encoder_for(settings.embedding_model)
    with database.reading() as session:
        assert pool_standing(session, encoder.key, people.project.id) == (4, 4)
        assert session.scalar(select(func.count(Embedding.id))) == 2, "equal prompts share a vector"
        numbers = dict(iter(session.execute(select(Candidate.external_id, Candidate.id))))
        ids, rows = rows_of(settings, people).follow(session)
    assert sorted(ids) == sorted(numbers[name] for name in ("1", "2", "4")), "a blank prompt has no row"
    by_id = dict(zip(ids.tolist(), rows, strict=True))
    wanted = encoder.encode([KETTLE, GIT])
    assert np.allclose(by_id[numbers["1"]], wanted[0], atol=1e-5)
    assert np.allclose(by_id[numbers["2"]], wanted[1], atol=1e-5)
    assert (by_id[numbers["1"]] == by_id[numbers["4"]]).all()


def test_what_is_new_follows_and_what_is_gone_goes(database, settings, people, run):
    encode(database, settings, people)
    held = rows_of(settings, people)
    with database.reading() as session:
        before, _ = held.follow(session)
    with database.writing() as session:
        fresh = candidate(session, run, "5", "Why is the sky blue?")
    with database.reading() as session:
        assert len(held.follow(session)[0]) == len(before)
    encode(database, settings, people)
    with database.reading() as session:
        ids, rows = held.follow(session)
    assert ids.tolist() == [*before.tolist(), fresh.id]
    assert rows.shape[0] == len(ids)
    with database.writing() as session:
        session.execute(delete(Candidate).where(Candidate.id == int(before[0])))
    with database.reading() as session:
        left, rows = held.follow(session)
    assert left.tolist() == ids.tolist()[1:]
    assert rows.shape[0] == len(left)


def test_a_row_that_was_committed_late_is_not_lost(database, settings, people, run):
    """Numbers are given when a row is written, not when it is committed: on PostgreSQL a lower one may come later."""
    encode(database, settings, people)
    with database.reading() as session:
        late = session.scalars(select(CandidateText).where(CandidateText.prompt_hash != "").order_by(CandidateText.id))
        first = late.first()
        kept = {name: getattr(first, name) for name in ("id", "candidate_id", "project_id", "model", "prompt_hash")}
    with database.writing() as session:
        session.execute(delete(CandidateText).where(CandidateText.id == kept["id"]))
    held = rows_of(settings, people)
    with database.reading() as session:
        assert len(held.follow(session)[0]) == 2
    with database.writing() as session:
        session.add(CandidateText(**kept))
    with database.reading() as session:
        assert kept["candidate_id"] in held.follow(session)[0].tolist()


def test_what_is_not_published_is_not_encoded(database, settings, people, run):
    with database.writing() as session:
        hidden = import_run(session, people, ImportState.RUNNING)
        candidate(session, hidden, "9", "Not seen by anybody yet")
    encode(database, settings, people)
    with database.reading() as session:
        assert session.scalar(select(func.count(CandidateText.id))) == 4


def test_it_is_asked_for_once(database, people, run):
    with database.writing() as session:
        first = operations.start_encoding(session, people.lead, people.project)
        assert operations.start_encoding(session, people.lead, people.project).id == first.id
    with database.writing() as session:
        people.project.archived_at = func.now()
        with pytest.raises(Archived):
            operations.start_encoding(session, people.lead, people.project)
