"""The pool by meaning: exact, within the filters, towards and away from candidates; words while the model is loaded."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, select, update
from typer.testing import CliRunner

from app.cli import build
from app.embeddings.encoder import EncoderMissing
from app.embeddings.models import CandidateText
from app.jobs.models import Job
from app.projects.models import Project, Split
from app.selection import queries
from app.selection.forms import PoolQuery
from app.selection.queries import By, Order, PoolFilter
from app.selection.search import finding, meaning
from app.selection.search.finding import find, first_of, fused, page_of
from app.selection.search.meaning import likeness
from app.sources.models import Candidate, CandidateStatus, ImportState
from app.text.search import Term, exactly, parse, sentence
from tests import factories
from tests.examples import rows
from tests.selection.pools import BREAD, GIT, KETTLE, SCALE, VIOLIN, draw, encode, encoder, fill, units

PATIENT = 60.0
ASKED = "limescale in a kettle"
FOUND = {"hx-target": "div#found"}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """On a busy machine a page waits as well: what is under way is a test of its own."""
    monkeypatch.setattr(meaning, "PATIENCE", PATIENT)


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/pool"


@pytest.fixture
def pool(database, settings, people):
    """Five candidates by the names of their prompts, all encoded."""
    with database.writing() as session:
        ids = fill(session, people, KETTLE, SCALE, GIT, BREAD, VIOLIN)
    encode(database, settings, people)
    return dict(zip(("kettle", "scale", "git", "bread", "violin"), ids, strict=True))


@pytest.fixture
def found(database, people):
    def ask(words="", **wanted):
        with database.reading() as session:
            hits = find(session, people.project.id, PoolFilter(words=words, **wanted), PATIENT)
            return [one.id for one in first_of(session, hits, 1000).candidates]

    return ask


def listed(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'name="ids" value="(\d+)"', page)]


def test_meaning_finds_what_is_said_in_other_words(found, pool):
    asked = "removing calcium deposits from a water boiler"
    assert found(asked) == []
    assert set(found(asked, by=By.MEANING)) == {pool["kettle"], pool["scale"]}
    assert set(found(asked, by=By.BOTH)) == {pool["kettle"], pool["scale"]}


def test_both_put_first_what_each_way_finds(found, pool):
    both = found("kettle limescale", by=By.BOTH)
    assert both[:2] == [pool["kettle"], pool["scale"]]
    assert found("kettle limescale") == [pool["kettle"]]
    # A word that the model gives little for is found all the same.
    assert pool["violin"] in found("strings", by=By.BOTH)


def test_what_stands_in_quotes_must_occur_and_what_has_a_minus_must_not(found, pool):
    asked = "limescale in a kettle"
    assert set(found(asked, by=By.MEANING)) == {pool["kettle"], pool["scale"]}
    assert found(f'{asked} "white crust"', by=By.MEANING) == [pool["scale"]]
    assert found(f"{asked} -electric", by=By.BOTH) == [pool["scale"]]
    assert set(found("-electric", by=By.MEANING)) == {pool["scale"], pool["git"], pool["bread"], pool["violin"]}


def test_more_like_one_comes_nearer_and_less_like_one_goes_away(found, pool):
    # The answers' words are the same; what is wanted more of is not found itself.
    more = found(like=(pool["kettle"],), by=By.BOTH)
    assert more[0] == pool["scale"]
    assert pool["kettle"] not in more
    assert found("kettle or bread", by=By.MEANING) == [pool["scale"], pool["bread"], pool["kettle"]]
    assert found("kettle or bread", by=By.MEANING, unlike=(pool["scale"],)) == [pool["bread"]]
    farthest = found(unlike=(pool["kettle"],), by=By.BOTH)
    assert set(farthest) == {pool["scale"], pool["git"], pool["bread"], pool["violin"]}
    assert farthest[-1] == pool["scale"]
    # By words alone, what has them all, in the order of nearness.
    assert found("kettle", like=(pool["kettle"],)) == [pool["scale"]]


@pytest.mark.parametrize("first", [1, 7, 1000])
def test_it_is_exact_whatever_fits(database, settings, people, monkeypatch, first):
    """As a look at every row says, however few of the nearest fit the filter."""
    monkeypatch.setattr(meaning, "FIRST", first)
    monkeypatch.setattr(finding, "MOST", 40)
    light = encoder(settings)
    with database.writing() as session:
        ids = fill(session, people, *(f"Drawn {number}?" for number in range(300)))
        centre = light.encode(["what is drawn"])[0]
        near = np.linspace(0.2, 0.99, 300)[:, None]
        vectors = near * centre + np.sqrt(1 - near**2) * units(300, light.dimensions)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        draw(session, settings, people, vectors.astype(np.float32), ids)
        session.execute(update(Candidate).where(Candidate.id % 3 == 0).values(status=CandidateStatus.REJECTED))
        # The nearest of all are of another site than nearly all.
        session.execute(update(Candidate).where(Candidate.id.in_(ids[:5])).values(site="far.example.org"))
    cosines = dict(zip(ids, (vectors @ centre).tolist(), strict=True))
    order = sorted(ids, key=lambda one: -cosines[one])
    with database.reading() as session:
        for wanted in (PoolFilter(), PoolFilter(status=CandidateStatus.OPEN), PoolFilter(site="far.example.org")):
            fits = set(session.scalars(queries.fitting(session, people.project.id, wanted)))
            asked = replace(wanted, words="what is drawn", by=By.MEANING)
            hits = find(session, people.project.id, asked, PATIENT)
            expected = [one for one in order if one in fits and cosines[one] >= meaning.LEAST_COSINE][:40]
            assert hits.ids == expected
    assert fits == set(ids[:5])


def test_pages_follow_each_other_without_a_gap_or_a_repetition(database, settings, people):
    with database.writing() as session:
        ids = fill(session, people, *(f"{KETTLE} {number}" for number in range(120)))
    encode(database, settings, people)
    wanted = PoolFilter(words="limescale kettle", by=By.BOTH)
    with database.reading() as session:
        seen = []
        for number in (1, 2, 3):
            hits = find(session, people.project.id, wanted, PATIENT)
            seen.append([one.id for one in page_of(session, hits, number).candidates])
        assert [len(page) for page in seen] == [50, 50, 20]
        assert sorted(one for page in seen for one in page) == sorted(ids)
        last = page_of(session, hits, 9)
        assert ([one.id for one in last.candidates], last.pager.number) == (seen[2], 3)
        newest = find(session, people.project.id, replace(wanted, order=Order.NEWEST), PATIENT)
        assert newest.ids == sorted(ids, reverse=True)


def test_a_candidate_that_is_gone_is_not_found_and_a_new_one_is(database, settings, people, pool, found, monkeypatch):
    monkeypatch.setattr(meaning, "SETTLED_AFTER", 0.0)  # a new row is new at once all the same
    assert found(ASKED, by=By.MEANING) == [pool["kettle"], pool["scale"]]
    with database.writing() as session:
        session.execute(delete(CandidateText).where(CandidateText.candidate_id == pool["kettle"]))
        session.execute(delete(Candidate).where(Candidate.id == pool["kettle"]))
    assert found(ASKED, by=By.MEANING) == [pool["scale"]]
    with database.writing() as session:
        (late,) = fill(session, people, "Is vinegar good against limescale in a kettle?", site="late.example.org")
    assert found(ASKED, by=By.MEANING) == [pool["scale"]]
    encode(database, settings, people)
    assert set(found(ASKED, by=By.MEANING)) == {pool["scale"], late}


def test_hidden_test_prompts_stay_hidden(database, settings, people, browser, api, path, closing, monkeypatch):
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        (shown,) = fill(session, people, SCALE)
        (hidden,) = fill(session, people, KETTLE, split=Split.TEST, external_id="hidden")
    encode(database, settings, people)
    asked = {"words": "limescale in a kettle", "by": "both"}
    lead = browser(people.lead).get(path, params=asked).text
    assert set(listed(lead)) == {shown, hidden}
    for more in ({}, {"like": shown}, {"unlike": shown}, {"like": hidden}, {"split": "test"}):
        client = browser(people.annotator)
        for headers in ({}, FOUND):
            page = client.get(path, params=asked | more, headers=headers).text
            assert hidden not in listed(page)
            assert "electric kettle" not in page
        answer = api(people.annotator).get(f"/api/v1{path.replace('pool', 'candidates')}", params=asked | more).json()
        assert hidden not in {one["id"] for one in answer["candidates"]}
    # What it says moves nothing either: the list is the one without it.
    page = client.get(path, params={"like": hidden}).text
    assert "1 candidate that the address names is not here." in page
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    words = ["pool", "list", people.project.slug, "--words", ASKED, "--by", "meaning", "--json"]
    mine = json.loads(CliRunner().invoke(build(), [*words, "--as", people.annotator.email]).stdout)
    assert [one["id"] for one in mine["candidates"]] == [shown]
    all_ = json.loads(CliRunner().invoke(build(), words).stdout)
    assert {one["id"] for one in all_["candidates"]} == {shown, hidden}


def test_what_is_of_another_project_or_not_published_is_no_example_of_what_is_wanted(database, people, pool, found):
    with database.writing() as session:
        own = factories.project(session, people.stranger)
        other = rows.candidate(session, own, rows.import_run(session, own), published=True, title=KETTLE)
        run = rows.import_run(session, people.project, ImportState.RUNNING)
        early = rows.candidate(session, people.project, run, title=KETTLE)
    usual = found()
    assert found(like=(other.id, early.id, 10**9), by=By.BOTH) == usual


def test_what_is_not_encoded_yet_is_said_with_the_way_to_encode_it(browser, api, database, settings, people, path):
    with database.writing() as session:
        ids = fill(session, people, KETTLE, SCALE, GIT)
    encoder(settings)
    client = browser(people.annotator)
    page = client.get(path, params={"words": "limescale"}).text
    assert "0 of 3 candidates can be found by meaning" in page
    assert ">by words only<" in page
    assert listed(page) == [ids[0]]
    answer = api(people.annotator).get(
        f"/api/v1/projects/{people.project.slug}/candidates", params={"words": "limescale", "by": "both"}
    )
    assert (answer.json()["total"], answer.json()["reason"]) == (1, "No candidate is encoded yet.")
    encode(database, settings, people, most=2)
    page = client.get(path, params={"words": "limescale"}).text
    assert "2 of 3 candidates can be found by meaning" in page
    assert "Encode the rest" in page
    # What has no vector yet can be wanted more of.
    page = client.get(path, params={"like": ids[2], "words": "limescale"}).text
    assert "More like" in page
    start = re.search(r'action="([^"]*/encoding[^"]*)"', page)[1].replace("&amp;", "&")
    answer = client.post(start)
    assert answer.headers["location"] == f"{path}?words=limescale&like={ids[2]}"
    assert "the rest is being encoded" in client.get(path).text
    with database.reading() as session:
        assert session.scalars(select(Job.kind)).all() == ["encode_pool"]
    encode(database, settings, people)
    assert "can be found by meaning" not in client.get(path).text


def test_words_answer_until_the_model_is_there(browser, api, people, path, pool, monkeypatch):
    client, asked = browser(people.annotator), {"words": "limescale", "by": "meaning"}
    url = f"/api/v1/projects/{people.project.slug}/candidates"
    with monkeypatch.context() as patch:
        patch.setattr(meaning, "light_encoder_within", lambda *_: None)
        page = client.get(path, params=asked).text
        assert "by words so far; by meaning in a moment" in page
        assert listed(page) == [pool["kettle"]]
        assert re.search(r'hx-get="[^"]*/pool\?words=limescale&amp;by=meaning" hx-trigger="load delay', page)
        answer = api(people.annotator).get(url, params=asked).json()
        assert (answer["under_way"], answer["total"]) == (True, 1)
        chosen = client.get(f"{path}/{pool['git']}", params=asked, headers=FOUND).text
        assert re.search(rf'hx-get="[^"]*/pool/{pool["git"]}\?words=', chosen), "it stays the one that is chosen"
    page = client.get(path, params=asked, headers=FOUND).text
    assert "the nearest first" in page
    assert "load delay" not in page


def test_without_a_model_words_answer_and_say_why(browser, api, people, path, pool, monkeypatch):
    def missing(*_):
        raise EncoderMissing(name="x", reason="no such folder")

    monkeypatch.setattr(meaning, "light_encoder_within", missing)
    page = browser(people.annotator).get(path, params={"words": "limescale"}).text
    assert "by words only. There is no embedding model" in page
    assert listed(page) == [pool["kettle"]]
    url = f"/api/v1/projects/{people.project.slug}/candidates"
    answer = api(people.annotator).get(url, params={"words": "limescale", "by": "both"}).json()
    assert answer["reason"].startswith("There is no embedding model")
    assert not answer["under_way"]


def test_what_is_typed_changes_what_is_found_alone(browser, people, path, pool):
    client = browser(people.annotator)
    answer = client.get(
        path,
        params={"words": "limescale kettle", "by": "both", "score": "", "status": "open", "order": "best"},
        headers=FOUND,
    )
    assert answer.headers["hx-replace-url"] == f"{path}?words=limescale+kettle"
    assert "<html" not in answer.text
    assert '<form class="finder"' not in answer.text
    for needed in ('id="found"', 'id="decide"', 'id="clear"', ">Clear</a>"):
        assert needed in answer.text
    assert re.search(r'data-label="Near">\.\d\d<', answer.text)
    assert '<mark class="hit">limescale</mark>' in answer.text
    assert "1 by its words, 1 by meaning" in answer.text
    # Nothing found: the decisions on what was chosen go as well.
    nothing = client.get(path, params={"words": "zzzz", "by": "words"}, headers=FOUND).text
    assert '<div id="decide" hidden>' in nothing


def test_the_address_says_all_and_chips_take_it_off(browser, people, path, pool):
    client = browser(people.annotator)
    page = client.get(f"{path}/{pool['bread']}", params={"words": "kettle", "like": pool["scale"]}).text
    more = re.search(r'data-key="m"[^>]* href="([^"]*)"', page)[1].replace("&amp;", "&")
    assert more == f"{path}?words=kettle&like={pool['scale']}&like={pool['bread']}"
    less = re.search(r'data-key="l"[^>]* href="([^"]*)"', page)[1].replace("&amp;", "&")
    assert less == f"{path}?words=kettle&like={pool['scale']}&unlike={pool['bread']}"
    shared = browser(people.reviewer).get(more).text
    assert listed(shared) == listed(client.get(more).text)
    assert pool["scale"] not in listed(shared)
    off = re.findall(r'class="off" href="([^"]*)"', shared)
    assert f"{path}?words=kettle&amp;like={pool['bread']}" in off
    assert re.findall(r'<input type="hidden" name="like" value="(\d+)">', shared) == [
        str(pool["scale"]), str(pool["bread"]),
    ]  # fmt: skip


def test_a_decision_goes_on_in_the_order_of_meaning(browser, people, path, pool):
    client = browser(people.annotator)
    asked = {"words": ASKED, "by": "meaning"}
    order = listed(client.get(path, params=asked).text)
    assert order == [pool["kettle"], pool["scale"]]
    answer = client.post(f"{path}/{order[0]}/rejection", params=asked, data={"reason": "dull"})
    assert answer.headers["location"] == f"{path}/{order[1]}?words=limescale+in+a+kettle&by=meaning"
    assert listed(client.get(answer.headers["location"]).text) == order[1:]


def test_the_api_searches_by_words_unless_it_is_told(api, people, pool):
    client, url = api(people.annotator), f"/api/v1/projects/{people.project.slug}/candidates"
    plain = client.get(url, params={"words": "limescale kettle"}).json()
    assert [(one["id"], one["near"]) for one in plain["candidates"]] == [(pool["kettle"], None)]
    near = client.get(url, params={"words": ASKED, "by": "meaning"}).json()
    assert [one["id"] for one in near["candidates"]] == [pool["kettle"], pool["scale"]]
    assert 1 > near["candidates"][0]["near"] > near["candidates"][1]["near"] >= meaning.LEAST_COSINE
    like = client.get(url, params={"like": [pool["kettle"], pool["git"]]}).json()
    assert {pool["kettle"], pool["git"]}.isdisjoint(one["id"] for one in like["candidates"])
    assert client.get(url, params={"like": list(range(1, 12))}).status_code == 422
    assert client.get(url, params={"by": "magic"}).status_code == 422


def test_the_command_line_lists_by_meaning_with_the_score(closing, database, settings, people, pool, monkeypatch):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))

    def run(*words):
        return CliRunner().invoke(build(), ["pool", "list", people.project.slug, *words]).stdout

    asked = ("--words", "calcium deposits in a kettle", "--by", "meaning")
    lines = run(*asked).splitlines()
    assert re.match(rf"\s+{pool['kettle']}\s+11\s+\.\d\d  cooking", lines[0])
    document = json.loads(run(*asked, "--limit", "1", "--json"))
    assert (document["total"], [one["id"] for one in document["candidates"]]) == (2, [pool["kettle"]])
    like = json.loads(run("--like", str(pool["kettle"]), "--json"))
    assert like["candidates"][0]["id"] == pool["scale"]
    assert json.loads(run("--words", "calcium", "--json"))["total"] == 0


def test_numbers_that_are_first_in_two_orders_come_first():
    assert fused([1, 2, 3], [3, 4]) == [3, 1, 2, 4]
    assert fused([], [5, 4]) == [5, 4]
    assert fused([2], [1]) == [1, 2]


def test_a_sentence_is_read_without_its_signs():
    assert sentence('keep "hard cheese" -fridge cool') == "keep hard cheese cool"
    assert sentence("-fridge") == ""
    assert sentence("well-known  e-mail") == "well-known e-mail"
    assert exactly(parse('keep "hard cheese" -fridge')).all == (Term("hard cheese", phrase=True),)
    assert exactly(parse("keep -fridge")).none == (Term("fridge"),)


def test_a_likeness_is_cut_and_not_rounded_up():
    assert [likeness(one) for one in (0.7199, 0.9999, 0.9999999, 1.0, 0.0, -0.123)] == [
        ".71", ".99", "1.00", "1.00", ".00", "−.12",
    ]  # fmt: skip


def test_the_latest_ten_are_wanted_and_one_is_not_wanted_both_ways():
    wanted = PoolQuery(like=list(range(1, 11)), unlike=[20], page=3)
    assert wanted.leaning(11, "like") == "&".join([f"like={one}" for one in range(2, 12)] + ["unlike=20"])
    assert PoolQuery(like=[5]).leaning(5, "unlike") == "unlike=5"
    assert PoolQuery(like=[5]).leaning(5, "neither") == ""
