"""The door: sessions, guessing, other sites."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.accounts import operations
from app.accounts.access import COOKIE
from app.accounts.models import AuditEntry, LoginSession, Role, SignInFailure, User
from app.config import Settings
from app.db import now
from app.main import create_app
from tests import factories

PASSWORD = "a lighthouse keeper"


@pytest.fixture
def keeper(database):
    with database.writing() as session:
        return factories.user(session, name="Keeper", password=PASSWORD)


def sign_in(client, email, password=PASSWORD, next="/"):
    return client.post("/sign-in", data={"email": email, "password": password, "next": next})


def test_the_right_password_opens_a_session(browser, keeper):
    client = browser()
    answer = sign_in(client, keeper.email.upper())
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/account").status_code == 200


def test_the_cookie_is_for_this_server_alone(browser, keeper):
    cookie = sign_in(browser(), keeper.email).headers["set-cookie"].lower()
    assert all(words in cookie for words in ("httponly", "samesite=lax", "path=/"))
    assert "secure" not in cookie


def test_behind_tls_the_cookie_is_host_bound(settings, database, keeper):
    from starlette.testclient import TestClient

    app = create_app(settings.model_copy(update={"secure_cookies": True}), database)
    client = TestClient(app, base_url="https://localhost", headers={"sec-fetch-site": "same-origin"})
    cookie = sign_in(client, keeper.email).history[0].headers["set-cookie"]
    assert cookie.startswith("__Host-handpicked_session=")
    assert "Secure" in cookie


def test_the_database_holds_no_token(browser, database, keeper):
    client = browser()
    sign_in(client, keeper.email)
    with database.reading() as session:
        stored = session.scalars(select(LoginSession.token_hash)).all()
    assert client.cookies[COOKIE] not in stored


@pytest.mark.asvs("7.2.4")
def test_a05_a_planted_session_dies_at_sign_in(browser, database, keeper):
    with database.writing() as session:
        attacker = factories.user(session)
        planted = operations.open_session(session, attacker)
    client = browser()
    client.cookies.set(COOKIE, planted)
    answer = sign_in(client, keeper.email)
    fresh = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert fresh != planted
    other = browser()
    other.cookies.set(COOKIE, planted)
    assert other.get("/account").status_code == 303


def replay(browser, token):
    client = browser()
    client.cookies.set(COOKIE, token)
    return client.get("/account").status_code, client.post("/account/name", data={"name": "x"}).status_code


@pytest.mark.asvs("7.4.1")
def test_a06_a_cookie_is_dead_after_sign_out(browser, database, keeper):
    token = factories.signed_in(database, keeper)
    client = browser()
    client.cookies.set(COOKIE, token)
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert replay(browser, token) == (303, 401)


def test_a06_every_other_cookie_is_dead_after_a_new_password(browser, database, keeper):
    token, own = factories.signed_in(database, keeper), factories.signed_in(database, keeper)
    client = browser()
    client.cookies.set(COOKIE, own)
    changed = client.post("/account/password", data={"old_password": PASSWORD, "new_password": "another keeper"})
    assert changed.status_code == 303
    assert replay(browser, token) == (303, 401)
    assert replay(browser, own) == (303, 401)
    assert sign_in(browser(), keeper.email).status_code == 401
    assert sign_in(browser(), keeper.email, "another keeper").status_code == 303


@pytest.mark.parametrize("change", ["role", "disabling"])
def test_a06_a_cookie_is_dead_after_a_role_change_and_a_shutting_out(browser, database, people, keeper, change):
    token = factories.signed_in(database, keeper)
    data = {"role": "reviewer"} if change == "role" else {}
    assert browser(people.admin).post(f"/people/{keeper.id}/{change}", data=data).status_code == 303
    assert replay(browser, token) == (303, 401)


def test_a06_a_disabled_person_cannot_sign_in_nor_use_a_token(browser, api, people, keeper):
    client = api(keeper)
    assert client.get("/api/v1/me").status_code == 200
    browser(people.admin).post(f"/people/{keeper.id}/disabling")
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(browser(), keeper.email).status_code == 401


@pytest.mark.parametrize("column", ["seen_at", "created_at"])
def test_a07_a_session_ends_idle_and_ends_old(browser, database, settings, keeper, column):
    token = factories.signed_in(database, keeper)
    past = now() - timedelta(days=settings.session_days, hours=1)
    with database.writing() as session:
        session.execute(update(LoginSession).values({column: past}))
    assert replay(browser, token) == (303, 401)


def test_a07_a_save_by_script_gets_a_fragment_and_no_redirect(browser):
    answer = browser().post("/account/name", data={"name": "x"}, headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert "Please sign in" in answer.text


@pytest.mark.asvs("2.4.1")
def test_a08_guessing_gets_429_and_says_how_long(browser, settings, keeper):
    client = browser()
    for _ in range(settings.sign_in_tries):
        assert sign_in(client, keeper.email, "wrong wrong wrong").status_code == 401
    refused = sign_in(client, keeper.email)
    assert refused.status_code == 429
    assert "15 minutes" in refused.text
    assert int(refused.headers["retry-after"]) == 900


def test_a08_every_failure_is_kept_and_in_the_trail(browser, database, keeper):
    sign_in(browser(), keeper.email, "wrong wrong wrong")
    with database.reading() as session:
        assert session.scalar(select(func.count(SignInFailure.id))) == 1
        assert session.scalar(select(AuditEntry.action).order_by(AuditEntry.id.desc())) == "fail to sign in"


def test_a08_known_and_unknown_names_get_the_same_words(browser, keeper):
    known, unknown = (sign_in(browser(), email, "wrong wrong wrong") for email in (keeper.email, "nobody@example.org"))
    assert known.text.replace(keeper.email, "") == unknown.text.replace("nobody@example.org", "")


def test_a08_known_and_unknown_names_hash_once_each(monkeypatch, browser, keeper):
    from app.accounts import secrets

    seen = []
    verify = secrets._passwords.verify
    monkeypatch.setattr(secrets._passwords, "verify", lambda *args: seen.append(args) or verify(*args))
    for email in (keeper.email, "nobody@example.org"):
        sign_in(browser(), email, "wrong wrong wrong")
    known, unknown = (stored.split("$")[:4] for _, stored in seen)
    assert known == unknown
    assert known[1] == "argon2id"


def test_a08_a_guess_costs_64_megabytes_and_three_passes(dear_passwords):
    assert dear_passwords.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a08_the_right_person_comes_in_from_another_address(database, settings, keeper):
    with database.writing() as session:
        for _ in range(settings.sign_in_tries):
            operations.note_failure(session, settings, email=keeper.email, address="203.0.113.9")
        attempt = operations.attempt_sign_in(
            session, settings, email=keeper.email, password=PASSWORD, address="198.51.100.7", present_token=None
        )
    assert attempt.refusal is None
    assert attempt.token


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/name", "/theme"])
@pytest.mark.parametrize("headers", [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "", "origin": "null"},
    {"sec-fetch-site": "", "origin": "http://evil.example"},
    {"sec-fetch-site": ""},
])  # fmt: skip
@pytest.mark.asvs("3.5.1")
def test_a09_a10_other_sites_change_nothing(browser, database, keeper, path, headers):
    client = browser(keeper)
    if not headers["sec-fetch-site"]:
        del client.headers["sec-fetch-site"]
        headers = {key: value for key, value in headers.items() if value}
    answer = client.post(path, data={"email": keeper.email, "password": PASSWORD, "name": "Taken"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    with database.reading() as session:
        assert session.get(User, keeper.id).name == "Keeper"
        assert session.scalar(select(func.count(LoginSession.id))) == 1


def test_a10_text_plain_json_is_no_form_and_no_body(api, keeper):
    client = api(keeper)
    answer = client.post(
        "/api/v1/tokens", content='{"name": "x", "scope": "read"}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 422


def test_a09_a_get_changes_no_session(browser, keeper):
    client = browser(keeper)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("target", [
    "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "/\tevil",
    "javascript:alert(1)",
    "/ok\r\nSet-Cookie: a=b", "", "evil",
])  # fmt: skip
@pytest.mark.asvs("3.7.2")
def test_a11_next_stays_here(browser, keeper, target):
    client = browser()
    assert sign_in(client, keeper.email, next=target).headers["location"] == "/"
    assert client.get("/sign-in", params={"next": target}).headers["location"] == "/"


def test_a11_a_local_next_is_followed(browser, keeper):
    assert sign_in(browser(), keeper.email, next="/projects?a=b").headers["location"] == "/projects?a=b"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_a12_a_forged_host_gets_400(browser, host):
    assert browser().get("/sign-in", headers={"host": host}).status_code == 400


def test_a12_links_come_from_the_configured_address(settings, database, people):
    from starlette.testclient import TestClient

    app = create_app(settings.model_copy(update={"base_url": "https://picked.example.org"}), database)
    client = TestClient(app, base_url="http://localhost", headers={"sec-fetch-site": "same-origin"})
    client.cookies.set(COOKIE, factories.signed_in(database, people.admin))
    answer = client.post("/invitations", data={"role": "annotator"}, headers={"x-forwarded-host": "evil.example"})
    assert "https://picked.example.org/invitations/" in answer.text
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/nowhere", "/static/tokens.css", "/account", "/api/v1/me"])
def test_a13_no_page_may_be_framed(browser, path):
    policy = browser().get(path).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_private_pages_are_not_kept_by_the_browser(browser, keeper):
    assert browser(keeper).get("/account").headers["cache-control"] == "no-store"


def test_the_password_is_never_sent_back(browser, keeper):
    assert "wrong wrong wrong" not in sign_in(browser(), keeper.email, "wrong wrong wrong").text


def test_settings_have_no_default_password_or_secret(database):
    assert not [name for name in Settings.model_fields if "secret" in name or "password" in name]
    with database.reading() as session:
        assert session.scalar(select(func.count(User.id))) == 0


def test_a_role_is_one_of_three(browser, people):
    answer = browser(people.admin).post(f"/people/{people.annotator.id}/role", data={"role": "owner"})
    assert answer.status_code == 422
    assert Role.ANNOTATOR is people.annotator.role
