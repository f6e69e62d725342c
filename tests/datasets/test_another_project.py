"""A28: a version is reached through its own project only, whatever the way; through another one it is not there."""

import re

import pytest

from app.accounts.models import Role
from app.datasets.operations import freeze_version
from app.projects.operations import add_member
from tests import factories
from tests.access.table import TABLE
from tests.datasets.material import approve, dialogue, reasons_for

WORD = "Quokkaberry"
# Each place in a path, filled with what exists in the first project alone.
THERE = {"name": "secret-v1", "position": "1", "form": "lima", "packing": "zip"}
BY_VERSION = [row for row in TABLE if "/versions/{name}" in row]
ONWARD = [
    "GET /projects/{slug}/examples/{example_id}/versions",
    "GET /projects/{slug}/imports/{import_id}/versions",
    "GET /projects/{slug}/version-runs?version=secret-v1",
    "GET /projects/{slug}/comparison?old=secret-v1&new=draft",
    "GET /projects/{slug}/comparison/notes.md?old=secret-v1&new=draft",
    "GET /projects/{slug}/runs?version=secret-v1",
    "GET /api/v1/projects/{slug}/examples/{example_id}/versions",
    "GET /api/v1/projects/{slug}/candidates/{candidate_id}/versions",
    "GET /api/v1/projects/{slug}/imports/{import_id}/versions",
]


@pytest.fixture
def places(database, people):
    """Two projects with the same lead; the version, its example and its hash are of the first one only."""
    with database.writing() as session:
        example = approve(
            session, people.project, people.annotator, people.reviewer, dialogue(f"{WORD}?"), source="authors"
        )
        overrides = reasons_for(session, people.project)
        version = freeze_version(session, people.lead, people.project, name="secret-v1", overrides=overrides)
        other = factories.project(session, people.lead)
        add_member(session, people.lead, other, people.annotator, Role.ANNOTATOR)
        approve(session, other, people.annotator, people.reviewer, dialogue("Something else?"), source="authors")
        freeze_version(session, people.lead, other, name="v1", overrides=reasons_for(session, other))
        numbers = {"example_id": example.id, "candidate_id": 1, "import_id": 1, "publication_id": 1}
        return other.slug, {**THERE, **{name: str(number) for name, number in numbers.items()}}, version


@pytest.mark.parametrize("row", [*BY_VERSION, *ONWARD])
def test_a28_a_version_of_another_project_is_not_there(browser, api, people, places, row):
    slug, filled, version = places
    method, path = row.split(" ")
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda place: filled[place[1]], path.replace("{slug}", slug))
    asks = {"json": {"format": "lima"}} if path.startswith("/api/") else {"data": {"format": "lima"}}
    client = (api if path.startswith("/api/") else browser)(people.lead)
    answer = client.request(method, address, **(asks if path.endswith("/exports") else {}))
    # A form that does not fit is refused before anybody looks for the version: that says nothing of it either.
    unfit = method == "POST" and "/publication" in path and answer.status_code == 422
    assert answer.status_code == 404 or unfit, answer.text
    assert WORD not in answer.text
    assert version.sha256 not in answer.text


def test_the_routes_are_those_that_take_a_version():
    assert len(BY_VERSION) >= 20
    ways = {re.sub(r".*/versions/\{name\}", "", row) for row in BY_VERSION}
    assert {"", "/card", "/rows/{position}", "/verification", "/exports", "/publication"} <= ways


def test_the_same_addresses_open_in_the_project_of_the_version(browser, api, people, places):
    _, filled, _ = places
    opened = 0
    for row in BY_VERSION:
        method, path = row.split(" ")
        if method != "GET" or "publication_id" in path or path.endswith("/preview"):
            continue
        address = re.sub(
            r"\{(\w+)(?::\w+)?\}", lambda place: filled[place[1]], path.replace("{slug}", people.project.slug)
        )
        answer = (api if path.startswith("/api/") else browser)(people.lead).get(address)
        assert answer.status_code == 200, (row, answer.status_code)
        opened += 1
    assert opened >= 12
