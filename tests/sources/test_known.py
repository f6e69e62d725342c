"""Pairs of questions that a site closed as copies: told with the import, listed with their candidates."""

import json

import pytest

from app.sources.models import Candidate, ImportRun
from app.sources.rulesets import NONE
from tests.counting import count_queries
from tests.sources import rooms
from tests.sources.readers.test_stackexchange import answer, beside, question, row

LINK = {"CreationDate": "2015-01-01T00:00:00.000", "LinkTypeId": 3}


@pytest.fixture
def dump(tmp_path):
    """The folder of a dump of `count` questions, each a copy of the one before; odd ones have an answer."""

    def dump(count):
        rows = [question(number) for number in range(1, count + 1)]
        rows += [answer(1000 + number, number) for number in range(1, count + 1, 2)]
        posts = "\n".join(rows)
        folder = tmp_path / f"dump-{count}"
        folder.mkdir()
        (folder / "Posts.xml").write_text(f"<posts>\n{posts}\n</posts>\n", "utf-8")
        links = (row(Id=number, PostId=number, RelatedPostId=number - 1, **LINK) for number in range(2, count + 1))
        beside(folder / "Posts.xml", "PostLinks", *links)
        return folder

    return dump


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}/imports"


def test_an_import_says_them_and_leads_to_the_pairs(browser, database, settings, people, base, dump):
    run = rooms.imported(database, settings, people, dump(3), ruleset=NONE)
    client = browser(people.annotator)
    page = client.get(f"{base}/{run.id}").text
    assert f'<a href="{base}/{run.id}/known-duplicates">2 pairs</a>' in page
    pairs = client.get(f"{base}/{run.id}/known-duplicates").text
    with database.reading() as session:
        first, third = (one.id for one in session.query(Candidate).order_by(Candidate.id))
    pool = f"/projects/{people.project.slug}/pool"
    assert pairs.count(f'href="{pool}/{first}?status=all"') == 1
    assert pairs.count(f'href="{pool}/{third}?status=all"') == 1
    assert pairs.count("Question 2, not in the pool") == 2
    assert f'href="https://{rooms.SITE}/questions/2"' in pairs


def test_an_import_without_any_says_nothing(browser, database, settings, people, base, dump):
    run = rooms.imported(database, settings, people, dump(1), ruleset=NONE)
    client = browser(people.annotator)
    assert "nown duplicates" not in client.get(f"{base}/{run.id}").text
    assert "This import knows of no duplicates" in client.get(f"{base}/{run.id}/known-duplicates").text


def test_a_second_import_of_the_dump_knows_them_as_well(browser, database, settings, people, base, dump):
    folder = dump(3)
    rooms.imported(database, settings, people, folder, ruleset=NONE)
    again = rooms.imported(database, settings, people, folder, ruleset=NONE)
    assert "not in the pool" in browser(people.annotator).get(f"{base}/{again.id}/known-duplicates").text


def test_two_pairs_cost_as_many_queries_as_twenty(browser, database, settings, people, base, dump):
    client, counts = browser(people.annotator), []
    for pairs in (2, 20):
        run = rooms.imported(database, settings, people, dump(pairs + 1), ruleset=NONE, name=f"{pairs}")
        with count_queries(database) as tally:
            page = client.get(f"{base}/{run.id}/known-duplicates").text
        assert f"{pairs} pairs" in page
        counts.append(tally.count)
    assert counts[0] == counts[1]


def test_a_stranger_and_another_project_see_none(browser, api, database, settings, people, base, dump):
    run = rooms.imported(database, settings, people, dump(3), ruleset=NONE)
    assert browser(people.stranger).get(f"{base}/{run.id}/known-duplicates").status_code == 404
    assert api(people.stranger).get(f"/api/v1{base}/{run.id}/known-duplicates").status_code == 404


def test_the_api_and_the_command_line_list_them_too(api, handpicked, database, people, base, dump):
    slug = people.project.slug
    ended = handpicked("import", slug, dump(3), "--site", rooms.SITE, "--rules", "none")
    with database.reading() as session:
        number = session.query(ImportRun).one().id
        first = session.query(Candidate).order_by(Candidate.id).first()
    said = f"2 pairs of questions that the site closed as copies: http://127.0.0.1:8000{base}/{number}/known-duplicates"
    assert said in ended.stdout
    found = api(people.annotator).get(f"/api/v1{base}/{number}/known-duplicates").json()
    one = {"id": 1, "url": f"https://{rooms.SITE}/questions/1", "title": first.title, "candidate": first.id}
    two = {"id": 2, "url": f"https://{rooms.SITE}/questions/2", "title": None, "candidate": None}
    assert (found["total"], found["pairs"][0]) == (2, {"copy": two, "first": one})
    assert json.loads(handpicked("imports", "duplicates", slug, number, "--json").stdout) == found
    assert "2 (not in the pool)  is a copy of  1 " in handpicked("imports", "duplicates", slug, number).stdout
