"""A28: an export of another project is not there, that of a lost version is gone, ten thousand ranges are one no."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.datasets.models import Version, VersionCheck
from app.datasets.operations import freeze_version
from app.db import Database
from tests import factories
from tests.datasets.material import approve, dialogue

Client = Callable[..., TestClient]
ROOMS = ("/projects/{}/versions/{}", "/api/v1/projects/{}/versions/{}")


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def clients(browser: Client, api: Client, person: object) -> list[tuple[str, TestClient]]:
    return list(zip(ROOMS, (browser(person), api(person)), strict=True))


def test_a28_another_project_s_export_is_not_there(
    browser: Client, api: Client, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        own = factories.project(session, kitchen.stranger)
        approve(session, own, kitchen.stranger, kitchen.stranger, dialogue("Mine?"))
        freeze_version(session, kitchen.stranger, own, name="mine", overrides={"approvals": "alone here"})
    for room, client in clients(browser, api, kitchen.stranger):
        absent = client.get(room.format(own.slug, "v1/exports/lima.zip"))
        theirs = client.get(room.format(kitchen.project.slug, "v1/exports/lima.zip"))
        never = client.get(room.format(own.slug, "never/exports/lima.zip"))
        assert (absent.status_code, theirs.status_code, never.status_code) == (404, 404, 404)
        assert without_id(absent) == without_id(never)
        assert client.get(room.format(own.slug, "mine/exports/lima.zip")).status_code == 200
        asked = client.post(room.format(kitchen.project.slug, "v1/exports"), json={"format": "lima"})
        assert asked.status_code == 404


def without_id(answer: Any) -> str:
    """What an answer says, but for the number of its request and its own address."""
    return answer.text.replace(answer.headers["x-request-id"], "").replace(answer.request.url.path, "")


@pytest.fixture
def gone(database: Database, version: Version) -> None:
    """What stays of a version whose rows somebody took out of the database: its seal."""
    with database.writing() as session:
        seal = session.get_one(VersionCheck, version.id)
        about = {"project_id": seal.project_id, "sha256": seal.sha256, "manifest_sha256": seal.manifest_sha256}
        session.add(VersionCheck(version_id=10**6, name="v0", row_count=7, row_digests=b"", problem="", **about))


def test_a28_a_version_that_is_gone_is_gone(
    browser: Client, api: Client, kitchen: factories.People, gone: None
) -> None:
    for room, client in clients(browser, api, kitchen.lead):
        for rest in ("", "/exports/lima.zip"):
            answer = client.get(room.format(kitchen.project.slug, f"v0{rest}"))
            assert answer.status_code == 410
            assert "v0 was frozen here and is not in the database any more" in answer.text
        assert client.get(room.format(kitchen.project.slug, "v2/exports/lima.zip")).status_code == 404


@pytest.mark.parametrize("asked", ["0-0," * 9_999 + "0-0", ",".join(f"{n}-{n}" for n in range(0, 20_000, 2))])
def test_a28_ten_thousand_ranges_are_refused_at_once(
    browser: Client, api: Client, settings: Settings, kitchen: factories.People, version: Version, asked: str
) -> None:
    for room, client in clients(browser, api, kitchen.lead):
        started = time.process_time()  # a busy machine does not count
        answer = client.get(
            room.format(kitchen.project.slug, "v1/exports/lima.zip"), headers={"range": f"bytes={asked}"}
        )
        assert answer.status_code == 416
        assert "10,000 parts" in answer.text
        assert time.process_time() - started < 2
    # Nothing was made for it.
    assert not list(Path(settings.data_dir).glob("exports/*"))


def test_a28_a_download_goes_on_where_it_broke_off(
    browser: Client, api: Client, kitchen: factories.People, version: Version
) -> None:
    for room, client in clients(browser, api, kitchen.lead):
        url = room.format(kitchen.project.slug, "v1/exports/hf.tar")
        whole = client.get(url)
        assert whole.headers["content-type"] == "application/x-tar"
        assert whole.headers["accept-ranges"] == "bytes"
        first = client.get(url, headers={"range": "bytes=0-999"})
        rest = client.get(url, headers={"range": "bytes=1000-", "if-range": whole.headers["etag"]})
        assert (first.status_code, rest.status_code) == (206, 206)
        assert first.content + rest.content == whole.content
        assert rest.headers["content-range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
        beyond = client.get(url, headers={"range": f"bytes={len(whole.content)}-"})
        assert beyond.status_code == 416


@pytest.mark.parametrize("name", ["lima.rar", "nothing.zip", "lima", "..%2f..%2fetc%2fpasswd.zip", "lima.zip.zip"])
def test_a28_there_is_nothing_under_another_name(
    browser: Client, api: Client, kitchen: factories.People, version: Version, name: str
) -> None:
    for room, client in clients(browser, api, kitchen.lead):
        answer = client.get(room.format(kitchen.project.slug, f"v1/exports/{name}"))
        assert answer.status_code in {404, 422}
        assert "Traceback" not in answer.text
