"""What was chosen in a set-up that was left: kept on the server until it starts or begins again."""

import pytest

from app.projects import operations as projects
from app.sources import operations
from app.sources.models import ImportRun
from tests.sources import rooms
from tests.sources.test_pages import brought_in, started, typed


@pytest.fixture
def draft(browser, people):
    return brought_in(browser(people.annotator), f"/projects/{people.project.slug}", rooms.dump_files())


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


def chosen(client, draft, **more):
    return typed(client.get(draft).text) | {"name": "Mine", "rule.score.minimum": "3"} | more


def run_of(database, draft):
    with database.reading() as session:
        return session.get_one(ImportRun, int(draft.rsplit("/", 1)[1]))


def test_a_set_up_that_was_left_stands_there_for_whoever_opens_it_next(client, browser, people, draft):
    first = typed(client.get(draft).text)
    assert "as it was left" not in client.get(draft).text
    answer = client.post(f"{draft}/set-up", data=chosen(client, draft, move="score:up", **{"rules.text": "lima"}))
    assert (answer.status_code, answer.text) == (204, "")
    for one in (client, browser(people.lead)):
        page = one.get(draft).text
        assert "Set up as it was left" in page
        assert typed(page) == first | {"name": "Mine", "rule.score.minimum": "3"}
    asked = client.get(draft, params=first | {"name": "Otherwise"}).text
    assert typed(asked)["name"] == "Otherwise", "an address says what it says"
    assert "as it was left" not in asked


def test_it_begins_again_and_that_can_be_undone(client, draft):
    first = typed(client.get(draft).text)
    client.post(f"{draft}/set-up", data=chosen(client, draft))
    answer = client.post(f"{draft}/set-up/beginning", data=chosen(client, draft, seed="7"))
    assert answer.headers["location"] == draft
    page = client.get(draft).text
    assert "Set up from the beginning" in page
    assert f'action="{draft}/set-up/beginning/undoing"' in page
    assert typed(page) == first
    client.post(f"{draft}/set-up/beginning/undoing")
    assert typed(client.get(draft).text) == first | {"name": "Mine", "rule.score.minimum": "3", "seed": "7"}
    client.post(f"{draft}/set-up/beginning/undoing")
    assert typed(client.get(draft).text)["seed"] == "7", "a second click undoes nothing more"


def test_a_rules_file_is_kept_with_the_rest(client, draft):
    client.post(f"{draft}/rules", data=chosen(client, draft, **{"rules.text": "none"}))
    page = typed(client.get(draft).text)
    assert (page["name"], "rule.score.on" in page) == ("Mine", False)


def test_once_it_is_started_nothing_is_kept_of_the_set_up(client, database, draft):
    client.post(f"{draft}/set-up", data=chosen(client, draft))
    assert started(client, draft).status_code == 303
    run = run_of(database, draft)
    assert (run.name, {"left", "set_aside"} & set(run.options)) == ("Mine", set())
    late = client.post(f"{draft}/set-up", data={"name": "Later"})
    assert late.status_code == 409
    assert operations.left_set_up(run_of(database, draft)) is None


def test_what_cannot_be_kept_is_refused_and_the_last_stays(client, database, people, draft):
    client.post(f"{draft}/set-up", data=chosen(client, draft))
    assert client.post(f"{draft}/set-up", data={"name": "a\x00b"}).status_code == 422
    assert client.post(f"{draft}/set-up", data={"licence": "x" * 700_000, "site": "x" * 700_000}).status_code == 413
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.merge(people.project))
    assert client.post(f"{draft}/set-up", data={"name": "Later"}).status_code == 410
    assert operations.left_set_up(run_of(database, draft)).typed["name"] == "Mine"
