"""Whether this very file was imported before: told at its set-up, with what a second import would do."""

import json

import pytest

from app import sample
from app.sources import earlier
from app.sources.models import ImportRun
from app.sources.rulesets import NONE
from tests import factories
from tests.counting import count_queries
from tests.sources import rooms
from tests.sources.test_pages import brought_in, started

ROWS = "".join(json.dumps({"id": str(n), "conversations": [f"What is {n}?", f"Number {n}."]}) + "\n" for n in range(3))
FRAGMENT = {"hx-request": "true", "hx-target": "div#earlier"}
SAYS = "This very file was imported before"


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def bring(client, base):
    """Brings a file in and gives the address of its set-up."""
    return lambda name="x.jsonl", content=ROWS: brought_in(client, base, rooms.upload(name, content))


@pytest.fixture
def first(client, bring, database, settings, people):
    """The number of an import of these rows."""
    at = bring()
    assert started(client, at, site="").status_code == 303
    return rooms.work(database, settings, people, int(at.rsplit("/", 1)[1])).id


def test_the_set_up_of_the_same_file_leads_to_its_import_and_says_what_a_second_one_does(client, base, bring, first):
    at = bring()
    assert f'hx-get="{at}/earlier" hx-trigger="load"' in client.get(at).text
    said = client.get(f"{at}/earlier", headers=FRAGMENT).text
    assert said.lstrip().startswith('<div id="earlier">')
    assert SAYS in said
    assert f'<a href="{base}/imports/{first}"><bdi>x.jsonl</bdi></a>' in said
    assert "brought 3 of 3 records into the pool" in said
    assert "brings nothing new" in said
    assert "unless that is named again" not in said


def test_what_it_says_is_so(client, bring, first, database, settings, people):
    at = bring()
    started(client, at, site="")
    assert rooms.work(database, settings, people, int(at.rsplit("/", 1)[1])).result["created"] == 0


def test_under_another_name_it_says_how_rows_would_come_in_twice(client, bring, first, database, settings, people):
    at = bring("y.jsonl")
    said = client.get(f"{at}/earlier", headers=FRAGMENT).text
    assert SAYS in said
    assert "came in as those of <b><bdi>x.jsonl</bdi></b>" in said
    started(client, at, site="x.jsonl")
    assert rooms.work(database, settings, people, int(at.rsplit("/", 1)[1])).result["created"] == 0
    again = bring("z.jsonl")
    assert "; one other import read it as well" in client.get(f"{again}/earlier", headers=FRAGMENT).text
    started(client, again, site="")
    assert rooms.work(database, settings, people, int(again.rsplit("/", 1)[1])).result["created"] == 3


def test_of_another_file_of_the_same_size_nothing_is_said(client, bring, first):
    said = client.get(f"{bring(content=ROWS.replace('What', 'Whom'))}/earlier", headers=FRAGMENT).text
    assert SAYS not in said
    assert "<p>" not in said


def test_a_file_of_another_size_is_not_even_read(client, bring, first, monkeypatch):
    def read(path):
        raise AssertionError(path)

    monkeypatch.setattr(earlier, "content_of", read)
    assert SAYS not in client.get(f"{bring(content=ROWS * 2)}/earlier", headers=FRAGMENT).text


def test_an_import_from_before_this_was_noted_is_known_by_its_file(client, bring, first, database):
    with database.writing() as session:
        run = session.get_one(ImportRun, first)
        run.options = {key: value for key, value in run.options.items() if key not in {"content", "size"}}
    assert SAYS in client.get(f"{bring()}/earlier", headers=FRAGMENT).text


def test_a_dump_is_known_by_its_files(client, base, database, settings, people):
    before = rooms.imported(database, settings, people, sample.dump_folder(), ruleset=NONE)
    said = client.get(f"{brought_in(client, base, rooms.dump_files())}/earlier", headers=FRAGMENT).text
    assert f"{base}/imports/{before.id}" in said
    assert "Rows with an id" not in said


def test_without_script_it_is_a_page_of_its_own(client, bring, first):
    at = bring()
    assert f'<noscript><p class="small gap-below"><a href="{at}/earlier">' in client.get(at).text
    assert SAYS in client.get(f"{at}/earlier").text
    assert "No import of this project has read this very file." in client.get(f"{bring(content=PAIR)}/earlier").text


PAIR = '{"conversations": ["Why?", "Because."]}\n'


def test_an_import_of_another_project_is_none_of_its_business(browser, database, client, bring, first, people):
    at = bring()
    assert browser(people.stranger).get(f"{at}/earlier").status_code == 404
    with database.writing() as session:
        session.get_one(ImportRun, first).project_id = factories.people(session).project.id
    assert SAYS not in client.get(f"{at}/earlier", headers=FRAGMENT).text


def test_two_imports_cost_as_many_queries_as_twenty(client, bring, first, database):
    def counted():
        at = bring()
        with count_queries(database) as tally:
            assert SAYS in client.get(f"{at}/earlier", headers=FRAGMENT).text
        return tally.count

    few = counted()
    with database.writing() as session:
        run = session.get_one(ImportRun, first)
        columns = {column.key: getattr(run, column.key) for column in ImportRun.__table__.columns if column.key != "id"}
        session.add_all(ImportRun(**columns) for _ in range(19))
    assert counted() == few
