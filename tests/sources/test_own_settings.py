"""A format's own settings on the page of an import: shown as they come, followed by the preview, stored, carried on."""

import pytest

from app.sources.models import ImportRun
from app.sources.readers.wikihow_page import PRUNED
from tests.sources import rooms
from tests.sources.readers.test_wikihow import page as article
from tests.sources.test_pages import COUNTED, brought_in, started, typed


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


@pytest.fixture
def draft(client, people):
    return brought_in(client, f"/projects/{people.project.slug}", rooms.upload("egg.html", article()))


def options_of(database, at):
    with database.reading() as session:
        return session.get_one(ImportRun, int(at.rsplit("/", 1)[1])).options["settings"]


def test_the_page_shows_them_as_they_come(client, draft):
    text = client.get(draft).text
    assert "How wikiHow pages are read" in text
    assert '<details class="drawer" id="own-settings">' in text
    assert typed(text)["set.pruned"].strip().split("\n") == list(PRUNED)
    assert "Eggs float" not in text


def test_the_first_records_follow_them_without_javascript_too(client, draft):
    fields = typed(client.get(draft).text) | {"set.pruned": "Warnings"}
    for headers in ({}, COUNTED):
        text = client.get(draft, params=fields, headers=headers).text
        assert "Eggs float" in text
        assert '<details class="drawer" id="own-settings" open>' in text


@pytest.mark.parametrize(
    ("value", "stored"),
    [("Warnings", {"pruned": "Warnings"}), ("", {"pruned": ""}), ("\r\n".join(PRUNED), {})],
)
def test_what_was_chosen_is_what_is_read_and_no_more_is_stored(
    client, database, settings, people, draft, value, stored
):
    assert started(client, draft, site="", **{"set.pruned": value}).status_code == 303
    assert options_of(database, draft) == stored
    run = rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    assert (run.result["format"], run.result["created"]) == ("wikihow", 1)


def test_the_same_file_again_begins_with_them(client, database, settings, people, draft):
    started(client, draft, site="", **{"set.pruned": "Warnings"})
    rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    again = client.post(f"{draft}/again").headers["location"]
    assert typed(client.get(again).text)["set.pruned"].strip() == "Warnings"
    assert "--set pruned=Warnings" in client.get(again).text


def test_a_format_without_any_asks_for_none(client, people):
    pair = rooms.upload("x.jsonl", '{"conversations": ["Why?", "Because."]}\n')
    assert "own-settings" not in client.get(brought_in(client, f"/projects/{people.project.slug}", pair)).text
