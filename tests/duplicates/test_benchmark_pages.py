"""The page of leakage, the API and the command line of benchmarks; the warnings on the desk and beside a candidate."""

import json

import pytest
from sqlalchemy import select

from app.duplicates.benchmarks import queries
from app.duplicates.benchmarks.models import BenchmarkList, BenchmarkMatch, MatchVerdict
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from app.sources.uploads import folder_of
from tests.counting import count_queries
from tests.duplicates.desks import write
from tests.duplicates.listing import ASKED, MEANT, OTHER, WORDED, compare, match_of, name_list
from tests.duplicates.rooms import candidate, import_run, known_pair

SECRET = "zeppelin"
LISTED = f"Which {SECRET} flew over the white cliffs of Dover first?"
CLOSE = "Which airship flew over the white cliffs of Dover first?"


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/duplicates/leakage"


@pytest.fixture
def lists(people):
    return f"/api/v1/projects/{people.project.slug}/benchmarks"


def hide(database, people):
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True


def posted(*prompts, name="prompts.jsonl"):
    text = "".join(json.dumps({"prompt": one}) + "\n" for one in prompts)
    return {"file": (name, text.encode(), "application/jsonl")}


def test_an_empty_page_teaches_and_a_lead_names_a_list(database, settings, browser, people, url):
    empty = browser(people.annotator).get(url)
    assert empty.status_code == 200
    assert "A lead of the project names them" in empty.text
    lead = browser(people.lead)
    sent = {"name": "TinyEval", "licence": "CC0", "url": "https://example.org/tiny"}
    answer = lead.post(f"/projects/{people.project.slug}/benchmarks", data=sent, files=posted(ASKED, OTHER))
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    page = lead.get(url).text
    assert "2 prompts" in page
    assert "CC0" in page
    assert 'href="https://example.org/tiny"' in page
    assert "prompts.jsonl" in page
    # What came is read and gone: the prompts are in the database alone.
    assert not folder_of(settings).exists() or list(folder_of(settings).iterdir()) == []


@pytest.mark.parametrize(
    ("data", "files", "words"),
    [
        ({"name": "<b>"}, "good", "letters, digits, blanks"),
        ({"name": "Fresh", "url": "ftp://example.org"}, "good", "begins with http"),
        ({"name": "Fresh"}, "bad", "line 1: the row is neither an object nor a text"),
        ({}, "good", "This is needed."),
    ],
)
def test_a_list_that_does_not_fit_comes_back_with_what_was_typed(database, browser, people, data, files, words):
    sent = {"good": posted(ASKED), "bad": {"file": ("p.jsonl", b"[1]\n", "application/jsonl")}}[files]
    answer = browser(people.lead).post(f"/projects/{people.project.slug}/benchmarks", data=data, files=sent)
    assert answer.status_code == 422
    assert words in answer.text
    assert data.get("url", "") in answer.text
    with database.reading() as session:
        assert session.scalars(select(BenchmarkList)).all() == []


def test_a_form_without_a_file_says_so(browser, people):
    """As a browser sends it: a part without a name for its file."""
    body = (
        '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nTinyEval\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n'
        "Content-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n"
    )
    answer = browser(people.lead).post(
        f"/projects/{people.project.slug}/benchmarks", content=body.encode(),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "no file was chosen" in answer.text


def test_what_is_near_stands_side_by_side_and_is_settled(database, settings, browser, people, url):
    number = write(database, people, WORDED)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    match_id = match_of(database, people, number)
    lead = browser(people.lead)
    page = lead.get(url).text
    assert "1 example near to a benchmark</strong> waits" in page
    assert '<mark class="only">goood</mark>' in page
    assert '<mark class="only">good</mark>' in page
    assert "wording ." in page
    assert "Reject example" not in browser(people.annotator).get(url).text
    decision = f"/projects/{people.project.slug}/benchmarks/matches/{match_id}/decision"
    asked = lead.post(decision, data={"verdict": "stays"})
    assert asked.status_code == 422
    assert "Say why it may stay" in asked.text
    kept = lead.post(decision, data={"verdict": "stays", "reason": "Another shirt."})
    assert kept.status_code == 303
    assert "Another shirt." in lead.get(f"{url}?show=settled").text
    assert "No leak waits" in lead.get(url).text
    undone = lead.post(decision.replace("decision", "reversal"))
    assert undone.status_code == 303
    lead.post(decision, data={"verdict": "rejected"})
    with database.reading() as session:
        assert session.get_one(Example, number).state is ExampleState.REJECTED
    assert "Rejected" in lead.get(f"{url}?show=settled").text


def test_a_test_prompt_may_be_a_benchmarks(database, settings, browser, people, url):
    number = write(database, people, ASKED, split=Split.TEST)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    assert "No leak waits" in browser(people.lead).get(url).text
    with database.writing() as session:
        session.get_one(Example, number).split = Split.TRAIN
    assert "1 example near to a benchmark" in browser(people.lead).get(url).text


def test_open_leaks_between_splits_lead_to_their_pair(database, browser, people, url):
    one, other = write(database, people, OTHER), write(database, people, ASKED, split=Split.TEST)
    with database.writing() as session:
        pair = known_pair(session, people, f"example:{one}", f"example:{other}", leak=True).id
    page = browser(people.annotator).get(url).text
    assert "1 leak between splits</strong> waits" in page
    assert f"/duplicates/{pair}" in page


def test_who_is_kept_from_the_tests_sees_neither_words_nor_how_near(
    database, settings, browser, api, people, url, lists
):
    number = write(database, people, CLOSE)
    name_list(database, people, LISTED)
    compare(database, settings, people)
    shown = browser(people.annotator).get(url).text
    assert SECRET in shown
    hide(database, people)
    slug = people.project.slug
    typed = {"turn_1": CLOSE, "split": "train", "title": ""}
    with database.writing() as session:
        run = import_run(session, people)
        taken = candidate(session, run, "1", CLOSE).id
    answers = [
        browser(people.annotator).get(url),
        browser(people.annotator).get(f"/projects/{slug}/examples/{number}/nearness"),
        browser(people.annotator).post(f"/projects/{slug}/nearness", data=typed),
        browser(people.annotator).get(f"/projects/{slug}/candidates/{taken}/benchmarks"),
        api(people.annotator).get(lists),
        api(people.annotator).get(f"{lists}/matches"),
        api(people.annotator).get(f"/api/v1/projects/{slug}/examples/{number}/near"),
        api(people.annotator).get(f"/api/v1/projects/{slug}/candidates/{taken}/benchmarks"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert SECRET not in answer.text
        assert "TinyEval" in answer.text
        assert "wording ." not in answer.text
    (match,) = answers[5].json()["matches"]
    assert (match["example"], match["prompt"], match["score"], match["method"], match["line"]) == (
        number, None, None, None, None,
    )  # fmt: skip
    assert "Too close to a benchmark prompt of TinyEval" in answers[2].text
    assert SECRET in browser(people.lead).get(url).text


def test_the_desk_says_which_benchmark_a_prompt_is_near_to(database, settings, browser, api, people):
    write(database, people, "How do I keep rice from sticking?")
    name_list(database, people, ASKED)
    compare(database, settings, people)
    slug = people.project.slug
    desk = browser(people.annotator)
    same = desk.post(f"/projects/{slug}/nearness", data={"turn_1": ASKED.lower(), "split": "train"}).text
    assert "The same as a benchmark prompt of TinyEval" in same
    near = desk.post(f"/projects/{slug}/nearness", data={"turn_1": WORDED, "split": "dev"}).text
    assert "Near a benchmark prompt of TinyEval, wording ." in near
    test = desk.post(f"/projects/{slug}/nearness", data={"turn_1": ASKED, "split": "test"}).text
    assert "TinyEval" not in test
    later = {"turn_1": OTHER, "turn_2": "An answer of some words.", "turn_3": ASKED, "split": "train"}
    assert "The same as a benchmark prompt" in desk.post(f"/projects/{slug}/nearness", data=later).text
    answer = api(people.annotator).post(f"/api/v1/projects/{slug}/examples/near", json={"text": MEANT}).json()
    assert [(one["benchmark"], one["method"], one["prompt"]) for one in answer["benchmarks"]] == [
        ("TinyEval", "embedding", ASKED)
    ]


def test_a_candidate_says_which_benchmark_it_is_near_to(database, settings, browser, people):
    name_list(database, people, ASKED)
    with database.writing() as session:
        run = import_run(session, people)
        near, far = candidate(session, run, "1", WORDED).id, candidate(session, run, "2", OTHER).id
    where = f"/projects/{people.project.slug}/candidates"
    alone = {"HX-Request": "true", "HX-Target": "span#candidate-benchmarks"}
    beside = browser(people.annotator).get(f"{where}/{near}/benchmarks", headers=alone).text
    assert "Near a benchmark prompt of TinyEval, wording ." in beside
    assert "<html" not in beside
    assert "TinyEval" not in browser(people.annotator).get(f"{where}/{far}/benchmarks", headers=alone).text
    assert "near to no prompt" in browser(people.annotator).get(f"{where}/{far}/benchmarks").text


def test_the_api_names_lists_settles_and_removes(database, settings, api, people, lists):
    number = write(database, people, ASKED)
    lead = api(people.lead)
    added = lead.post(lists, data={"name": "TinyEval", "licence": "CC0"}, files=posted(ASKED))
    assert added.status_code == 201, added.text
    assert (added.json()["prompts"], added.json()["licence"], added.json()["url"]) == (1, "CC0", None)
    assert lead.post(lists, data={"name": "TinyEval"}, files=posted(OTHER)).status_code == 409
    assert lead.post(lists, data={"name": "Other"}, files=posted(ASKED)).status_code == 409
    assert lead.post(lists, data={"name": "Other"}, files=posted("")).status_code == 422
    assert api(people.annotator).post(lists, data={"name": "Mine"}, files=posted(OTHER)).status_code == 403
    assert "job_id" in api(people.annotator).post(f"{lists}/comparison").json()
    compare(database, settings, people)
    document = api(people.annotator).get(lists).json()
    assert (document["compared"], document["by_meaning"], document["examples"]) == (1, 1, 1)
    assert document["lists"][0]["near"] == 1
    (match,) = lead.get(f"{lists}/matches").json()["matches"]
    assert (match["example"], match["method"], match["score"], match["line"]) == (number, "exact", 1.0, 1)
    decision = f"{lists}/matches/{match['id']}/decision"
    assert lead.post(decision, json={"verdict": "stays"}).status_code == 422
    stays = lead.post(decision, json={"verdict": "stays", "reason": "It is everybody's."}).json()
    assert (stays["verdict"], stays["decided_by"]) == ("stays", people.lead.name)
    assert lead.post(decision, json={"verdict": "rejected"}).status_code == 409
    assert lead.post(decision.replace("decision", "reversal")).json()["verdict"] == "open"
    assert lead.get(f"{lists}/matches", params={"verdict": "stays"}).json()["total"] == 0
    assert lead.delete(f"{lists}/{added.json()['id']}").status_code == 204
    assert lead.get(lists).json()["lists"] == []


def test_another_projects_list_and_match_are_not_there(database, settings, api, browser, people):
    from tests import factories

    write(database, people, ASKED)
    number = name_list(database, people, ASKED)
    compare(database, settings, people)
    with database.reading() as session:
        match_id = session.scalar(select(BenchmarkMatch.id))
    with database.writing() as session:
        other = factories.project(session, people.lead).slug
    lead = api(people.lead)
    assert lead.delete(f"/api/v1/projects/{other}/benchmarks/{number}").status_code == 404
    decision = {"verdict": "rejected"}
    where = f"benchmarks/matches/{match_id}/decision"
    assert lead.post(f"/api/v1/projects/{other}/{where}", json=decision).status_code == 404
    assert browser(people.lead).get(f"/projects/{other}/duplicates/leakage?list={number}").status_code == 404


def test_the_same_number_of_queries_for_two_and_for_twenty(database, settings, browser, people, url):
    counts = []
    client = browser(people.lead)
    for upto in (2, 20):
        with database.reading() as session:
            there = len(session.scalars(select(Example.id)).all())
        for number in range(there, upto):
            write(database, people, f"{ASKED} {number}")
        if not counts:
            name_list(database, people, ASKED)
            name_list(database, people, OTHER, name="More")
        compare(database, settings, people)
        client.get(url)
        with count_queries(database) as tally:
            assert client.get(url).text.count('id="match-') == upto
        counts.append(tally.count)
    assert counts[0] == counts[1]


def test_the_command_line_names_checks_settles_and_removes(handpicked, database, people, tmp_path):
    slug, lead = people.project.slug, people.lead.email
    number = write(database, people, WORDED)
    file = tmp_path / "tiny.jsonl"
    file.write_text(json.dumps({"instruction": ASKED}) + "\n" + json.dumps({"instruction": OTHER}) + "\n", "utf-8")
    add = ("benchmarks", "add", slug, str(file), "--name", "TinyEval", "--licence", "CC0")
    refused = handpicked(*add, "--as", people.annotator.email)
    assert (refused.returncode, refused.stdout) == (1, "")
    added = json.loads(handpicked(*add, "--as", lead, "--json").stdout)
    assert (added["prompts"], added["near"], added["file_name"]) == (2, 1, "tiny.jsonl")
    again = handpicked(*add, "--as", lead)
    assert (again.returncode, "already" in again.stderr) == (1, True)
    absent = handpicked("benchmarks", "add", slug, str(tmp_path / "absent"), "--name", "X", "--as", lead)
    assert (absent.returncode, "there is no file" in absent.stderr) == (1, True)
    report = tmp_path / "near.jsonl"
    check = ("benchmarks", "check", slug, "--report", str(report), "--as", lead, "--json")
    checked = json.loads(handpicked(*check).stdout)
    (match,) = checked["matches"]
    assert (match["example"], match["method"], match["prompt"]) == (number, "lexical", ASKED)
    assert json.loads(report.read_text("utf-8")) == match
    assert "example" in handpicked("benchmarks", "check", slug).stdout
    stays = ("benchmarks", "settle", slug, str(match["id"]), "stays", "--as", lead)
    assert handpicked(*stays).returncode == 1
    settled = handpicked(*stays, "--reason", "Another shirt.", "--json")
    assert json.loads(settled.stdout)["verdict"] == "stays"
    assert "1 kept for a reason" in handpicked("benchmarks", "list", slug).stdout
    assert "open" in handpicked("benchmarks", "undo", slug, str(match["id"]), "--as", lead).stdout
    assert "NEAR" in handpicked("example", "near", slug, "--text", ASKED).stdout
    gone = handpicked("benchmarks", "remove", slug, "Nothing", "--as", lead)
    assert (gone.returncode, "there are: TinyEval" in gone.stderr) == (1, True)
    assert handpicked("benchmarks", "remove", slug, "TinyEval", "--as", lead).returncode == 0
    assert "No benchmark is named" in handpicked("benchmarks", "list", slug).stdout


def test_a_rejected_match_is_listed_as_settled_alone(database, settings, people):
    number = write(database, people, ASKED)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    with database.writing() as session:
        session.get_one(Example, number).state = ExampleState.REJECTED
        assert session.scalars(queries.matches_of(people.project.id)).all() == []
        session.scalars(select(BenchmarkMatch)).one().verdict = MatchVerdict.REJECTED
        session.flush()
        assert len(session.scalars(queries.matches_of(people.project.id)).all()) == 1
