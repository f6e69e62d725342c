"""A version can be limited to licences; gate, manifest and card say so, and a licence that nobody has is refused."""

import pytest

from app.datasets import operations
from app.datasets.card.card import card
from app.datasets.formats import Format

BY4 = "CC BY-SA 4.0"


def freeze(database, people, **more):
    with database.writing() as session:
        lead, project = session.merge(people.lead), session.merge(people.project)
        version = operations.freeze_version(session, lead, project, name="v1", **more)
        return version.row_count, dict(version.manifest)


def test_only_examples_under_the_licence_go_in(database, kitchen):
    count, manifest = freeze(database, kitchen, licences=[BY4])
    assert count == 1
    assert manifest["licences"] == [{"licence": BY4, "examples": 1}]
    assert manifest["limited_to_licences"] == [BY4]
    (gate,) = [gate for gate in manifest["gates"] if gate["gate"] == "licences"]
    assert gate["detail"].endswith(f"Limited to {BY4}.")
    assert f"limited to texts under [{BY4}]" in card(manifest | {"id": "sha256:0"}, Format.LIMA)


def test_without_a_limit_nothing_is_said_of_one(database, kitchen):
    count, manifest = freeze(database, kitchen)
    assert count == 7
    assert "limited_to_licences" not in manifest
    assert "limited to" not in card(manifest | {"id": "sha256:0"}, Format.LIMA)


def test_a_licence_that_no_example_has_is_refused_with_those_that_there_are(database, kitchen):
    with pytest.raises(operations.NoSuchLicence, match=r"There are: CC BY-SA 3\.0, CC BY-SA 4\.0"):
        freeze(database, kitchen, licences=["CC BY-SA 4.0", "MIT"])


def test_the_limit_is_said_where_people_look(browser, database, kitchen):
    _, manifest = freeze(database, kitchen, licences=[BY4])
    here = f"/projects/{kitchen.project.slug}/versions"
    timeline = browser(kitchen.annotator).get(here).text
    assert f"<dt>Limited to</dt><dd>{BY4}</dd>" in timeline
    assert f"since v1, limited to {BY4}" in timeline
    assert f"frozen for ever</strong>, limited to {BY4}, on" in browser(kitchen.annotator).get(f"{here}/v1").text
    assert "limited to texts under" in card(manifest, Format.LIMA).split("At a glance")[0]


def test_a_version_without_a_limit_names_none(browser, database, kitchen):
    freeze(database, kitchen)
    here = f"/projects/{kitchen.project.slug}/versions"
    for page in (here, f"{here}/v1"):
        assert "imited to" not in browser(kitchen.annotator).get(page).text


def test_form_and_api_take_the_limit(browser, api, database, kitchen):
    path = f"/projects/{kitchen.project.slug}/versions"
    refused = browser(kitchen.lead).post(path, data={"name": "v1", "licences": "MIT"})
    assert refused.status_code == 409
    assert "under the licence MIT" in refused.text
    made = browser(kitchen.lead).post(path, data={"name": "v1", "licences": f"{BY4}, CC BY-SA 3.0"})
    assert made.status_code == 303
    body = {"name": "v2", "licences": [BY4]}
    answer = api(kitchen.lead).post(f"/api/v1{path}", json=body)
    assert sum(answer.json()["examples"].values()) == 1
