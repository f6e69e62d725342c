"""`handpicked review`: comments and two reviews from the command line."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.errors import NotFound
from app.examples.models import Example, ExampleState
from app.reviews.commenting import NotInTheText
from tests.examples import rows


@pytest.fixture
def run(settings, monkeypatch, closing):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    command = build()

    def run(*words):
        return CliRunner().invoke(command, ["review", *words])

    return run


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.submitted(session, people.annotator, people.project)


def test_a_comment_is_written_answered_listed_and_settled(run, people, made):
    def as_person(person, *words):
        result = run(*words, "--as", person.email, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    said = as_person(people.reviewer, "comment", str(made.id), "--quote", "the top metre", "--words", "How deep?")
    number = str(said["comment"])
    as_person(people.annotator, "comment", str(made.id), "--answer-to", number, "--words", "A metre.")
    [row] = as_person(people.reviewer, "comments", people.project.slug, str(made.id))["comments"]
    assert (row["quote"], row["passage"], row["answers"][0]["words"]) == ("the top metre", "here", "A metre.")
    assert "“the top metre”" in run("comments", str(made.id), "--as", people.reviewer.email).stdout
    assert as_person(people.annotator, "settle", str(made.id), "--comment", number)["settled"]
    assert not as_person(people.annotator, "settle", str(made.id), "--comment", number, "--open-again")["settled"]


def test_several_are_approved_each_for_itself(run, database, people, made):
    with database.writing() as session:
        second = rows.submitted(session, people.annotator, people.project, "How wide is a row?").id
        own = rows.submitted(session, people.reviewer, people.project, "How old is a tree?").id
    slug, ids = people.project.slug, [made.id, own, second]
    ended = run("approve", slug, *map(str, ids), "999999", "--as", people.reviewer.email, "--json")
    assert ended.exit_code == 1
    told = json.loads(ended.stdout)
    assert [(one["example"], one["verdict"]) for one in told["reviews"]] == [
        (made.id, "approved"),
        (second, "approved"),
    ]
    assert [one["example"] for one in told["refused"]] == [own, 999999]
    assert f"handpicked: example {own}: {told['refused'][0]['reason']}\n" in ended.stderr
    with database.reading() as session:
        states = [session.get_one(Example, number).state for number in ids]
    assert states == [ExampleState.APPROVED, ExampleState.REVIEW, ExampleState.APPROVED]


def test_several_go_back_by_their_numbers_alone_and_the_lines_name_them(run, people, database, made):
    with database.writing() as session:
        second = rows.submitted(session, people.annotator, people.project, "How wide is a row?").id
    ended = run("return", str(made.id), str(second), "--words", "Say how deep.", "--as", people.reviewer.email)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout == f"Example {made.id}, revision 1: returned.\nExample {second}, revision 1: returned.\n"


def test_one_revision_is_not_that_of_several(run, people, made):
    ended = run("reject", people.project.slug, str(made.id), "7", "--revision", "1", "--as", people.reviewer.email)
    assert ended.exit_code == 2
    nowhere = run("approve", "nowhere", str(made.id), "7", "--as", people.reviewer.email)
    assert isinstance(nowhere.exception, NotFound)


def test_what_does_not_stand_there_is_refused(run, people, made):
    result = run("comment", str(made.id), "--quote", "nowhere", "--words", "Where?", "--as", people.reviewer.email)
    assert result.exit_code != 0
    assert isinstance(result.exception, NotInTheText)


def test_two_reviews_and_their_agreement(run, database, people, made):
    slug, lead = people.project.slug, people.lead.email
    assert run("needed", slug, "2", "--as", lead).exit_code == 0
    assert run("needed", slug, "2", "--as", people.reviewer.email).exit_code != 0
    for person in (people.reviewer, people.lead):
        assert run("approve", str(made.id), "--as", person.email).exit_code == 0
    with database.reading() as session:
        assert session.get_one(Example, made.id).state is ExampleState.APPROVED
    found = json.loads(run("agreement", slug, "--as", lead, "--json").stdout)
    assert (found["texts"], found["agreed"], found["percent"], found["kappa"]) == (1, 1, 100.0, None)
    assert "nothing to agree on" in run("agreement", slug, "--as", lead).stdout
