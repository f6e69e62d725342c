"""Versions in /api/v1."""

import hashlib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from app.datasets.models import Version
from app.datasets.operations import freeze_version
from app.db import Database
from tests import factories
from tests.datasets.material import approve, dialogue

Api = Callable[..., TestClient]


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def url(people: factories.People, rest: str = "/versions") -> str:
    return f"/api/v1/projects/{people.project.slug}{rest}"


def test_a_freeze_answers_with_the_document(api: Api, kitchen: factories.People) -> None:
    answer = api(kitchen.lead).post(url(kitchen), json={"name": "v1"})
    assert answer.status_code == 201
    document = answer.json()
    assert document["version"] == "v1"
    assert document["reference"] == f"{kitchen.project.slug}@v1"
    assert document["id"].startswith("sha256:")
    assert document["examples"] == {"train": 5, "dev": 1, "test": 1}
    assert [gate["gate"] for gate in document["gates"]] == [
        "composition", "approvals", "duplicates", "leakage", "licences", "personal", "style", "tokenizer",
    ]  # fmt: skip
    assert api(kitchen.annotator).get(url(kitchen, "/versions/v1")).json() == document
    assert api(kitchen.annotator).get(url(kitchen)).json()["versions"] == [document]


def test_a_blocked_freeze_is_a_conflict_until_it_has_a_reason(
    api: Api, database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
    client = api(kitchen.lead)
    states = {gate["gate"]: gate["state"] for gate in client.get(url(kitchen, "/next-version")).json()["gates"]}
    assert states["leakage"] == "block"
    assert client.post(url(kitchen), json={"name": "v1"}).status_code == 409
    assert client.post(url(kitchen), json={"name": "v1", "overrides": {"rain": "x"}}).status_code == 422
    done = client.post(url(kitchen), json={"name": "v1", "overrides": {"leakage": "a trial"}})
    assert done.status_code == 201


def test_examples_jsonl_has_the_hash_of_the_id(api: Api, kitchen: factories.People, version: Version) -> None:
    got = api(kitchen.annotator, "read").get(url(kitchen, "/versions/v1/examples.jsonl"))
    assert hashlib.sha256(got.content).hexdigest() == version.sha256
    assert api(kitchen.annotator).get(url(kitchen, "/versions/v1/manifest")).json()["id"] == f"sha256:{version.sha256}"
    verified = api(kitchen.annotator).get(url(kitchen, "/versions/v1/verification")).json()
    assert verified == {"ok": True, "id": f"sha256:{version.sha256}", "problems": []}


def test_an_export_is_asked_for_and_fetched(api: Api, kitchen: factories.People, version: Version) -> None:
    client = api(kitchen.lead)
    asked = client.post(url(kitchen, "/versions/v1/exports"), json={"format": "lima"})
    assert asked.status_code == 201
    got = client.get(asked.json()["url"])
    assert got.headers["content-type"] == "application/zip"
    assert got.content.startswith(b"PK")


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("stranger", 404)])
def test_only_a_lead_freezes_and_exports(
    api: Api, kitchen: factories.People, version: Version, who: str, status: int
) -> None:
    client = api(getattr(kitchen, who))
    assert client.post(url(kitchen), json={"name": "v2"}).status_code == status
    assert client.post(url(kitchen, "/versions/v1/exports"), json={"format": "lima"}).status_code == status
    assert client.get(url(kitchen, "/versions/v1/exports/lima.zip")).status_code == status
    assert api().get(url(kitchen)).status_code == 401


def test_a_token_to_read_does_not_freeze(api: Api, kitchen: factories.People) -> None:
    assert api(kitchen.lead, "read").post(url(kitchen), json={"name": "v1"}).status_code == 403


def test_an_unknown_field_is_refused(api: Api, kitchen: factories.People) -> None:
    body = {"name": "v1", "project_id": 2}
    assert api(kitchen.lead).post(url(kitchen), json=body).status_code == 422
