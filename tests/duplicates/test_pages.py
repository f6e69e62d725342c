"""The inbox, one pair, the form of a scan, the panel of an example: read and worked by browser and by API."""

import re

import pytest
from sqlalchemy import event, select

from app.db import Database
from app.duplicates.lexical import alike, runs
from app.duplicates.models import DuplicatePair, DuplicateScan, On, Verdict
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from app.sources.models import Candidate
from tests.duplicates.rooms import (
    GIT,
    KETTLE,
    KETTLE_AGAIN,
    SITE,
    candidate,
    example,
    import_run,
    known_pair,
    messages,
)

WHY = {"reason": "They  share words,\n not the question."}


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/duplicates"


@pytest.fixture
def filled(database, people):
    """Three pairs: near (.95), nearer (.97), and a leak (.91) that comes first."""
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        candidate(session, run, "3", GIT, split=Split.TEST)
        near = known_pair(session, people, key("1"), key("2"), score=0.95)
        nearer = known_pair(session, people, key("1"), key("2"), score=0.97, on=On.RESPONSE)
        leak = known_pair(session, people, key("1"), key("3"), score=0.91, leak=True)
    return [leak.id, nearer.id, near.id]


def listed(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="[^"]+/duplicates/(\d+)[^"]*" data-row', page)]


def test_nobody_has_looked_yet(browser, people, url):
    page = browser(people.annotator).get(url)
    assert page.status_code == 200
    assert "Nobody has looked yet" in page.text
    assert f'action="{url}/scans"' in page.text


def test_leaks_come_first_then_the_likest(browser, people, url, filled):
    page = browser(people.annotator).get(url).text
    # The leak's cluster has the near pair as well.
    assert listed(page) == filled[:2]
    assert "3 pairs to settle</strong>, one of them a leak" in page
    assert "Leak between train and test" in page


def test_a_pair_says_where_its_texts_come_from_and_marks_their_words(browser, people, url, filled):
    page = browser(people.annotator).get(f"{url}/{filled[2]}").text
    assert "Cluster 1 of 2" in page
    assert f"; wording {alike(runs(KETTLE, 5), runs(KETTLE_AGAIN, 5)):.3f}".replace(" 0.", " .")[:-1] in page
    assert "cosine .950 of prompts, found by meaning, both in the pool" in page
    assert f'<a href="https://{SITE}/a/1">Open post</a>' in page
    assert '<a href="https://example.org/ada">Ada</a>' in page
    assert "CC BY-SA 4.0" in page
    assert '<mark class="only">my</mark>' in page
    assert '<mark class="only">an</mark>' in page


def test_an_address_that_is_no_web_address_is_no_link(browser, database, people, url):
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE, url="javascript:alert(1)")
        candidate(session, run, "2", "<script>alert(1)</script>")
        known_pair(session, people, key("1"), key("2"))
    page = browser(people.annotator).get(url).text
    assert "javascript:" not in page
    assert "<script>alert" not in page


def test_the_threshold_shows_what_it_finds_and_decides_nothing(browser, database, people, url, filled):
    with database.writing() as session:
        for name, score, verdict in (("7", 0.96, "keep_left"), ("8", 0.92, "keep_both"), ("9", 0.9, "keep_left")):
            known_pair(session, people, key(name), key(f"{name}0"), score=score, verdict=Verdict(verdict))
    page = browser(people.annotator).get(f"{url}?t=94").text
    assert listed(page) == filled[1:]
    words = re.search(r'id="threshold-words">(.*?)</p>', page, re.DOTALL)[1]
    assert "<b>.94</b> finds 2 of 3 to settle; of 3 settled, 1 that were the same and 0 that were not" in words
    assert 'name="t" type="range" min="90" max="100" value="94"' in page


def test_the_list_alone_can_be_had(browser, people, url, filled):
    part = browser(people.annotator).get(f"{url}/{filled[2]}?t=94", headers={"hx-target": "div#pairs-known"}).text
    assert listed(part) == filled[1:]
    assert "<html" not in part
    assert 'aria-current="true"' in part


def test_a_decision_goes_on_to_the_next_pair_and_can_be_undone(browser, database, people, url, filled):
    leak, nearer, near = filled
    client = browser(people.annotator)
    answer = client.post(f"{url}/{leak}/decision", data={"verdict": "keep_both", "t": "0"} | WHY)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{url}/{nearer}")
    page = client.get(f"{url}/{nearer}").text
    assert "Kept both" in page
    assert f'action="{url}/{leak}/reversal"' in page
    answer = client.post(f"{url}/{nearer}/decision", data={"verdict": "keep_left", "t": "94"})
    # The other pair of the text that went was settled with it, so nothing is left.
    assert answer.headers["location"] == url
    assert "Everything is settled" in client.get(url).text
    assert "See the pair that settled it" in client.get(f"{url}/{near}").text
    settled = client.get(f"{url}/{nearer}").text
    assert f"{key('2')} is rejected as a duplicate." in settled
    answer = client.post(f"{url}/{nearer}/reversal")
    assert answer.headers["location"] == f"{url}/{nearer}"
    assert listed(client.get(url).text) == [nearer, near]
    with database.reading() as session:
        statuses = session.scalars(select(Candidate.status).order_by(Candidate.id)).all()
        assert [status.value for status in statuses] == ["open", "open", "open"]


def test_a_leak_is_kept_only_for_a_reason_that_stands_with_it(browser, database, people, url, filled):
    leak, nearer, _ = filled
    client = browser(people.annotator)
    page = client.get(f"{url}/{leak}").text
    assert 'name="verdict" value="keep_both"' not in page.split('id="keep-leak"')[0]
    assert re.search(r'<input id="reason" name="reason" type="text" value="" required', page)
    for reason in ({}, {"reason": " \n "}):
        answer = client.post(f"{url}/{leak}/decision", data={"verdict": "keep_both"} | reason)
        assert (answer.status_code, "Say why both may stay" in answer.text) == (422, True)
    with database.reading() as session:
        assert session.get_one(DuplicatePair, leak).verdict is Verdict.OPEN
    client.post(f"{url}/{leak}/decision", data={"verdict": "keep_both"} | WHY)
    settled = client.get(f"{url}/{leak}").text
    assert "Kept on purpose, because: They share words, not the question." in settled
    assert "keep-leak" not in client.get(f"{url}/{nearer}").text
    client.post(f"{url}/{leak}/reversal")
    with database.reading() as session:
        assert session.get_one(DuplicatePair, leak).kept_because == ""


def test_nothing_to_settle_shows_no_threshold(browser, database, people, url):
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        pair = known_pair(session, people, key("1"), key("2"), score=0.97)
    client = browser(people.annotator)
    assert 'aria-valuetext="0.97"' in client.get(url).text
    client.post(f"{url}/{pair.id}/decision", data={"verdict": "keep_both"})
    page = client.get(url).text
    assert "Everything is settled" in page
    assert 'type="range"' not in page
    assert 'type="range"' in client.get(f"{url}?show=settled").text


def test_settled_pairs_have_a_list_of_their_own(browser, people, url, filled):
    client = browser(people.annotator)
    client.post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_both"} | WHY)
    assert listed(client.get(f"{url}?show=settled").text) == filled[:1]
    assert "Nothing is settled yet" not in client.get(f"{url}?show=settled").text


def test_the_second_to_decide_is_told(browser, people, url, filled):
    browser(people.annotator).post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_left"})
    answer = browser(people.colleague).post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_right"})
    assert answer.status_code == 409
    assert "settled in the meantime" in answer.text


@pytest.mark.parametrize("verdict", ["open", "merge", ""])
def test_what_is_no_decision_is_refused(browser, people, url, filled, verdict):
    answer = browser(people.annotator).post(f"{url}/{filled[0]}/decision", data={"verdict": verdict})
    assert answer.status_code == 422


def test_what_is_gone_or_rejected_says_so(browser, database, people, url, filled):
    with database.writing() as session:
        session.delete(session.scalars(select(Candidate).where(Candidate.external_id == "3")).one())
    page = browser(people.annotator).get(f"{url}/{filled[0]}").text
    assert "This text is not there any more" in page
    assert "Right is gone" in page


def test_a_scan_is_started_from_the_form(browser, database, people, url):
    answer = browser(people.annotator).post(
        f"{url}/scans", data={"exact": "true", "embedding": "true", "on": "response", "threshold": "0.85"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    with database.reading() as session:
        scan = session.scalars(select(DuplicateScan)).one()
        assert (scan.methods, scan.on, scan.threshold) == (["exact", "embedding"], On.RESPONSE, 0.85)
    page = browser(people.annotator).get(url).text
    assert f'hx-get="/projects/{people.project.slug}/jobs/{scan.job_id}?next={url}"' in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"on": "prompt", "threshold": "0.9"}, "Choose at least one way of looking."),
        ({"exact": "true", "on": "prompt", "threshold": "0.2"}, "This must be at least 0.5."),
        ({"exact": "true", "on": "title", "threshold": "0.9"}, "should be"),
    ],
)
def test_a_form_that_does_not_fit_comes_back_with_what_was_typed(browser, people, url, data, words):
    answer = browser(people.annotator).post(f"{url}/scans", data=data)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{data["threshold"]}"' in answer.text


def test_an_example_lists_its_pairs(browser, database, people, url):
    with database.writing() as session:
        one, other, alone = (
            example(session, people, KETTLE),
            example(session, people, KETTLE_AGAIN),
            example(session, people, GIT),
        )
        known_pair(session, people, f"example:{one.id}", f"example:{other.id}")
    client = browser(people.annotator)
    panel = f"/projects/{people.project.slug}/examples/{other.id}/duplicates"
    part = client.get(panel, headers={"hx-target": "section#duplicates-panel"}).text
    assert "<html" not in part
    assert KETTLE in part
    assert "<html" in client.get(panel).text
    lone = client.get(f"/projects/{people.project.slug}/examples/{alone.id}/duplicates").text
    assert "Nothing that the last look" in lone


def test_the_inbox_costs_the_same_however_long_it_is(browser, database: Database, people, url):
    with database.writing() as session:
        run = import_run(session, people)
        for number in range(40):
            candidate(session, run, str(number), f"{KETTLE} {number}")
        known_pair(session, people, key("0"), key("1"))
        known_pair(session, people, key("2"), key("3"))
    client = browser(people.annotator)
    few = queries_of(database, lambda: client.get(url))
    with database.writing() as session:
        for number in range(4, 40, 2):
            known_pair(session, people, key(str(number)), key(str(number + 1)))
    assert queries_of(database, lambda: client.get(url)) == few
    assert few <= 25


def queries_of(database: Database, act) -> int:
    statements = []

    def count(_connection, _cursor, statement, *_) -> None:
        statements.append(statement)

    act()
    event.listen(database.engine, "before_cursor_execute", count)
    act()
    event.remove(database.engine, "before_cursor_execute", count)
    return len(statements)


def test_members_of_every_role_settle_and_strangers_see_nothing(browser, people, url, filled):
    for person in (people.annotator, people.reviewer, people.lead, people.admin):
        client = browser(person)
        assert client.get(url).status_code == 200
        assert client.post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_both"} | WHY).status_code == 303
        assert client.post(f"{url}/{filled[0]}/reversal").status_code == 303
    stranger = browser(people.stranger)
    assert stranger.get(url).status_code == 404
    assert stranger.get(f"{url}/{filled[0]}").status_code == 404
    assert stranger.post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_both"}).status_code == 404
    assert stranger.post(f"{url}/scans", data={"exact": "true"}).status_code == 404


def test_a_pair_of_another_project_is_not_there(browser, database, people, filled):
    from tests import factories

    with database.writing() as session:
        other = factories.project(session, people.lead)
    client = browser(people.lead)
    for path in (f"{filled[0]}", f"{filled[0]}/decision", f"{filled[0]}/reversal"):
        address = f"/projects/{other.slug}/duplicates/{path}"
        answer = client.get(address) if path.isdigit() else client.post(address, data={"verdict": "keep_both"})
        assert answer.status_code == 404
    with database.reading() as session:
        assert {pair.verdict for pair in session.scalars(select(DuplicatePair))} == {Verdict.OPEN}


def test_the_api_does_the_same(api, database, people):
    slug = people.project.slug
    with database.writing() as session:
        one, other = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN)
        pair = known_pair(session, people, f"example:{one.id}", f"example:{other.id}")
    client = api(people.annotator, "write")
    base = f"/api/v1/projects/{slug}/duplicates"
    page = client.get(base).json()
    assert (page["total"], page["pairs"][0]["id"], page["pairs"][0]["verdict"]) == (1, pair.id, "open")
    assert client.get(f"{base}?verdict=keep_left").json()["total"] == 0
    assert client.get(f"{base}?threshold=0.99").json()["total"] == 0
    decided = client.post(f"{base}/{pair.id}/decision", json={"verdict": "keep_left"})
    assert decided.status_code == 200
    assert decided.json()["decided_by"] == people.annotator.name
    assert decided.json()["rejected"] == f"example:{other.id}"
    clash = client.post(f"{base}/{pair.id}/decision", json={"verdict": "keep_right"})
    assert (clash.status_code, "settled" in clash.json()["error"]["message"]) == (409, True)
    assert client.post(f"{base}/{pair.id}/reversal").json()["verdict"] == "open"
    with database.reading() as session:
        assert session.get_one(Example, other.id).state is ExampleState.DRAFT
    assert client.get(f"{base}/{pair.id}").json()["decided_by"] is None
    with database.writing() as session:
        session.get_one(DuplicatePair, pair.id).leak = True
    both = client.post(f"{base}/{pair.id}/decision", json={"verdict": "keep_both"})
    assert (both.status_code, "Say why" in both.json()["error"]["message"]) == (422, True)
    both = client.post(f"{base}/{pair.id}/decision", json={"verdict": "keep_both", "reason": "Different kettles."})
    assert both.json()["reason"] == "Different kettles."
    assert client.post(f"{base}/{pair.id}/reversal").json()["reason"] is None
    assert client.post(f"{base}/{pair.id}/decision", json={"verdict": "open"}).status_code == 422
    scan = client.post(f"{base}/scans", json={"methods": ["exact"], "on": "pair", "threshold": 0.95})
    assert scan.status_code == 201
    assert client.get(f"{base}/scans/{scan.json()['id']}").json()["result"] == {}
    assert client.post(f"{base}/scans", json={"methods": ["translation"]}).status_code == 422
    assert (
        api(people.annotator, "read").post(f"{base}/{pair.id}/decision", json={"verdict": "keep_left"}).status_code
        == 403
    )
    assert api(people.stranger).get(base).status_code == 404


def test_conversations_are_compared_turn_by_turn(browser, database, people, url):
    with database.writing() as session:
        long = messages(KETTLE, "Use citric acid.") + messages("And the smell?", "Rinse it twice.")
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE).messages = [{"role": "system", "content": "Be brief."}, *long]
        candidate(session, run, "2", KETTLE).messages = [*long[:2], *messages("And the taste?", "Rinse it twice.")]
        known_pair(session, people, key("1"), key("2"))
    page = browser(people.annotator).get(url).text
    assert re.findall(r'<mark class="only">(.*?)</mark>', page) == ["Be brief.", "smell", "taste"]


def test_an_archived_project_can_be_read_and_not_changed(browser, database, people, url, filled):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.archived_at = project.created_at
    client = browser(people.annotator)
    assert client.get(url).status_code == 200
    assert client.post(f"{url}/{filled[0]}/decision", data={"verdict": "keep_both"}).status_code == 410
