"""People, roles, tokens, the trail."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from app.accounts import operations, queries
from app.accounts.models import ApiToken, AuditEntry, Role, User
from app.errors import Refusal
from tests import factories
from tests.counting import count_queries


def test_the_page_shows_everybody_to_admins_only(browser, people):
    page = browser(people.admin).get("/people").text
    assert all(person.email in page for person in (people.annotator, people.reviewer, people.admin))
    assert "operator@localhost" not in page
    assert browser(people.lead).get("/people").status_code == 403


def test_people_cost_the_same_for_2_and_20(browser, database, people):
    client = browser(people.admin)
    with count_queries(database) as few:
        client.get("/people")
    with database.writing() as session:
        for _ in range(20):
            factories.user(session)
    with count_queries(database) as many:
        client.get("/people")
    assert few.count == many.count


@pytest.mark.parametrize("act", [("role", {"role": "annotator"}), ("disabling", {})])
def test_a16_the_last_admin_stays(browser, database, people, act):
    path, data = act
    answer = browser(people.admin).post(f"/people/{people.admin.id}/{path}", data=data)
    assert answer.status_code == 409
    assert "At least one admin has to stay" in answer.text
    with database.reading() as session:
        assert session.get(User, people.admin.id).role is Role.ADMIN
        assert session.get(User, people.admin.id).active


def test_a16_two_admins_who_demote_each_other_leave_one(database, people):
    with database.writing() as session:
        other = factories.user(session, Role.ADMIN)
    barrier, refused = Barrier(2), []

    def demote(actor, target):
        barrier.wait()
        try:
            with database.writing() as session:
                operations.change_role(session, actor, session.get(User, target.id), Role.ANNOTATOR)
        except Refusal as refusal:
            refused.append(refusal.status)

    pairs = ((people.admin, other), (other, people.admin))
    threads = [Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert queries.active_admin_count(session) == 1
    assert refused == [409]


def test_the_operator_cannot_be_changed(browser, database, people):
    with database.writing() as session:
        operator = operations.local_operator(session)
    assert browser(people.admin).post(f"/people/{operator.id}/role", data={"role": "annotator"}).status_code == 404
    assert browser().post("/sign-in", data={"email": operator.email, "password": "x" * 12}).status_code == 401


def test_a04_nobody_assigns_in_passing(browser, api, database, people):
    client = browser(people.annotator)
    assert client.post("/account/name", data={"name": "K.", "role": "admin"}).status_code == 422
    refused = api(people.admin).patch(f"/api/v1/people/{people.annotator.id}", json={"is_operator": True})
    assert refused.status_code == 422
    with database.reading() as session:
        user = session.get(User, people.annotator.id)
        assert (user.role, user.name, user.is_operator) == (Role.ANNOTATOR, people.annotator.name, False)


def test_a03_nobody_revokes_a_token_of_another(browser, api, database, people):
    factories.api_token(database, people.admin, "admin")
    with database.reading() as session:
        token_id = session.scalar(select(ApiToken.id))
    assert browser(people.annotator).post(f"/account/tokens/{token_id}/revocation").status_code == 404
    assert api(people.annotator).delete(f"/api/v1/tokens/{token_id}").status_code == 404
    with database.reading() as session:
        assert session.get(ApiToken, token_id).revoked_at is None


def test_a_token_is_shown_once_and_works_until_it_is_revoked(app, browser, people):
    from starlette.testclient import TestClient

    client = browser(people.annotator)
    page = client.post("/account/tokens", data={"name": "nightly", "scope": "read", "project": "", "days": "30"}).text
    secret = page.partition('value="hp_')[2].partition('"')[0]
    assert secret not in client.get("/account").text
    caller = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer hp_{secret}"})
    assert caller.get("/api/v1/me").json()["email"] == people.annotator.email
    token_id = caller.get("/api/v1/tokens").json()[0]["id"]
    client.post(f"/account/tokens/{token_id}/revocation")
    assert caller.get("/api/v1/me").status_code == 401


def test_a_read_token_writes_nothing_and_makes_no_greater_one(api, people):
    client = api(people.admin, "read")
    assert client.get("/api/v1/people").status_code == 403
    assert client.post("/api/v1/tokens", json={"name": "x", "scope": "admin"}).status_code == 403
    assert api(people.admin, "write").post("/api/v1/tokens", json={"name": "x", "scope": "admin"}).status_code == 403


def test_a_token_in_the_address_is_no_token(app, database, people):
    from starlette.testclient import TestClient

    token = factories.api_token(database, people.admin, "admin")
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/api/v1/me", params={"token": token, "access_token": token}).status_code == 401


def test_a_project_token_reaches_its_project_only(api, app, database, people):
    from starlette.testclient import TestClient

    with database.writing() as session:
        factories.project(session, people.lead, "other")
        secret = operations.create_api_token(
            session, people.lead, name="x", scope=operations.Scope.ADMIN, project_id=people.project.id, days=None
        )[1]
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {secret}"})
    assert client.get(f"/api/v1/projects/{people.project.slug}").status_code == 200
    assert client.get("/api/v1/projects/other").status_code == 404
    assert client.get("/api/v1/projects").status_code == 403


def test_the_trail_names_who_did_what(browser, database, people):
    client = browser(people.admin)
    client.post(f"/people/{people.stranger.id}/role", data={"role": "reviewer"})
    page = client.get("/trail", params={"action": "change role", "person": people.admin.id, "project": ""}).text
    assert "change role" in page
    assert people.stranger.name in page
    assert "before annotator, after reviewer" in page


def test_the_trail_is_filtered_by_project(browser, database, people):
    with database.writing() as session:
        factories.project(session, people.lead, "elsewhere")
    client = browser(people.lead)
    page = client.get(f"/projects/{people.project.slug}/trail").text
    assert "create project" in page
    assert "elsewhere" not in page.partition("<main")[2]


def test_the_trail_is_paged_and_costs_the_same(browser, database, people):
    client = browser(people.admin)
    with count_queries(database) as few:
        client.get("/trail")
    with database.writing() as session:
        for number in range(120):
            session.add(AuditEntry(actor_name="x", action="count", subject=f"number:{number}", detail={}))
    with count_queries(database) as many:
        page = client.get("/trail", params={"page": 2}).text
    assert few.count == many.count
    assert "51 to 100 of" in page
    assert client.get("/trail", params={"page": "nan"}).status_code == 422
    assert client.get("/trail", params={"person": "1 OR 1=1"}).status_code == 422


def test_refusals_stand_in_the_trail(browser, database, people):
    browser(people.annotator).post(f"/people/{people.admin.id}/disabling")
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.actor_id) == ("was refused", people.annotator.id)
