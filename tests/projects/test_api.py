"""/api/v1 of people and projects, and its description."""

import pytest


@pytest.fixture
def base(people):
    return f"/api/v1/projects/{people.project.slug}"


def test_the_description_is_open_and_names_the_refusals(browser):
    described = browser().get("/api/v1/openapi.json").json()
    assert described["security"] == [{"token": []}]
    for path, operations in described["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in operations.values():
            assert {"401", "403", "404", "409", "422"} <= set(operation["responses"]), path
            assert operation["summary"]


def test_a_refusal_has_one_shape(api):
    refused = api().get("/api/v1/me")
    assert refused.status_code == 401
    assert set(refused.json()["error"]) == {"message", "problems", "request_id"}


def test_a_session_cookie_is_no_key_to_the_api(browser, people):
    assert browser(people.admin).get("/api/v1/me").status_code == 401


def test_projects_are_made_listed_and_shown(api, people):
    client = api(people.admin)
    made = client.post("/api/v1/projects", json={"name": "Field Notes", "slug": "field-notes"})
    assert made.status_code == 201
    assert "field-notes" in [row["slug"] for row in client.get("/api/v1/projects").json()]
    assert client.get("/api/v1/projects/field-notes").json()["name"] == "Field Notes"
    assert [row["slug"] for row in api(people.annotator).get("/api/v1/projects").json()] == [people.project.slug]


def test_the_target_goes_out_and_in(api, people, base):
    client = api(people.lead)
    rows = client.get(f"{base}/composition").json()
    assert sum(row["target"] for row in rows if row["split"] == "train") == 1000
    assert client.put(f"{base}/composition", json={"rows": [{"source": "letters", "target": 3}]}).status_code == 200
    after = client.get(f"{base}/composition").json()
    assert [(row["source"], row["title"], row["target"]) for row in after] == [("letters", "Letters", 3)]
    assert api(people.annotator).put(f"{base}/composition", json={"rows": []}).status_code == 403


def test_members_are_set_and_removed(api, people, base):
    client = api(people.lead)
    wanted = {"email": people.stranger.email, "role": "reviewer"}
    assert client.put(f"{base}/members", json=wanted).json()["role"] == "reviewer"
    assert people.stranger.email in [row["email"] for row in client.get(f"{base}/members").json()]
    assert client.delete(f"{base}/members/{people.stranger.id}").status_code == 204
    assert client.put(f"{base}/members", json={"email": "nobody@example.org", "role": "reviewer"}).status_code == 404


def test_an_invitation_gives_its_link_once_and_is_taken_back(api, browser, people):
    client = api(people.admin)
    made = client.post("/api/v1/invitations", json={"role": "reviewer", "project": people.project.slug}).json()
    path = made["url"].removeprefix("http://localhost")
    assert browser().get(path).status_code == 200
    assert client.get("/api/v1/invitations").json()[0]["url"] is None
    assert client.delete(f"/api/v1/invitations/{made['id']}").status_code == 204
    assert browser().get(path).status_code == 410


def test_people_change_by_patch(api, people):
    client = api(people.admin)
    changed = client.patch(f"/api/v1/people/{people.annotator.id}", json={"role": "reviewer", "active": False})
    assert (changed.json()["role"], changed.json()["active"]) == ("reviewer", False)
    assert "password_hash" not in changed.text
    assert client.patch("/api/v1/people/999999", json={}).status_code == 404


def test_progress_counts_against_the_target(api, people, base):
    sources = api(people.annotator).get(f"{base}/progress").json()["sources"]
    assert {row["source"]: row["target"] for row in sources if row["split"] == "train"}["wikihow"] == 200


def test_the_trail_is_read_in_steps(api, people):
    client = api(people.admin)
    first = client.get("/api/v1/trail", params={"limit": 2}).json()
    after = client.get("/api/v1/trail", params={"limit": 2, "before": first[-1]["id"]}).json()
    assert [row["id"] for row in first + after] == sorted((row["id"] for row in first + after), reverse=True)
    assert api(people.lead).get("/api/v1/trail").status_code == 403
