"""Publishing must not compare each candidate with each: its one delicate statement uses the index made for it."""

import pytest
from sqlalchemy import event, text

from app import sample
from app.jobs.running import run_now
from app.sources import operations
from app.sources.operations import ImportPlan
from app.sources.rulesets import LIMA
from app.worker import worker_name


def test_publishing_finds_its_candidates_by_the_index_of_published_ones(database, settings, people, backend):
    if backend != "sqlite":
        pytest.skip("PostgreSQL plans by statistics; SQLite takes an index only where its condition is said alike")
    plan = ImportPlan(path=sample.dump_folder(), name="A dump", format="stackexchange", ruleset=LIMA, site=sample.SITE)
    with database.writing() as session:
        run = operations.start_import(session, people.lead, people.project, plan)
    said: list[tuple[str, tuple[object, ...]]] = []

    def listen(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("DELETE FROM candidate") and "EXISTS" in statement:
            said.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", listen)
    run_now(database, settings, run.job_id, worker_name())
    event.remove(database.engine, "before_cursor_execute", listen)
    ((statement, parameters),) = said
    with database.engine.connect() as connection:
        steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert connection.execute(text("SELECT count(*) FROM candidate WHERE published = 1")).scalar() == 31
    assert any("uq__candidate__published" in step[3] for step in steps)
