"""`handpicked sample`: a dry run moves nothing, a sampling is undone by its number, a wrong call is refused."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows

COMMANDS = build()


@pytest.fixture
def shell(monkeypatch, database, database_url, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    with database.writing() as session:
        rows.candidate(session, people.project, rows.import_run(session, people.project))

    def run(*words):
        return CliRunner().invoke(COMMANDS, ["sample", people.project.slug, *words])

    return run


def used(database):
    with database.reading() as session:
        return session.query(Candidate).filter_by(status=CandidateStatus.USED).count()


def test_a_dry_run_says_what_the_run_takes_and_undo_puts_it_back(shell, database):
    seen = json.loads(shell("--plan", "lima", "--dry-run", "--json").stdout)
    assert (seen["taken"], seen["sampling"], used(database)) == (1, None, 0)
    done = json.loads(shell("--plan", "lima", "--json").stdout)
    assert (done["candidates"], used(database)) == (seen["candidates"], 1)
    again = json.loads(shell("--plan", "lima", "--json").stdout)
    assert (again["taken"], again["sampling"]) == (0, None)
    back = json.loads(shell("--undo", str(done["sampling"]), "--json").stdout)
    assert (back["put_back"], used(database)) == (1, 0)


def test_a_plan_in_a_file_is_read(shell, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('[[part]]\nsource = "stackexchange_other"\ncount = 1\n')
    assert "Took 1 candidate by plan plan, seed 4" in shell("--plan", str(plan), "--seed", "4").stdout


def test_neither_a_plan_nor_an_undo_is_wrong_usage(shell):
    assert shell().exit_code == 2
    assert shell("--plan", "lima", "--undo", "1").exit_code == 2
