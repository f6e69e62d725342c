"""Colleagues' work beside the desk: found by words and by meaning, opened in place, warned of; by page, API and CLI."""

import html
import json
import re

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import build
from app.duplicates import seeking
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from tests.duplicates.desks import GIT, KETTLE, KETTLE_MEANT, SCALE, encode, write
from tests.examples.counting import queries

VINEGAR = "Boil vinegar and water in it, wait for an hour, and rinse it twice."
HOSTILE = "<script>alert(1)</script> \u202e<img src=x onerror=alert(2)> why is my kettle full of limescale?"
DESK = {"hx-target": "div#nearness"}
HITS = {"hx-target": "div#colleagues-hits"}
TEXT = {"hx-target": "div#colleague-text"}


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}"


def found(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="[^"]+/colleagues/(\d+)\?', page)]


def test_words_and_meaning_find_together_and_approved_come_first(browser, database, settings, people, url):
    draft = write(database, people, KETTLE, VINEGAR)
    approved = write(database, people, SCALE, VINEGAR, state=ExampleState.APPROVED)
    write(database, people, GIT, "Reset softly to the commit before.")
    rejected = write(database, people, KETTLE, VINEGAR, state=ExampleState.REJECTED)
    encode(database, settings)
    page = browser(people.annotator).get(f"{url}/colleagues?q=limescale+kettle")
    assert page.status_code == 200
    assert found(page.text) == [approved, draft]
    assert rejected not in found(page.text)
    assert re.search(r"by meaning \.\d+", page.text)
    assert re.search(r"by words and meaning \.\d+", page.text)
    assert '<mark class="hit">limescale</mark>' in page.text
    assert people.annotator.name in page.text
    meant = browser(people.annotator).get(f"{url}/colleagues?q=getting+rid+of+calcium+deposits", headers=HITS).text
    assert set(found(meant)) == {approved, draft}
    assert "by words" not in meant
    assert "<html" not in meant


def test_hits_are_plain_words_here_and_in_the_list(browser, database, settings, people, url):
    write(
        database,
        people,
        "## Is my **kettle** broken?",
        "Boil **vinegar** and see [the page](https://example.org/limescale).",
    )
    encode(database, settings)
    client = browser(people.annotator)
    for page in (client.get(f"{url}/colleagues?q=vinegar", headers=HITS), client.get(f"{url}/examples?words=vinegar")):
        assert "Is my kettle broken?" in page.text
        assert re.search("Boil (<mark[^>]*>)?vinegar(</mark>)? and see the page[.]", page.text)
        assert "**" not in re.sub("(?s)<head>.*<main", "", page.text)
    # What stands in an address alone is shown with it: otherwise nobody would see why it was found.
    assert '/<mark class="hit">limescale</mark>' in client.get(f"{url}/examples?words=limescale").text


def test_what_was_just_saved_is_found_by_words_and_said_to_be_waiting(browser, database, settings, people, url):
    number = write(database, people, KETTLE, VINEGAR)
    page = browser(people.annotator).get(f"{url}/colleagues?q=limescale").text
    assert found(page) == [number]
    assert "1 of 1 example is not encoded yet" in page
    assert "by words<" in page
    encode(database, settings)
    page = browser(people.annotator).get(f"{url}/colleagues?q=limescale").text
    assert "not encoded" not in page
    assert "by words and meaning" in page


def test_a_model_under_way_or_missing_leaves_the_words(browser, database, settings, people, url, monkeypatch):
    write(database, people, KETTLE, VINEGAR)
    monkeypatch.setattr("app.duplicates.means.light_encoder_within", lambda *_: None)
    page = browser(people.annotator).get(f"{url}/colleagues?q=limescale", headers=HITS).text
    assert "data-again" in page
    assert "by meaning in a moment" in page
    assert len(found(page)) == 1


def test_a_hit_opens_in_place_with_its_text_author_and_state(browser, database, settings, people, url):
    number = write(database, people, KETTLE, "**Boil** vinegar.", state=ExampleState.APPROVED)
    part = browser(people.colleague).get(f"{url}/colleagues/{number}?q=kettle", headers=TEXT).text
    assert "<strong>Boil</strong> vinegar." in part
    assert f'href="{url}/examples/{number}" target="_blank"' in part
    assert people.annotator.name in part
    assert "Approved" in part
    assert "colleagues-hits" not in part
    whole = browser(people.colleague).get(f"{url}/colleagues/{number}?q=kettle").text
    assert 'aria-current="true"' in whole
    assert browser(people.colleague).get(f"{url}/colleagues/{number + 99}").status_code == 404


def test_the_panel_asks_for_nothing_that_it_does_not_show(browser, database, people, url):
    with queries(database) as asked:
        part = (
            browser(people.annotator).get(f"{url}/colleagues?example=7", headers={"hx-target": "div#colleagues"}).text
        )
    assert 'id="colleagues-panel" popover' in part
    assert f'hx-post="{url}/examples/7/nearness"' in part
    assert not [statement for statement in asked if "example_text" in statement]
    part = browser(people.annotator).get(f"{url}/colleagues", headers={"hx-target": "div#colleagues"}).text
    assert f'hx-post="{url}/nearness"' in part


def test_a_search_costs_the_same_for_two_and_for_twenty(browser, database, settings, people, url):
    client, counts = browser(people.annotator), []
    for more in (2, 18):
        for number in range(more):
            write(database, people, f"{KETTLE} {number} {more}")
        encode(database, settings)
        client.get(f"{url}/colleagues?q=kettle")
        with queries(database) as asked:
            assert found(client.get(f"{url}/colleagues?q=kettle").text)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert len(found(client.get(f"{url}/colleagues?q=kettle").text)) == seeking.MOST_HITS


def test_the_desk_is_warned_of_a_copy_with_its_text_and_word_diff(browser, database, settings, people, url):
    other = write(database, people, KETTLE, VINEGAR)
    encode(database, settings)
    client = browser(people.annotator)
    part = client.post(f"{url}/nearness", data={"turn_1": KETTLE_MEANT, "turn_2": "x", "split": "train"}, headers=DESK)
    assert part.status_code == 200
    assert f"Close to example {other}, cosine .9" in part.text
    assert 'class="note near warn"' in part.text
    assert '<mark class="only">' in part.text
    assert "Not a duplicate" in part.text
    forgotten = client.post(f"{url}/nearness", data={"turn_1": KETTLE_MEANT, "dismiss": str(other)}, headers=DESK).text
    assert "Close to" not in forgotten
    assert json.loads(carried(forgotten)) == {str(other): ""}
    odd = client.post(
        f"{url}/nearness", data={"turn_1": KETTLE_MEANT, "not_duplicates": "1; DROP", "split": "?"}, headers=DESK
    )
    assert f"Close to example {other}" in odd.text


def test_what_was_dismissed_before_the_first_save_is_settled_by_it(browser, database, settings, people, url):
    near, held_out = write(database, people, KETTLE, VINEGAR), write(database, people, SCALE, "", split=Split.TEST)
    encode(database, settings)
    client, desk = browser(people.annotator), {"turn_1": KETTLE_MEANT, "turn_2": VINEGAR}
    first = client.post(f"{url}/nearness", data={**desk, "dismiss": str(near)}, headers=DESK).text
    leak = {**desk, "turn_1": SCALE, "not_duplicates": carried(first), "dismiss": str(held_out)}
    refused = client.post(f"{url}/nearness", data={**leak, f"reason_{held_out}": " "}, headers=DESK)
    assert (refused.status_code, "Say why both may stay" in refused.text) == (422, True)
    assert json.loads(carried(refused.text)) == {str(near): ""}
    both = client.post(f"{url}/nearness", data={**leak, f"reason_{held_out}": "Two subjects."}, headers=DESK).text
    assert json.loads(carried(both)) == {str(near): "", str(held_out): "Two subjects."}
    made = {"key": "a-key-of-it", "source": "authors", "not_duplicates": carried(both), **desk}
    wrong = client.post(f"{url}/examples", data={**made, "source": ""})
    assert json.loads(carried(wrong.text)) == json.loads(carried(both)), "a save that is refused forgets none"
    assert client.post(f"{url}/examples", data=made).status_code == 303
    with database.reading() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        assert (pair.verdict, pair.decided_by, pair.method) == (Verdict.KEEP_BOTH, people.annotator.id, "embedding")
        number = session.scalars(select(Example.id).order_by(Example.id.desc())).first()
    assert "Close to" not in client.post(f"{url}/examples/{number}/nearness", data=desk, headers=DESK).text


def carried(page: str) -> str:
    return html.unescape(re.search(r'id="not-duplicates" value="([^"]*)"', page)[1])


def test_a_leak_is_red_and_says_what_will_be_blocked(browser, database, settings, people, url):
    test = write(database, people, KETTLE, "", split=Split.TEST)
    encode(database, settings)
    client = browser(people.annotator)
    part = client.post(f"{url}/nearness", data={"turn_1": KETTLE, "split": "train"}, headers=DESK).text
    assert "The same as a test prompt" in part
    assert 'class="note near danger"' in part
    assert "A freeze will be blocked while both stand" in part
    mine = write(database, people, KETTLE_MEANT)
    here, other = f"{url}/examples/{mine}/nearness", f"{url}/examples/{mine}/nearness/{test}/dismissal"
    part = client.post(here, data={"turn_1": KETTLE_MEANT}, headers=DESK).text
    assert "a freeze will be blocked until it is settled" in part
    refused = client.post(other, data={"turn_1": KETTLE_MEANT, "turn_2": "", f"reason_{test}": " "}, headers=DESK)
    assert (refused.status_code, "Say why both may stay" in refused.text) == (422, True)
    done = client.post(other, data={"turn_1": KETTLE_MEANT, f"reason_{test}": "Two subjects."}, headers=DESK)
    assert (done.status_code, "leak" in done.text.lower()) == (200, False)
    with database.reading() as session:
        assert session.scalars(select(DuplicatePair)).one().kept_because == "Two subjects."


def test_without_a_script_the_saved_prompt_has_a_page(browser, database, settings, people, url):
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE)
    encode(database, settings)
    client = browser(people.annotator)
    here = f"{url}/examples/{mine}/nearness"
    page = client.get(here).text
    assert f"Close to example {other}" in page
    assert f'formaction="{here}/{other}/dismissal"' in page
    answer = client.post(f"{here}/{other}/dismissal", data={})
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    page = client.get(here).text
    assert "Settled: they are no duplicates" in page
    assert "No other prompt of the project is near" in page
    assert client.post(f"{here}/{other}/dismissal", data={}).status_code == 409
    settled = client.get(f"{url}/duplicates?show=settled").text
    assert "kept both" in settled


def test_who_is_kept_from_tests_sees_no_word_of_them_anywhere(browser, api, database, settings, people, url):
    test = write(database, people, f"{KETTLE} Xylophone", "", split=Split.TEST, author=people.lead)
    encode(database, settings)
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
    client = browser(people.annotator)
    part = client.post(f"{url}/nearness", data={"turn_1": f"{KETTLE} Xylophone"}, headers=DESK).text
    assert "Too close to a test prompt" in part
    assert "Xylophone" not in part
    assert f"/{test}" not in part
    for query in ("Xylophone", "limescale in a kettle"):
        assert found(client.get(f"{url}/colleagues?q={query}").text) == []
        assert found(browser(people.lead).get(f"{url}/colleagues?q={query}").text) == [test]
    assert client.get(f"{url}/colleagues/{test}").status_code == 404
    told = api(people.annotator).post(f"/api/v1{url}/examples/near", json={"text": f"{KETTLE} Xylophone"}).json()
    assert told["near"] == [
        {"id": None, "method": None, "score": None, "leak": True, "counts": True, "split": "test", "state": None,
         "prompt": None, "kept_out": True}
    ]  # fmt: skip


def test_hostile_words_are_words(browser, database, settings, people, url):
    number = write(database, people, HOSTILE, HOSTILE)
    encode(database, settings)
    client = browser(people.annotator)
    pages = [
        client.get(f"{url}/colleagues", params={"q": '"><script>alert(3)</script> kettle'}).text,
        client.get(f"{url}/colleagues/{number}").text,
        client.post(f"{url}/nearness", data={"turn_1": f"{HOSTILE}!"}, headers=DESK).text,
        client.get(f"{url}/examples/{number}/nearness").text,
    ]
    for page in pages:
        assert not re.search(r"<script>alert|<img src=x", page)
        assert 'value=""><script' not in page
    for typed in ('"', "-", "(((", "a* OR NEAR(", "%", "\u202e", "x" * 300):
        assert client.get(f"{url}/colleagues", params={"q": typed}).status_code == 200
    assert client.get(f"{url}/colleagues", params={"q": "x" * 301}).status_code == 422
    assert client.post(f"{url}/nearness", data={"turn_1": "word " * 30_000}, headers=DESK).status_code == 200


def test_the_api_finds_compares_and_settles(api, database, settings, people, url):
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE)
    encode(database, settings)
    client, base = api(people.annotator), f"/api/v1{url}/examples"
    hits = client.get(f"{base}/near", params={"q": "limescale"}).json()
    assert {hit["id"] for hit in hits["hits"]} == {mine, other}
    assert hits["hits"][0]["ways"] == ["words", "meaning"]
    assert (hits["waiting"], hits["total"], hits["under_way"], hits["reason"]) == (0, 2, False, "")
    near = client.get(f"{base}/{mine}/near").json()
    assert [(one["id"], one["method"], one["leak"]) for one in near["near"]] == [(other, "embedding", False)]
    assert client.post(f"{base}/near", json={"text": KETTLE, "split": "test"}).json()["near"][0]["leak"]
    assert client.post(f"{base}/near", json={"text": KETTLE, "example_id": 999}).status_code == 404
    assert client.post(f"{base}/near", json={"text": ""}).status_code == 422
    settled = client.post(f"{base}/{mine}/near/{other}/dismissal", json={}).json()
    assert (settled["left"], settled["right"], settled["verdict"]) == (
        f"example:{mine}",
        f"example:{other}",
        "keep_both",
    )
    assert client.get(f"{base}/{mine}/near").json()["near"] == []
    assert client.post(f"{base}/{mine}/near/{other}/dismissal", json={}).status_code == 409
    assert api(people.annotator, "read").post(f"{base}/{mine}/near/{other}/dismissal", json={}).status_code == 403


def test_the_command_line_needs_no_worker(database, settings, people, monkeypatch, closing):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE, VINEGAR)
    slug, runner, commands = people.project.slug, CliRunner(), build()

    def run(*words):
        return runner.invoke(commands, ["example", *words])

    told = json.loads(run("near", slug, str(mine), "--json").stdout)
    assert [(one["id"], one["method"]) for one in told["near"]] == [(other, "embedding")]
    assert f"{other}" in run("near", slug, "--text", KETTLE).stdout
    assert "LEAK" in run("near", slug, "--text", KETTLE, "--split", "test").stdout
    assert "Near nothing" in run("near", slug, str(mine), "--dismiss", str(other)).stdout
    hits = json.loads(run("colleagues", slug, "limescale", "--json").stdout)["hits"]
    assert [hit["id"] for hit in hits] == [mine, other] or [hit["id"] for hit in hits] == [other, mine]
    for wrong in (("near", slug), ("near", slug, "1", "--text", "x"), ("near", slug, "--text", "x", "--dismiss", "1")):
        assert run(*wrong).exit_code == 2
    with database.reading() as session:
        assert session.get_one(Example, mine).state is ExampleState.DRAFT
