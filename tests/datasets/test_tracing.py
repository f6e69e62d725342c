"""From a frozen row back to its post, and from the post on to versions and runs: pages, API and command line agree."""

import json

import pytest
from sqlalchemy import delete, update
from typer.testing import CliRunner

from app.cli import build
from app.examples.models import Example, Revision
from app.projects.models import Split
from app.runs.models import RunState
from app.sources.models import Candidate, ImportRun
from tests.datasets.material import approve as approved
from tests.datasets.material import dialogue
from tests.datasets.trail import freeze, page_of, place_of, told, trail, trained_on


@pytest.fixture
def traced(database, settings, people, tmp_path):
    return trail(database, settings, people, tmp_path)


def command(closing, settings, monkeypatch, *arguments):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    return CliRunner().invoke(build(), [*map(str, arguments), "--json"])


def test_a_row_shows_its_words_its_people_its_record_and_the_post(browser, database, traced):
    page = page_of(browser, traced, f"/versions/v1/rows/{place_of(database, 'v1', traced.example)}")
    assert page.status_code == 200
    number, people = traced.example, traced.people
    for words in (
        f"Sow number {number} thinly.", "Reworded since</a>: 1 revision.", f"by {people.annotator.name}",
        f"Sent back by {people.reviewer.name}", f"Approved by {people.reviewer.name}", "Well said.",
        "Drawn by the plan three of them", "seed 7", f"Record 1 of import {traced.run}", "Writer 0",
        "https://example.org/p/0", "https://example.org/u/0", "CC BY-SA 4.0", f"Candidate {traced.candidate}",
        f"by {people.lead.name}",
    ):  # fmt: skip
        assert words in page.text, words
    assert ", and water it</ins>" in page.text
    assert f'/imports/{traced.run}?record=1#opened"' in page.text


def test_a_row_that_says_the_same_today_says_so(browser, database, traced):
    page = page_of(browser, traced, f"/versions/v2/rows/{place_of(database, 'v2', traced.example)}")
    assert "Today the example says the same." in page.text
    assert "<ins>" not in page.text
    # Both revisions before it stand there, the frozen one named.
    assert page.text.count("the frozen one") == 1


def test_the_record_that_a_row_came_from_opens(browser, traced):
    page = page_of(browser, traced, f"/imports/{traced.run}?record=2")
    assert page.status_code == 200
    assert "Record 2" in page.text
    assert "How do I sow 1?" in page.text
    assert "How do I sow 0?" not in page.text


def test_the_document_says_the_same_as_the_page(api, database, traced):
    number = place_of(database, "v1", traced.example)
    found = told(api, traced, f"/versions/v1/rows/{number}")
    assert (found["row"], found["now"], found["revision"]) == (number, "reworded", 2)
    assert found["messages"] == json.loads(found["line"])["messages"]
    assert [one["number"] for one in found["revisions"]] == [3, 2, 1]
    assert [one["frozen"] for one in found["revisions"]] == [False, True, False]
    assert [one["verdict"] for one in found["revisions"][1]["reviews"]] == ["returned", "approved"]
    assert found["origin"]["candidate"]["id"] == traced.candidate
    assert found["origin"]["record"] == {"number": 1, "line": 1, "external_id": "p0"}
    assert (found["origin"]["sampling"]["plan"], found["origin"]["sampling"]["seed"]) == ("three of them", 7)
    assert [one["version"] for one in found["versions"]] == ["v2", "v1"]
    assert found["versions"][1]["sha256"] == found["sha256"]


def test_from_an_example_a_candidate_and_an_import_to_all_versions_and_runs(browser, api, traced):
    held = told(api, traced, f"/examples/{traced.example}/versions")
    assert [(one["version"], one["revision"]) for one in held["versions"]] == [("v2", 3), ("v1", 2)]
    assert told(api, traced, f"/candidates/{traced.candidate}/versions") == held
    [of_v2, of_v1] = told(api, traced, f"/imports/{traced.run}/versions")["versions"]
    assert (of_v1["version"], of_v1["rows"], of_v1["total"]) == ("v1", {"train": 3}, 3)
    assert of_v2["rows"] == {"train": 3}
    [saw] = told(api, traced, f"/examples/{traced.example}/runs")["runs"]
    assert (saw["run"], saw["version"], saw["revision"], saw["saw"]) == (traced.trained, "v1", 2, True)
    page = page_of(browser, traced, f"/examples/{traced.example}/versions").text
    assert "2 versions hold it." in page
    assert "learned from it" in page_of(browser, traced, f"/examples/{traced.example}/runs").text
    assert "3 of 3 rows" in page_of(browser, traced, f"/imports/{traced.run}/versions").text


def test_a_run_saw_dev_rows_and_no_test_prompt_and_a_plan_saw_nothing(api, database, people):
    with database.writing() as session:
        made = {
            split: approved(
                session, people.project, people.annotator, people.reviewer,
                dialogue(f"Of {split}?", None if split is Split.TEST else "So."), split=split, source="authors",
            ).id
            for split in Split
        }  # fmt: skip
        version = freeze(session, people, "v1")
        trained_on(session, people, version)
        trained_on(session, people, version, RunState.PLANNED)

    def saw(split):
        answer = api(people.annotator).get(f"/api/v1/projects/{people.project.slug}/examples/{made[split]}/runs")
        return [one["saw"] for one in answer.json()["runs"]]

    assert {split.value: saw(split) for split in Split} == {"train": [True], "dev": [True], "test": [False]}


def test_what_is_gone_is_named_and_the_frozen_words_stay(browser, api, database, traced):
    number = place_of(database, "v1", traced.example)
    with database.writing() as session:
        session.execute(update(Example).where(Example.id == traced.example).values(candidate_id=None))
        session.execute(update(Revision).where(Revision.example_id == traced.example).values(author_id=None))
    page = page_of(browser, traced, f"/versions/v1/rows/{number}").text
    assert "somebody who is not here any more" in page
    assert "Candidate" not in page
    assert "https://example.org/p/0" in page
    with database.writing() as session:
        session.execute(delete(Revision).where(Revision.example_id == traced.example))
        session.execute(delete(Example).where(Example.id == traced.example))
    page = page_of(browser, traced, f"/versions/v1/rows/{number}").text
    assert "The example is gone." in page
    assert f"Sow number {traced.example} thinly." in page
    assert "https://example.org/p/0" in page
    found = told(api, traced, f"/versions/v1/rows/{number}")
    assert (found["now"], found["example"], found["revisions"]) == ("gone", None, [])
    assert told(api, traced, f"/examples/{traced.example}/versions")["there"] is False
    assert "The example itself is gone" in page_of(browser, traced, f"/examples/{traced.example}/versions").text
    assert page_of(browser, traced, "/examples/987654/versions").status_code == 404


def test_deleting_people_and_their_import_leaves_the_trace_of_the_rest(browser, database, traced):
    with database.writing() as session:
        session.execute(delete(Candidate).where(Candidate.import_run_id == traced.run))
        session.execute(delete(ImportRun).where(ImportRun.id == traced.run))
    page = page_of(browser, traced, f"/versions/v1/rows/{place_of(database, 'v1', traced.example)}")
    assert page.status_code == 200
    assert "Record 1 of import" not in page.text
    assert "https://example.org/p/0" in page.text


def test_there_is_no_row_beyond_the_last(browser, traced):
    for number in (0, 4, -1, 10**9):
        answer = page_of(browser, traced, f"/versions/v1/rows/{number}")
        assert answer.status_code == 404
        assert "has 3 rows" in answer.text
    assert page_of(browser, traced, "/versions/v9/rows/1").status_code == 404


def test_the_command_line_prints_the_same_document(closing, api, database, settings, traced, monkeypatch):
    number = place_of(database, "v1", traced.example)
    done = command(closing, settings, monkeypatch, "trace", f"{traced.slug}@v1", number)
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    seen = printed.pop("runs")
    assert printed == told(api, traced, f"/versions/v1/rows/{number}")
    assert [one["run"] for one in seen] == [traced.trained]
    by_hash = command(closing, settings, monkeypatch, "trace", f"{traced.slug}@v1", printed["sha256"][:20])
    assert json.loads(by_hash.stdout)["row"] == number
    held = json.loads(command(closing, settings, monkeypatch, "trace", traced.slug, traced.example).stdout)
    assert [one["version"] for one in held["versions"]] == ["v2", "v1"]
    of_candidate = command(closing, settings, monkeypatch, "trace", traced.slug, f"candidate:{traced.candidate}")
    assert json.loads(of_candidate.stdout) == held
    of_import = command(closing, settings, monkeypatch, "trace", traced.slug, f"import:{traced.run}")
    assert [one["rows"] for one in json.loads(of_import.stdout)["versions"]] == [{"train": 3}, {"train": 3}]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [("9", "has 3 rows"), ("sha256:abc", "8 or more digits"), ("abcdef0123", "No row of v1 has a hash")],
)
def test_a_row_that_is_not_there_is_refused_in_a_sentence(closing, settings, traced, monkeypatch, what, sentence):
    done = command(closing, settings, monkeypatch, "trace", f"{traced.slug}@v1", what)
    assert done.exit_code == 1
    assert sentence in str(done.exception) + done.stderr


def test_what_a_model_had_said_stands_at_its_revision(browser, api, database, traced):
    mark = {"suggestion": 1, "kind": "critique", "by": "model server local", "model": "a-model", "copied": False}
    with database.writing() as session:
        frozen = (Revision.example_id == traced.example, Revision.number == 2)
        session.execute(update(Revision).where(*frozen).values(help=[{**mark, "words": 12}]))
    number = place_of(database, "v1", traced.example)
    page = page_of(browser, traced, f"/versions/v1/rows/{number}").text
    assert "Critique by <bdi>a-model</bdi>" in page
    assert "12 words of it" in page
    [with_help] = [one for one in told(api, traced, f"/versions/v1/rows/{number}")["revisions"] if one["help"]]
    assert (with_help["number"], with_help["help"][0]["words"]) == (2, 12)
