"""What the set-up of an import says of its file: who is named, how else it may be read, and what it lacks."""

import html
import io
import json
import re
import zipfile

import pytest

from app import sample
from tests.sources import rooms
from tests.sources.test_pages import brought_in, typed

QUESTIONS = [
    {
        "messages": [{"role": "user", "content": f"What is {n} and {n}?"}],
        "extra_info": {"answer": f"It is {2 * n}, because {n} is taken twice."},
    }
    for n in range(3)
]


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def zipped(*names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, (sample.dump_folder() / name).read_bytes())
    return packed.getvalue()


@pytest.mark.parametrize(("names", "says"), [(("Posts.xml", "Users.xml"), False), (("Posts.xml",), True)])
def test_an_archive_is_said_to_lack_the_authors_only_where_it_does(client, base, names, says):
    page = client.get(brought_in(client, base, rooms.upload("dump.zip", zipped(*names)))).text
    assert ("without Users.xml: authors are links only" in page) is says


def test_every_format_leads_to_how_else_it_may_be_read(client, base):
    dump = client.get(brought_in(client, base, rooms.dump_files())).text
    assert '<a class="push" href="#format">Not right?</a>' in dump
    assert '<div id="format"' in dump
    assert "No other format takes files of this kind." in dump
    chats = client.get(brought_in(client, base, rooms.upload("x.jsonl", lines(QUESTIONS)))).text
    assert '<a class="push" href="#format">Not right?</a>' in chats
    assert re.search(r'<select id="format" name="format".*?<option value="table"', chats, re.DOTALL)


def test_rows_without_a_response_are_told_and_their_columns_may_be_mapped(client, base):
    at = brought_in(client, base, rooms.upload("x.jsonl", lines(QUESTIONS)))
    page = client.get(at).text
    assert "None of the 3 records has a response" in page
    to_columns = html.unescape(re.search(r'<a href="(\?[^"]+)#columns">say which column they are', page)[1])
    table = client.get(f"{at}{to_columns}").text
    assert '<h2 id="columns">' in table
    assert "extra_info.answer" in table
    fields = typed(table)
    assert (fields["map.messages[0].content"], fields["map.extra_info.answer"]) == ("prompt", "response")
    assert "has a response" not in table
    assert "It is 0, because 0 is taken twice." in table


def test_a_table_without_a_response_leads_to_its_own_columns(client, base):
    at = brought_in(client, base, rooms.upload("x.csv", "frage,nummer\nWas?,1\nWer?,2\n"))
    page = client.get(at, params={"format": "table", "map.frage": "prompt"}).text
    assert "None of the 2 records has a response" in page
    assert '<a href="#columns">say which column they are' in page


ANSWERED = {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
HALF = {"messages": [{"role": "user", "content": "And now?"}]}


def test_where_every_record_has_a_response_nothing_is_said(client, base):
    page = client.get(brought_in(client, base, rooms.upload("x.jsonl", lines([ANSWERED])))).text
    assert "response</strong>" not in page


def test_of_some_without_a_response_their_number_is_told(client, base):
    page = client.get(brought_in(client, base, rooms.upload("x.jsonl", lines([*QUESTIONS, ANSWERED])))).text
    assert "3 of the 4 records that would be kept have no response" in page
    assert "They come in as prompts without answers." in page
    assert "for an import into the set" not in page
    one = client.get(brought_in(client, base, rooms.upload("x.jsonl", lines([HALF, ANSWERED])))).text
    assert "1 of the 2 records that would be kept has no response" in one


def test_what_the_set_does_not_take_is_told_before_and_can_be_left_out(client, base, database, settings, people):
    at = brought_in(client, base, rooms.upload("x.jsonl", lines([HALF, ANSWERED, {**QUESTIONS[0], "split": "test"}])))
    page = client.get(at, params=typed(client.get(at).text) | {"into": "set"}).text
    assert "1 train prompt without a response refuses an import into the set" in page
    fields = typed(page) | {"skip_bad": "true"}
    assert "1 train prompt without a response is left out of the set" in client.get(at, params=fields).text
    assert client.post(at, data=fields).status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert (run.result["created"], run.result["unanswered"]) == (2, 1)
    page = client.get(at).text
    assert "left out of the set: there is no response to the last prompt" in page
    assert "1 of the 3 kept records has no response" in page
