"""Add next in a browser, over the API and as a command: the same suggestions, decided and undone."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.examples import operations
from app.examples.queries import example_of_candidate
from app.selection.adding.models import NextDecision, NextVerdict
from app.sources.models import Candidate, CandidateStatus
from tests import factories
from tests.examples import counting, rows
from tests.selection.encoded import BREAD, DOGS, FERRIES, TIDES, encode, pool

ABOUT = [FERRIES] * 8 + [DOGS] * 6 + [BREAD] * 4 + [TIDES] * 2


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/next"


@pytest.fixture
def api_path(people):
    return f"/api/v1/projects/{people.project.slug}"


@pytest.fixture
def twenty(database, settings, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        return pool(session, settings, people.project, run, ABOUT)


def status(database, candidate_id):
    with database.reading() as session:
        return session.get_one(Candidate, candidate_id).status


def first_of(client, path):
    """The chosen suggestion's number, as its decisions name it."""
    page = client.get(path).text
    return int(page.split('<form class="decisions" method="post" action="', 1)[1].split("/next/", 1)[1].split("?")[0])


def test_members_read_and_strangers_do_not(browser, people, path, twenty):
    for person in (people.annotator, people.reviewer, people.lead, people.admin):
        assert browser(person).get(path).status_code == 200
    assert browser(people.stranger).get(path).status_code == 404
    assert browser().get(path).status_code == 303


def test_strangers_decide_nothing_and_no_candidate_is_reached_through_another_project(
    browser, database, people, path, twenty
):
    url = f"{path}/{twenty[0].id}"
    assert browser(people.stranger).post(url, data={"verdict": "accepted"}).status_code == 404
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    elsewhere = f"/projects/{own.slug}/next/{twenty[0].id}"
    assert browser(people.stranger).post(elsewhere, data={"verdict": "never"}).status_code == 404
    assert browser(people.stranger).post(f"{elsewhere}/undoing").status_code == 404
    assert status(database, twenty[0].id) is CandidateStatus.OPEN


def test_the_page_says_what_is_short_what_is_thin_and_why_each(browser, people, path, twenty):
    page = browser(people.annotator).get(path).text
    assert "1,000 examples are still to be begun" in page
    assert page.count('class="why"') == 10
    assert "the set is empty yet" in page
    assert "Thin regions" in page
    assert "have none near" in page
    assert "Ten others" in page


def test_the_cost_does_not_grow_with_the_suggestions(browser, database, settings, people, path, twenty):
    client = browser(people.annotator)
    with counting.queries(database) as few:
        client.get(path)
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, ABOUT * 2, first=100)
    client.get(path)
    with counting.queries(database) as many:
        client.get(path)
    assert len(many) <= len(few)


def test_accept_not_now_never_and_undo(browser, database, people, path, twenty):
    client = browser(people.annotator)
    accepted = first_of(client, path)
    answer = client.post(f"{path}/{accepted}?at={twenty[8].id}", data={"verdict": "accepted"})
    assert answer.headers["location"] == f"{path}?at={twenty[8].id}"
    page = client.get(answer.headers["location"]).text
    assert "Accepted as draft" in page
    assert status(database, accepted) is CandidateStatus.USED
    assert f"{path}/{accepted}/undoing" in page
    never = first_of(client, path)
    client.post(f"{path}/{never}", data={"verdict": "never", "reason": "dull"})
    assert status(database, never) is CandidateStatus.REJECTED
    later = first_of(client, path)
    client.post(f"{path}/{later}", data={"verdict": "later"})
    page = client.get(path).text
    assert "1 candidate is put off" in page
    assert page.count('class="item done"') == 3
    for one in (later, never, accepted):
        assert client.post(f"{path}/{one}/undoing").headers["location"] == f"{path}?at={one}"
        assert status(database, one) is CandidateStatus.OPEN
    assert 'class="item done"' not in client.get(path).text
    with database.reading() as session:
        assert session.query(NextDecision).count() == 0


def test_an_accepted_one_that_was_worked_on_stays(browser, database, people, path, twenty):
    client = browser(people.annotator)
    one = first_of(client, path)
    client.post(f"{path}/{one}", data={"verdict": "accepted"})
    with database.writing() as session:
        (decision,) = session.query(NextDecision).all()
        assert decision.verdict is NextVerdict.ACCEPTED
        operations.submit_example(session, people.annotator, example_of_candidate(session, one))
    answer = client.post(f"{path}/{one}/undoing")
    assert "worked on" in client.get(answer.headers["location"]).text
    assert status(database, one) is CandidateStatus.USED


@pytest.mark.parametrize("query", ["skip=-1", "by=best", "at=0", "unknown=1"])
def test_what_no_link_says_is_refused(browser, people, path, twenty, query):
    assert browser(people.annotator).get(f"{path}?{query}").status_code == 422


def test_past_the_first_ten_and_in_other_orders(browser, people, path, twenty):
    client = browser(people.annotator)
    rest = client.get(f"{path}?skip=10").text
    assert "The first ten" in rest
    assert "Ten others" not in rest
    assert "The longest ten" in client.get(f"{path}?by=longest").text
    assert "Ten by chance" in client.get(f"{path}?by=chance").text


def test_empty_states_name_the_one_next_step(browser, database, people, path):
    client = browser(people.annotator)
    assert "Add a source" in client.get(path).text
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        rows.candidate(session, people.project, run, published=True)
    page = client.get(path).text
    assert "has to be encoded first" in page
    assert "Encode the pool" in page


def test_everything_judged_is_said(browser, database, settings, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = rows.candidate(session, people.project, run, published=True)
        encode(session, settings, people.project, [made], [DOGS])
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}", data={"verdict": "later"})
    assert "judged or put off" in client.get(path).text


def test_hidden_test_prompts_show_nowhere(browser, database, settings, people, path):
    with database.writing() as session:
        people.project.tests_hidden = True
        session.merge(people.project)
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, [DOGS] * 3)
        pool(session, settings, people.project, run, [BREAD] * 3, first=50, split="test")
    for person in (people.annotator, people.lead):
        page = browser(person).get(path).text
        assert "dog" in page
        assert "rye" not in page


def test_the_api_says_the_same_and_decides(api, browser, database, people, api_path, path, twenty):
    client = api(people.annotator)
    document = client.get(f"{api_path}/next?count=3").json()
    assert len(document["suggestions"]) == 3
    first = document["suggestions"][0]
    assert first["id"] == first_of(browser(people.annotator), path)
    assert first["reason"].endswith(".")
    assert document["needs"][0]["short"] == document["needs"][0]["target"]
    assert {one["bare"] for one in document["thin"]} == {8, 6, 4}
    said = client.post(f"{api_path}/next/{first['id']}", json={"verdict": "never", "reason": "dull"})
    assert said.json() == {"candidate": first["id"], "said": "Rejected, dull."}
    assert client.post(f"{api_path}/next/{first['id']}/undoing").status_code == 200
    assert client.post(f"{api_path}/next/{first['id']}/undoing").status_code == 404
    assert status(database, first["id"]) is CandidateStatus.OPEN
    assert client.get(f"{api_path}/next?count=0").status_code == 422


@pytest.mark.parametrize("method", ["coverage", "k-center", "deita", "random", "longest", "score"])
def test_a_selection_of_each_method(api, people, api_path, twenty, method):
    client = api(people.annotator)
    one = client.get(f"{api_path}/selection?count=4&method={method}&seed=3").json()
    assert client.get(f"{api_path}/selection?count=4&method={method}&seed=3").json() == one
    assert (one["method"], one["count"], one["of"], one["kept"]) == (method, 4, 20, None)
    assert len({row["id"] for row in one["candidates"]}) == 4
    if method in {"coverage", "k-center"}:
        assert {ABOUT[int(row["external_id"]) - 1] for row in one["candidates"]} == {FERRIES, DOGS, BREAD, TIDES}
        assert one["lowest"] > 0.5
    if method == "score":
        assert [row["external_id"] for row in one["candidates"]] == ["20", "19", "18", "17"]
        assert one["lowest"] < 0.3


def test_a_selection_of_nothing_is_refused(api, people, api_path):
    answer = api(people.annotator).get(f"{api_path}/selection")
    assert answer.status_code == 422
    assert "handpicked encode" in answer.text


@pytest.fixture
def shell(closing, monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(tmp_path / "data"))

    def run(*words):
        done = CliRunner().invoke(build(), words)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_commands_say_the_same(shell, database, people, twenty):
    slug = people.project.slug
    document = json.loads(shell("next", slug, "--count", "3", "--json"))
    assert len(document["suggestions"]) == 3
    first = document["suggestions"][0]["id"]
    assert "is 200 short" in shell("next", slug)
    assert "Put off" in shell("next", slug, "--later", str(first))
    assert json.loads(shell("next", slug, "--json"))["put_off"] == 1
    assert "Undone" in shell("next", slug, "--undo", str(first))
    kept = json.loads(shell("select", slug, "--count", "4", "--method", "k-center", "--keep", "--json"))
    assert kept["kept"] == 4
    assert {status(database, one["id"]) for one in kept["candidates"]} == {CandidateStatus.KEPT}
    assert "4 of 20 by random" in shell("select", slug, "--count", "4", "--method", "random")
