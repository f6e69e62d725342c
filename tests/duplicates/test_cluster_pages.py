"""The pages and the API of clusters, thresholds and removals."""

import json

import pytest
from sqlalchemy import select

from app.duplicates.models import DuplicatePair, Method, Verdict
from app.projects.models import Split
from app.sources.models import Candidate
from tests.duplicates.rooms import GIT, KETTLE, KETTLE_AGAIN, SITE, candidate, import_run, known_pair, scan


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/duplicates"


@pytest.fixture
def three(database, people):
    """1 is like 2 and 3."""
    with database.writing() as session:
        run = import_run(session, people)
        for name in "123":
            candidate(session, run, name, f"{KETTLE} {name}")
        return [known_pair(session, people, key("1"), key(name), score=0.95).id for name in "23"]


def verdicts(database) -> set[Verdict]:
    with database.reading() as session:
        return set(session.scalars(select(DuplicatePair.verdict)))


def rejected(database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Candidate.external_id).where(Candidate.status == "rejected")))


def test_a_cluster_is_shown_settled_and_undone(browser, database, people, url, three):
    client = browser(people.annotator)
    page = client.get(url).text
    assert "3 texts, each paired with the first" in page
    assert page.count(" data-row") == 1
    assert f'value="{key("1")}" data-key="3"' in page
    answer = client.post(f"{url}/{three[0]}/cluster", data={"keep": key("2"), "reason": "Better said."})
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    page = client.get(url).text
    assert "the other 2 are rejected" in page
    assert rejected(database) == {"1", "3"}
    removed = client.get(f"{url}/removed").text
    assert "2 texts removed" in removed
    assert removed.count("Because: Better said.") == 2
    assert client.post(f"{url}/{three[0]}/reversal").status_code == 303
    assert (rejected(database), verdicts(database)) == (set(), {Verdict.OPEN})
    assert "Nothing was removed" in client.get(f"{url}/removed").text


def test_all_of_a_cluster_are_kept(browser, database, people, url, three):
    assert browser(people.annotator).post(f"{url}/{three[1]}/cluster", data={"keep": ""}).status_code == 303
    assert (rejected(database), verdicts(database)) == (set(), {Verdict.KEEP_BOTH})


def test_a_cluster_that_is_another_by_now_is_refused(browser, database, people, url, three):
    answer = browser(people.annotator).post(f"{url}/{three[0]}/cluster", data={"keep": key("1"), "seen": "0" * 16})
    assert (answer.status_code, "Nothing was changed" in answer.text) == (409, True)
    assert verdicts(database) == {Verdict.OPEN}


def test_what_was_removed_is_a_file(browser, people, url, three):
    client = browser(people.annotator)
    client.post(f"{url}/{three[0]}/cluster", data={"keep": key("1")})
    lines = client.get(f"{url}/removed.jsonl")
    assert "attachment" in lines.headers["content-disposition"]
    assert {json.loads(line)["removed"] for line in lines.text.splitlines()} == {key("2"), key("3")}
    assert client.get(f"{url}/removed.csv").text.startswith("removed,kept,prompt")
    assert browser(people.stranger).get(f"{url}/removed.csv").status_code == 404


def test_thresholds_are_read_and_judged_on_a_page(browser, database, settings, people, url):
    client = browser(people.annotator)
    assert "No look has counted pairs yet" in client.get(f"{url}/thresholds").text
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        candidate(session, run, "3", GIT, split=Split.TEST)
        candidate(session, run, "4", GIT)
    scan(database, settings, people, methods=[Method.EXACT, Method.LEXICAL, Method.EMBEDDING])
    page = client.get(f"{url}/thresholds").text
    assert "<b>.90</b> finds 1 pair<" in page
    assert 'type="range" min="70" max="100" value="90"' in page
    assert f'value="{key("1")}"' in page
    assert key("3") not in page
    part = client.get(f"{url}/thresholds?t=99", headers={"hx-target": "div#threshold-read"}).text
    assert "<b>.99</b> finds 0 pairs" in part
    assert "<html" not in part
    said = {"left": key("1"), "right": key("2"), "verdict": "same", "t": "90"}
    answer = client.post(f"{url}/judgements", data=said)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{url}/thresholds?method=embedding&t=90")
    page = client.get(f"{url}/thresholds").text
    assert "1 judged pair</strong>, 1 of them the same" in page
    assert "Of what it finds 1.00 (" in page
    assert client.post(f"{url}/judgements", data=said | {"right": key("3")}).status_code == 404
    assert client.get(f"{url}/thresholds?method=exact").status_code == 422


def test_the_api_does_the_same(api, database, settings, people):
    base = f"/api/v1/projects/{people.project.slug}/duplicates"
    with database.writing() as session:
        run = import_run(session, people)
        for name in "123":
            candidate(session, run, name, KETTLE if name != "3" else KETTLE_AGAIN)
    scan(database, settings, people, methods=[Method.EXACT, Method.LEXICAL, Method.EMBEDDING])
    client = api(people.annotator, "write")
    [cluster] = client.get(f"{base}/clusters").json()["clusters"]
    assert (cluster["texts"], len(cluster["pairs"])) == ([key("1"), key("2"), key("3")], 2)
    assert client.get(f"{base}/clusters?threshold=1").json()["clusters"][0]["texts"] == [key("1"), key("2")]
    read = client.get(f"{base}/thresholds").json()
    assert [one["pairs"] for one in read["readings"] if one["from"] == 0.9] == [1]
    said = {"left": key("1"), "right": key("3"), "verdict": "same"}
    judged = client.post(f"{base}/judgements", json=said)
    assert (judged.status_code, judged.json()["verdict"]) == (201, "open")
    assert client.get(f"{base}/thresholds").json()["judged"] == 1
    changed = client.post(f"{base}/{cluster['pair']}/cluster", json={"keep": None, "seen": "0" * 16})
    assert changed.status_code == 409
    wanted = {"keep": key("2"), "reason": "It is.", "seen": cluster["seen"]}
    done = client.post(f"{base}/{cluster['pair']}/cluster", json=wanted)
    assert (done.status_code, done.json()["reason"]) == (200, "It is.")
    removals = client.get(f"{base}/removed").json()
    assert (removals["total"], {row["kept"] for row in removals["removals"]}) == (2, {key("2")})
    assert client.post(f"{base}/{done.json()['id']}/reversal").json()["verdict"] == "open"
    assert client.get(f"{base}/removed").json()["total"] == 0
    scanned = client.get(f"{base}/scans/1").json()["result"]
    assert "standing" not in scanned
    assert scanned["lexical_threshold"] == 0.6
    reader = api(people.annotator, "read")
    assert reader.post(f"{base}/{cluster['pair']}/cluster", json={"keep": None}).status_code == 403
    assert reader.post(f"{base}/judgements", json=said).status_code == 403
