"""An archive whose parts were swept: no page waits for it, a worker unpacks it, and then its records open again."""

import shutil
import zipfile

import pytest

from app import sample
from app.accounts.models import Role
from app.jobs import operations as jobs
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.sources import archives, opening
from app.worker import worker_name
from tests.sources import rooms


@pytest.fixture
def swept(database, settings, people, tmp_path, monkeypatch):
    """A published import of a dump in a ZIP archive that counts as large, its unpacked parts swept since."""
    path = tmp_path / "dump.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in ("Posts.xml", "Users.xml"):
            packed.write(sample.dump_folder() / one, one)
    run = rooms.imported(database, settings, people, path)
    assert run.result["created"]
    shutil.rmtree(archives.workspace_of(settings).folder)
    monkeypatch.setattr(opening, "UNPACKED_AT_ONCE", 100)
    return run


def unpacked(settings) -> bool:
    folder = archives.workspace_of(settings).folder
    return folder.exists() and any(folder.rglob("whole"))


def test_a_list_of_dropped_records_says_so_at_once_and_shows_them_after_the_worker(
    browser, database, settings, people, swept
):
    page = browser(people.annotator)
    here = f"/projects/{people.project.slug}/imports/{swept.id}"
    shown = page.get(f"{here}?rule=score").text
    assert "These records lie in an archive" in shown
    assert "records/" not in shown
    assert not unpacked(settings)
    begun = page.post(f"{here}/unpacking?rule=score&page=1")
    assert begun.status_code == 303
    again = page.post(f"{here}/unpacking?rule=score&page=1")
    assert again.headers["location"] == begun.headers["location"]
    job_id = int(begun.headers["location"].partition("?")[0].rsplit("/", 1)[-1])
    run_now(database, settings, job_id, worker_name())
    assert unpacked(settings)
    done = page.get(begun.headers["location"]).text
    assert f'href="{here}?rule=score&amp;page=1"' in done
    shown = page.get(f"{here}?rule=score").text
    assert "These records lie in an archive" not in shown
    assert "/restore" in shown


def test_over_json_a_record_is_restored_after_its_archive_is_unpacked(api, database, settings, people, swept):
    client = api(people.annotator)
    here = f"/api/v1/projects/{people.project.slug}/imports/{swept.id}"
    number = next(row["number"] for row in client.get(f"{here}/records").json()["records"] if row["rule"] == "score")
    refused = client.post(f"{here}/records/{number}/restoration")
    assert (refused.status_code, "must be unpacked again" in refused.text) == (409, True)
    assert not unpacked(settings)
    begun = client.post(f"{here}/unpacking")
    assert begun.status_code == 202
    run_now(database, settings, begun.json()["job"], worker_name())
    assert client.post(f"{here}/records/{number}/restoration").status_code == 200


def test_a_small_archive_is_unpacked_where_it_is_asked_for(browser, settings, people, swept, monkeypatch):
    monkeypatch.setattr(opening, "UNPACKED_AT_ONCE", 10_000_000)
    shown = browser(people.annotator).get(f"/projects/{people.project.slug}/imports/{swept.id}?rule=score").text
    assert "/restore" in shown
    assert unpacked(settings)


def test_without_its_file_the_job_says_that_it_is_gone(api, database, settings, people, swept, tmp_path):
    client = api(people.annotator)
    (tmp_path / "dump.zip").unlink()
    job = client.post(f"/api/v1/projects/{people.project.slug}/imports/{swept.id}/unpacking").json()["job"]
    run_now(database, settings, job, worker_name())
    with database.reading() as session:
        ended = session.get_one(Job, job)
    assert (ended.state, "gone or changed" in (ended.error or "")) == (JobState.FAILED, True)


def test_stopped_it_leaves_nothing(api, database, settings, people, swept):
    job = (
        api(people.annotator).post(f"/api/v1/projects/{people.project.slug}/imports/{swept.id}/unpacking").json()["job"]
    )
    with database.writing() as session:
        jobs.cancel_job(session, people.annotator, Role.ANNOTATOR, session.get_one(Job, job))
    run_now(database, settings, job, worker_name())
    assert not unpacked(settings)
