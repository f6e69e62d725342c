"""How far the pool is encoded, on the page, over the API and at the terminal; and having the rest encoded."""

import json

import pytest
from sqlalchemy import func, select

from app import handlers
from app.embeddings import measured, operations
from app.embeddings.encoder import EncoderMissing
from app.embeddings.engines import Choice
from app.embeddings.operations import light_encoder_within
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from tests.duplicates.rooms import GIT, KETTLE, candidate, import_run

assert handlers.ROOMS
FRAGMENT = {"hx-request": "true", "hx-target": "div#encoding-standing"}


@pytest.fixture(autouse=True)
def loaded():
    """What a page does while the model is loaded is another test's business."""
    light_encoder_within(120.0)


@pytest.fixture
def run(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name, prompt in (("1", KETTLE), ("2", GIT), ("3", "")):
            candidate(session, run, name, prompt)
        return run


def encode(database, settings, people) -> None:
    with database.writing() as session:
        job = operations.start_encoding(session, people.lead, people.project)
    assert run_now(database, settings, job.id, "here/1") is JobState.SUCCEEDED


def test_the_fragment_goes_from_none_to_all(browser, people, database, settings, run):
    client, url = browser(people.annotator), f"/projects/{people.project.slug}/encoding"
    shown = client.get(f"{url}?next=/projects/{people.project.slug}/pool").text
    assert "None of 3 candidates is encoded yet." in shown
    assert f"{url}?next=%2Fprojects%2F{people.project.slug}%2Fpool" in shown
    begun = client.post(f"{url}?next=/projects/{people.project.slug}/pool")
    assert (begun.status_code, begun.headers["location"]) == (303, f"/projects/{people.project.slug}/pool")
    under_way = client.get(url, headers=FRAGMENT)
    assert under_way.text.lstrip().startswith('<div id="encoding-standing" hx-get=')
    assert "<b>0</b> of 3 candidates encoded" in under_way.text
    assert "waits for a worker" in under_way.text
    client.post(url)
    with database.reading() as session:
        [job] = session.scalars(select(Job.id).where(Job.kind == operations.KIND))
    assert run_now(database, settings, job, "here/1") is JobState.SUCCEEDED
    whole = client.get(f"{url}?next=/projects/{people.project.slug}/pool", headers=FRAGMENT)
    assert "All 3 candidates are encoded by all-MiniLM-L6-v2." in whole.text
    assert "hx-get" not in whole.text
    assert whole.headers["hx-redirect"] == f"/projects/{people.project.slug}/pool"


def test_the_rest_is_offered(browser, people, database, settings, run):
    encode(database, settings, people)
    with database.writing() as session:
        candidate(session, run, "4", "Why is the sky blue?")
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/encoding").text
    assert "<b>3</b> of 4 candidates encoded." in shown
    assert "Encode the rest" in shown


def test_an_empty_pool_offers_nothing(browser, people):
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/encoding").text
    assert "The pool is empty" in shown
    assert "encoding-start" not in shown


def test_a_page_elsewhere_is_no_place_to_go_on_to(browser, people, run):
    client, url = browser(people.annotator), f"/projects/{people.project.slug}/encoding"
    assert client.post(f"{url}?next=//elsewhere.example.org").headers["location"] == "/"
    assert "elsewhere" not in client.get(f"{url}?next=https://elsewhere.example.org").text


def test_without_a_model_the_reason_is_told(browser, people, run, monkeypatch):
    def missing(_seconds, _name):
        raise EncoderMissing(name="absent", reason="no such folder")

    monkeypatch.setattr("app.embeddings.pages.light_encoder_within", missing)
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/encoding").text
    assert "Nothing can be encoded" in shown
    assert "no such folder" in shown
    monkeypatch.setattr("app.embeddings.pages.light_encoder_within", lambda _seconds, _name: None)
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/encoding").text
    assert "The model is being loaded." in shown
    assert "hx-get" in shown


def test_what_encodes_is_shown_once_it_was_tried(browser, people, database, settings, run):
    tried = operations.encoder_for("")
    kept, tried.choice = tried.choice, Choice("OpenVINO, bfloat16", 0.99997, 64, 2.5)
    try:
        measured.note(settings, tried)
    finally:
        tried.choice = kept
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/encoding").text
    assert "OpenVINO, bfloat16: 2.5 times as fast as the plain model, least cosine to it 0.99997" in shown


def test_the_api_says_and_begins_the_same(api, people, database, settings, run):
    client, url = api(people.annotator), f"/api/v1/projects/{people.project.slug}/encoding"
    key = operations.encoder_for("").key
    none = {"model": key, "encoded": 0, "total": 3, "job_id": None, "engine": None, "next": None}
    assert client.get(url).json() == none
    begun = client.post(url)
    assert begun.status_code == 201
    again = client.post(url).json()
    assert again == begun.json() == client.get(url).json() == none | {"job_id": again["job_id"]}
    assert run_now(database, settings, again["job_id"], "here/1") is JobState.SUCCEEDED
    # Which engine it was hangs on what this process has encoded before.
    assert client.get(url).json() | {"engine": None} == none | {"encoded": 3}


def test_the_command_queues_or_encodes_at_once(handpicked, people, database, run):
    queued = handpicked("encode", people.project.slug, "--json")
    assert queued.returncode == 0, queued.stderr
    document = json.loads(queued.stdout)
    assert (document["encoded"], document["total"]) == (0, 3)
    assert document["job_id"]
    waited = handpicked("encode", people.project.slug, "--wait")
    assert waited.returncode == 0, waited.stderr
    assert waited.stdout.startswith("3 of 3 candidates encoded by all-MiniLM-L6-v2@")
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.kind == operations.KIND)) == 1


def test_the_command_is_for_members(handpicked, people, run):
    refused = handpicked("encode", people.project.slug, "--as", people.stranger.email)
    assert refused.returncode == 1
    assert "There is no project" in refused.stderr
