"""A format's own settings on the page of an import: shown as they come, followed by the preview, stored, carried on."""

import re

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


TALK = (
    "<comments>"
    '<row Id="1" PostId="2" UserId="5" CreationDate="2016-01-02T00:00:00.000" Text="And how long?"/>'
    '<row Id="2" PostId="2" UserId="6" CreationDate="2016-01-03T00:00:00.000" Text="Four minutes."/>'
    "</comments>"
)


def posts():
    asked = 'Title="How are eggs boiled?" Body="&lt;p&gt;Softly, please.&lt;/p&gt;" Score="3" OwnerUserId="5"'
    answered = 'ParentId="1" Body="&lt;p&gt;In water.&lt;/p&gt;" Score="2" OwnerUserId="6"'
    when = 'CreationDate="2016-01-01T00:00:00.000"'
    return f'<posts><row Id="1" PostTypeId="1" {when} {asked}/><row Id="2" PostTypeId="2" {when} {answered}/></posts>'


def dump(*names):
    words = {"Posts.xml": posts(), "Comments.xml": TALK}
    return [("files", (name, words[name].encode())) for name in names]


def test_the_box_of_dialogues_is_on_the_page_and_what_it_adds_is_counted_read_and_carried_on(
    client, database, settings, people
):
    draft = brought_in(client, f"/projects/{people.project.slug}", dump("Posts.xml", "Comments.xml"))
    page = client.get(draft).text
    assert "Comment threads as dialogues" in page
    assert "set.dialogues" not in typed(page)
    assert "<b><bdi>Comments.xml</bdi></b>" in page
    assert "without Users.xml" in page
    fields = {"site": rooms.SITE, "rule.order": "", "set.dialogues": "on"}
    counted = client.get(draft, params=fields, headers=COUNTED).text
    assert "Of 2 records 2 pass the rules." in counted
    assert "--set dialogues=on" in counted
    assert client.post(draft, data={"name": "Eggs", **fields}).status_code == 303
    assert options_of(database, draft) == {"dialogues": "on"}
    run = rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    assert run.result["created"] == 2
    again = client.post(f"{draft}/again").headers["location"]
    assert typed(client.get(again).text)["set.dialogues"] == "on"


def test_a_dump_without_comments_says_so_beside_the_box(client, people):
    draft = brought_in(client, f"/projects/{people.project.slug}", dump("Posts.xml"))
    page = client.get(draft).text
    assert "There is no Comments.xml beside these posts." in page
    assert re.search(r'name="set.dialogues"[^>]* disabled', page)


def test_a_box_that_a_program_ticked_or_left_is_the_same_on_the_page(client, database, people):
    for given, shown in ((True, "on"), (False, None)):
        draft = brought_in(client, f"/projects/{people.project.slug}", dump("Posts.xml", "Comments.xml"))
        with database.writing() as session:
            run = session.get_one(ImportRun, int(draft.rsplit("/", 1)[1]))
            run.options = {**run.options, "settings": {"dialogues": given}}
        assert typed(client.get(draft).text).get("set.dialogues") == shown
