"""A set-up that is refused shows what can be read of the file, beside what is wrong with it."""

import json
import re

import pytest

from app import sample
from app.sources import preview as previews
from tests.sources import rooms
from tests.sources.test_pages import COUNTED, brought_in, rules_in_order, typed

GOOD = [json.dumps({"conversations": [f"What is {n}?", f"Number {n}."]}) for n in range(4)]


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def bring(client, base):
    """Brings a file in and gives the address of its set-up."""
    return lambda name, content: brought_in(client, base, rooms.upload(name, content))


def shown(page):
    """What is asked in the first records."""
    part = page[page.index('id="first"') :] if 'id="first"' in page else ""
    return re.findall(r'<span class="read title"><bdi>([^<]*)</bdi>', part.split("</section>")[0])


def test_beside_the_lines_that_refuse_a_file_stand_the_records_that_can_be_read(client, bring):
    page = client.get(bring("x.jsonl", "\n".join([GOOD[0], '{"conversations": ["cut', *GOOD[1:]]))).text
    assert "1 record cannot be read" in page
    assert shown(page) == [f"What is {n}?" for n in range(4)]
    assert "1 to 3 of 4, of what can be read, kept ones first" in page
    assert "Of 4 records that can be read 4 pass the rules." in page
    assert 'form="setup">Import' not in page
    assert page.index('id="first"') < page.index('id="rules"'), "what can be read stands beside what cannot"


def test_with_the_bad_one_left_out_it_is_a_set_up_like_any_other(client, bring):
    at = bring("x.jsonl", "\n".join([GOOD[0], '{"conversations": ["cut']))
    page = client.get(f"{at}?skip_bad=true").text
    assert "1 unreadable record left out" in page
    assert "Of 1 record 1 passes the rules." in page
    assert "of what can be read" not in page


CUT = f'[{", ".join(GOOD)}, {{"conversations": ["q'


def test_of_a_file_that_breaks_off_what_stands_before_is_shown(client, bring):
    page = client.get(bring("x.json", CUT)).text
    assert "cut off" in page
    assert shown(page) == [f"What is {n}?" for n in range(4)]


def test_of_a_file_in_another_encoding_the_lines_that_are_plain_are_shown(client, bring):
    text = "prompt,response\nWhy?,Because.\nWeshalb?,Darüm.\n".encode("cp1252")
    page = client.get(bring("x.csv", text)).text
    assert "Choose its encoding" in page
    assert shown(page) == ["Why?"]


def test_of_a_dump_with_a_bad_row_the_answers_are_shown(client, bring):
    posts = (sample.dump_folder() / "Posts.xml").read_text("utf-8")
    good = next(line for line in posts.splitlines() if 'PostTypeId="2"' in line)
    page = client.get(bring("Posts.xml", posts.replace(good, re.sub(r'Score="[^"]*"', 'Score="many"', good), 1))).text
    assert "1 record cannot be read" in page
    assert len(shown(page)) == previews.SHOWN


def test_of_a_large_file_a_bad_line_in_its_beginning_refuses_it_at_once(client, bring, monkeypatch):
    monkeypatch.setattr(previews, "COUNTED", 400)
    page = client.get(bring("x.jsonl", "\n".join(["{", *GOOD * 40]))).text
    assert "1 record cannot be read" in page
    assert "unreadable record left out" not in page
    assert shown(page)[:1] == ["What is 0?"]


def test_rules_that_cannot_be_read_take_no_record_from_the_page(client, bring):
    at = bring("x.jsonl", "\n".join(GOOD))
    fields = typed(client.get(at).text) | {"rule.length.on": "on", "rule.length.minimum": "many"}
    page = client.get(at, params=fields).text
    assert "whole number" in page
    assert shown(page) == [f"What is {n}?" for n in range(4)]
    assert "Would be kept" not in page
    assert "pass the rules" not in page
    assert rules_in_order(page) == {"length": None}


def test_a_start_that_is_refused_asks_for_the_records_at_once(client, bring):
    at = bring("x.jsonl", "\n".join(GOOD))
    fields = typed(client.get(at).text)
    assert ", load" not in client.get(at).text
    refused = client.post(at, data=fields | {"name": ""})
    assert refused.status_code == 422
    asks = re.search(rf'<div hx-get="{at}" hx-trigger="([^"]*)"[^>]*hx-include="#setup"', refused.text)
    assert asks[1] == "change delay:150ms, load"
    assert shown(client.get(at, params=fields | {"name": ""}, headers=COUNTED).text) == [
        f"What is {n}?" for n in range(4)
    ]


@pytest.mark.parametrize("content", ["{\n", '{"conversations": []}\n'])
def test_where_nothing_can_be_read_nothing_is_shown(client, bring, content):
    page = client.get(bring("x.jsonl", f"{GOOD[0]}\n"), params={"format": "table"})
    assert page.status_code == 200
    page = client.get(bring("y.jsonl", content * 3 + '{"conversations": 3}\n'), params={"format": "lima"})
    assert page.status_code == 200
    assert shown(page.text) == []
