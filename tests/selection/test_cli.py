"""`handpicked sample` and `pool`: a dry run moves nothing, an act is undone as one, a wrong call is refused."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.examples.models import Example
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows

COMMANDS = build()


@pytest.fixture
def house(closing, monkeypatch, database_url):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)


@pytest.fixture
def shell(house, database, people):
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


@pytest.fixture
def pool(closing, monkeypatch, database, database_url, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        more = {
            2: {"language": "de", "flags": ["e-mail"]},
            3: {"messages": rows.pair("q", "```\nx\n```"), "split": "test"},
        }
        ids = [rows.candidate(session, people.project, run, number, **more.get(number, {})).id for number in (1, 2, 3)]

    def run_it(*words):
        return CliRunner().invoke(COMMANDS, ["pool", words[0], people.project.slug, *map(str, words[1:])])

    run_it.ids = ids
    return run_it


def test_the_list_says_how_many_more_fit(pool):
    assert "2 more fit" in pool("list", "--limit", "1").stdout
    assert "more fit" not in pool("list").stdout
    shown = json.loads(pool("list", "--limit", "1", "--json").stdout)
    assert (shown["total"], len(shown["candidates"])) == (3, 1)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--words", '"answer 2" -elephant'), [1]),
        (("--language", "de"), [1]),
        (("--mark", "e-mail"), [1]),
        (("--code", "yes"), [2]),
        (("--split", "test"), [2]),
        (("--title", "yes"), []),
        (("--length", "10-"), [1, 0]),
        (("--length", "0-9"), [2]),
        (("--order", "title"), [0, 1, 2]),
        (("--licence", "MIT"), []),
        (("--category", "Food"), []),
        (("--import", "999"), []),
        (("--score-from", "12"), [2, 1]),
    ],
)
def test_the_list_has_the_filters_of_the_page(pool, words, found):
    shown = json.loads(pool("list", *words, "--json").stdout)
    assert [one["id"] for one in shown["candidates"]] == [pool.ids[index] for index in found]


def test_a_length_that_is_none_is_wrong_usage(pool):
    assert pool("list", "--length", "long").exit_code == 2
    assert pool("judge", pool.ids[0], "--alone", "maybe").exit_code == 2


def test_kept_ones_are_listed_taken_first_and_opened_again(pool, database):
    kept = json.loads(pool("keep", *pool.ids[:2], "--json").stdout)
    assert kept == {"kept": pool.ids[:2]}
    shown = json.loads(pool("list", "--status", "kept", "--json").stdout)
    assert [one["id"] for one in shown["candidates"]] == [pool.ids[1], pool.ids[0]]
    pool("restore", pool.ids[1])
    made = json.loads(pool("use", "--all", "--json").stdout)["examples"]
    with database.reading() as session:
        became = [session.get_one(Example, one).candidate_id for one in made]
    assert became == [pool.ids[0], pool.ids[2], pool.ids[1]]
    refused = pool("keep", pool.ids[0])
    assert refused.exit_code != 0
    assert "has become an example already" in str(refused.exception)


def test_titles_are_judged_and_each_act_is_undone_as_one(pool, database):
    def alone():
        with database.reading() as session:
            return [session.get_one(Candidate, one).title_alone for one in pool.ids]

    first, second, third = pool.ids
    judged = json.loads(pool("judge", first, second, "--alone", "yes", "--json").stdout)
    assert judged == {"judged": [first, second], "title_alone": True}
    pool("judge", first, "--alone", "neither")
    assert alone() == [None, True, None]
    pool("reject", first, third, "--reason", "dull")
    assert json.loads(pool("list", "--status", "rejected", "--json").stdout)["total"] == 2
    assert sorted(json.loads(pool("undo", "--json").stdout)["undone"]) == [first, third]
    assert json.loads(pool("list", "--json").stdout)["total"] == 3
    assert json.loads(pool("undo", "--json").stdout) == {"undone": [first], "stayed": []}
    assert json.loads(pool("undo", "--json").stdout)["undone"] == [second, first]
    assert alone() == [None, None, None]
    assert "nothing left to undo" in pool("undo").stdout
