"""A job's panel in its three states, the list, stopping."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.db import now
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue
from app.jobs.pace import pace
from tests import factories
from tests.counting import count_queries

ASKED = {"hx-request": "true", "hx-target": "section#job-panel"}


@pytest.fixture
def job(database, people):
    with database.writing() as session:
        return enqueue(session, people.annotator, "x", title="Import gardening", project_id=people.project.id)


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}/jobs"


def put(database, job, **values):
    with database.writing() as session:
        row = session.get(Job, job.id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_job_under_way_looks_after_itself(browser, database, people, job, base):
    started = now() - timedelta(seconds=10)
    put(database, job, state=JobState.RUNNING, started_at=started, done=500, total=1000, unit="records")
    fragment = browser(people.annotator).get(f"{base}/{job.id}", headers=ASKED).text
    assert "<html" not in fragment
    assert 'hx-trigger="load delay:1s"' in fragment
    assert "of 1,000 records" in fragment
    assert "a second" in fragment
    assert "Stop" in fragment


@pytest.mark.parametrize(("state", "words"), [
    (JobState.SUCCEEDED, "30 records read"), (JobState.FAILED, "Line 12 is broken"),
    (JobState.CANCELLED, "Line 12 is broken"),
])  # fmt: skip
def test_a_job_that_is_over_comes_back_without_the_trigger(browser, database, people, job, base, state, words):
    error = None if state is JobState.SUCCEEDED else "Line 12 is broken"
    put(database, job, state=state, note="30 records read", error=error)
    fragment = browser(people.annotator).get(f"{base}/{job.id}?next=/projects", headers=ASKED).text
    assert "hx-get" not in fragment
    assert words in fragment
    assert 'href="/projects"' in fragment


def test_the_way_on_stays_here(browser, database, people, job, base):
    put(database, job, state=JobState.SUCCEEDED)
    page = browser(people.annotator).get(f"{base}/{job.id}", params={"next": "https://evil.example"}).text
    assert "evil.example" not in page


def test_a_waiting_job_is_stopped_at_once_by_who_started_it(browser, database, people, job, base):
    assert browser(people.annotator).post(f"{base}/{job.id}/cancellation").status_code == 303
    with database.reading() as session:
        assert session.get(Job, job.id).state is JobState.CANCELLED
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc())).first() == "cancel job"
    assert browser(people.annotator).post(f"{base}/{job.id}/cancellation").status_code == 422


def test_a_running_job_is_asked_to_stop(browser, database, people, job, base):
    put(database, job, state=JobState.RUNNING, started_at=now())
    client = browser(people.lead)
    assert client.post(f"{base}/{job.id}/cancellation").status_code == 303
    assert "Stopping" in client.get(f"{base}/{job.id}").text
    with database.reading() as session:
        assert session.get(Job, job.id).cancel_requested


def test_nobody_else_stops_it(browser, database, people, job, base):
    refused = browser(people.colleague).post(f"{base}/{job.id}/cancellation")
    assert refused.status_code == 403
    assert "it goes on" in refused.text
    with database.reading() as session:
        assert session.get(Job, job.id).state is JobState.QUEUED


def test_a03_a_job_of_another_project_is_absent(browser, api, database, people, job):
    with database.writing() as session:
        factories.project(session, people.lead, "other")
    for client, prefix in ((browser(people.lead), ""), (api(people.lead), "/api/v1")):
        foreign, absent = (client.get(f"{prefix}/projects/other/jobs/{number}") for number in (job.id, 999999))
        assert foreign.status_code == absent.status_code == 404
    assert browser(people.lead).post(f"/projects/other/jobs/{job.id}/cancellation").status_code == 404


def test_the_list_costs_the_same_for_2_and_20(browser, database, people, job, base):
    client = browser(people.annotator)
    with count_queries(database) as few:
        client.get(base)
    with database.writing() as session:
        for number in range(60):
            enqueue(session, people.annotator, "x", title=f"Work {number}", project_id=people.project.id)
    with count_queries(database) as many:
        page = client.get(base).text
    assert few.count == many.count
    assert "1 to 50 of 61" in page


def test_the_api_tells_and_stops(api, people, job):
    client = api(people.annotator)
    path = f"/api/v1/projects/{people.project.slug}/jobs"
    assert [row["title"] for row in client.get(path).json()] == ["Import gardening"]
    assert client.get(f"{path}/{job.id}").json()["state"] == "queued"
    assert client.post(f"{path}/{job.id}/cancellation").json()["state"] == "cancelled"
    assert api(people.annotator, "read").post(f"{path}/{job.id}/cancellation").status_code == 403


def test_pace_waits_before_it_guesses():
    at = now()
    job = Job(state=JobState.RUNNING, started_at=at - timedelta(seconds=1), done=10, total=100)
    assert pace(job, at) == ("", "")
    job.started_at = at - timedelta(seconds=10)
    assert pace(job, at) == ("1.0 a second", "2 min left")
    job.unit = "kB"
    assert pace(job, at) == ("1.0 kB a second", "2 min left")


def test_bytes_of_one_line_have_one_unit(browser, database, people, job):
    put(
        database,
        job,
        state=JobState.RUNNING,
        done=900,
        total=31_900,
        unit="kB",
        started_at=now() - timedelta(seconds=9),
    )
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/jobs/{job.id}").text
    assert "<b>0.9 MB</b> of 31.9 MB" in page
    assert "0.1 MB a second" in page
    assert "kB" not in page
