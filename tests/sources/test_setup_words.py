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


def test_where_one_record_has_a_response_nothing_is_said(client, base):
    answered = [
        *QUESTIONS,
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
    ]
    page = client.get(brought_in(client, base, rooms.upload("x.jsonl", lines(answered)))).text
    assert "has a response" not in page
