"""People and projects from the command line, by the rules of the pages."""

import json

import pytest
from typer.testing import CliRunner

from app import cli
from app.accounts import queries
from app.accounts.models import Role
from app.errors import Refusal
from app.projects import queries as projects


@pytest.fixture
def handpicked(closing, monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(tmp_path / "data"))
    runner, commands = CliRunner(), cli.build()

    def run(*words, stdin=None):
        result = runner.invoke(commands, words, input=stdin)
        if isinstance(result.exception, Refusal):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_a_person_a_project_and_a_membership(handpicked, database):
    handpicked("project", "create", "notes", "--composition", "lima")
    handpicked("user", "create", "R@example.org", "--role", "reviewer")
    handpicked("member", "add", "notes", "r@example.org", "--role", "reviewer")
    with database.reading() as session:
        project, user = projects.project_by_slug(session, "notes"), queries.user_by_email(session, "r@example.org")
        assert projects.role_in(session, project, user) is Role.REVIEWER
        assert user.password_hash is None


def test_a_password_comes_from_standard_input_only(handpicked, database, browser):
    handpicked("user", "create", "a@example.org", "--role", "admin", "--password-stdin", stdin="a lighthouse keeper\n")
    answer = browser().post("/sign-in", data={"email": "a@example.org", "password": "a lighthouse keeper"})
    assert answer.status_code == 303


def test_one_json_document_is_printed(handpicked):
    made = json.loads(handpicked("user", "create", "a@example.org", "--role", "admin", "--json"))
    assert made == {"email": "a@example.org", "name": "a", "role": "admin", "active": True}
    assert json.loads(handpicked("people", "list", "--json")) == {"people": [made]}
    assert json.loads(handpicked("project", "create", "notes", "--json"))["slug"] == "notes"
    assert json.loads(handpicked("project", "list", "--json"))["projects"][0]["slug"] == "notes"


def test_a_token_of_a_person_works(handpicked, app):
    from starlette.testclient import TestClient

    handpicked("user", "create", "a@example.org", "--role", "admin")
    secret = handpicked("token", "create", "ci", "--as", "a@example.org", "--scope", "read").strip()
    client = TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/me").json()["scope"] == "read"


def test_the_operator_has_no_token(handpicked):
    with pytest.raises(Refusal, match="name one with --as"):
        handpicked("token", "create", "ci")


@pytest.mark.parametrize("words", [
    ("user", "create", "b@example.org", "--role", "admin"), ("people", "list"), ("project", "create", "mine"),
    ("user", "role", "a@example.org", "--role", "admin"),
])  # fmt: skip
def test_a02_the_command_line_has_the_rules_of_the_pages(handpicked, words):
    handpicked("user", "create", "a@example.org", "--role", "annotator")
    with pytest.raises(Refusal, match="Your role does not allow this"):
        handpicked(*words, "--as", "a@example.org")


@pytest.mark.parametrize("words", [
    ("project", "create", "Not A Slug"), ("user", "create", "no-address", "--role", "admin"),
    ("member", "add", "nowhere", "a@example.org", "--role", "reviewer"),
    ("people", "list", "--as", "nobody@example.org"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_sentence(handpicked, words):
    with pytest.raises(Refusal) as refused:
        handpicked(*words)
    assert refused.value.message
    assert "\n" not in refused.value.message


def test_a_project_is_archived_and_opened_again(handpicked, database):
    handpicked("project", "create", "notes")
    handpicked("project", "archive", "notes")
    with database.reading() as session:
        assert projects.project_by_slug(session, "notes").archived_at is not None
    handpicked("project", "reopen", "notes")
    with database.reading() as session:
        assert projects.project_by_slug(session, "notes").archived_at is None


def test_who_is_invited_makes_an_account_by_the_link_until_it_is_withdrawn(handpicked, browser):
    handpicked("project", "create", "notes")
    url = handpicked("invite", "--role", "reviewer", "--project", "notes", "--email", "r@example.org").strip()
    path = url.removeprefix("http://127.0.0.1:8000")
    assert browser().get(path).status_code == 200
    (row,) = json.loads(handpicked("invitation", "list", "--json"))["invitations"]
    assert (row["email"], row["role"], row["project"]) == ("r@example.org", "reviewer", "notes")
    handpicked("invitation", "withdraw", str(row["id"]))
    assert browser().get(path).status_code == 410
    assert json.loads(handpicked("invitation", "list", "--json")) == {"invitations": []}
    handpicked("user", "create", "r@example.org", "--role", "annotator")
    made = json.loads(
        handpicked("invite", "--role", "reviewer", "--project", "notes", "--email", "r@example.org", "--json")
    )
    assert made == {"project": "notes", "email": "r@example.org", "role": "reviewer", "url": None}


def test_members_are_listed_and_removed(handpicked):
    handpicked("project", "create", "notes")
    handpicked("user", "create", "r@example.org", "--role", "annotator")
    handpicked("member", "add", "notes", "r@example.org", "--role", "reviewer")
    assert "r@example.org" in handpicked("member", "list", "notes")
    handpicked("member", "remove", "notes", "r@example.org")
    rows = json.loads(handpicked("member", "list", "notes", "--json"))["members"]
    assert "r@example.org" not in [row["email"] for row in rows]
    with pytest.raises(Refusal, match="not a member"):
        handpicked("member", "remove", "notes", "r@example.org")


def test_a_token_is_listed_and_revoked_by_its_owner_only(handpicked, browser):
    for name in ("a", "b"):
        handpicked("user", "create", f"{name}@example.org", "--role", "annotator")
    secret = handpicked("token", "create", "ci", "--as", "a@example.org").strip()
    said = handpicked("token", "list", "--as", "a@example.org", "--json")
    assert secret not in said
    (row,) = json.loads(said)["tokens"]
    assert (row["name"], row["state"]) == ("ci", "works")
    with pytest.raises(Refusal, match="There is no token"):
        handpicked("token", "revoke", str(row["id"]), "--as", "b@example.org")
    headers = {"authorization": f"Bearer {secret}"}
    assert browser().get("/api/v1/me", headers=headers).status_code == 200
    revoked = json.loads(handpicked("token", "revoke", str(row["id"]), "--as", "a@example.org", "--json"))
    assert revoked["state"] == "revoked"
    assert browser().get("/api/v1/me", headers=headers).status_code == 401


def test_the_trail_says_who_did_what(handpicked):
    handpicked("user", "create", "a@example.org", "--role", "admin")
    for slug in ("notes", "others"):
        handpicked("project", "create", slug, "--as", "a@example.org")
    handpicked("project", "archive", "notes")
    rows = json.loads(handpicked("trail", "notes", "--json"))["entries"]
    assert [row["action"] for row in rows] == ["archive project", "create project"]
    rows = json.loads(handpicked("trail", "--person", "a@example.org", "--action", "create project", "--json"))[
        "entries"
    ]
    assert [row["detail"]["slug"] for row in rows] == ["others", "notes"]
    older = json.loads(handpicked("trail", "--before", str(rows[0]["id"]), "--limit", "1", "--json"))["entries"]
    assert [row["id"] < rows[0]["id"] for row in older] == [True]


def test_a_composition_goes_out_and_comes_in_again(handpicked, tmp_path):
    handpicked("project", "create", "notes", "--composition", "lima")
    shown = handpicked("composition", "show", "notes", "--json")
    assert sum(row["target"] for row in json.loads(shown)["rows"]) == 1350
    file = tmp_path / "target.json"
    file.write_text(shown)
    assert handpicked("composition", "set", "notes", str(file), "--json") == shown
    rows = tmp_path / "target.toml"
    rows.write_text('[[rows]]\nsource = "stories"\ntarget = 20\n')
    assert json.loads(handpicked("composition", "set", "notes", str(rows), "--json"))["rows"][0]["title"] == "Stories"
    rows.write_text('[[rows]]\nsource = "stories"\ntarget = -1\n')
    with pytest.raises(Refusal, match="no composition"):
        handpicked("composition", "set", "notes", str(rows))
    handpicked("project", "archive", "notes")
    with pytest.raises(Refusal, match="archived"):
        handpicked("composition", "set", "notes", str(file))


def test_an_exchange_is_sorted(handpicked):
    handpicked("project", "create", "notes")
    handpicked("exchange", "set", "notes", "Coffee.StackExchange.com", "discarded")
    found = json.loads(handpicked("exchange", "list", "notes", "--json"))["exchanges"]
    assert found["coffee.stackexchange.com"] == "discarded"


@pytest.mark.parametrize("words", [
    ("invite", "--role", "admin"), ("invitation", "list"), ("invitation", "withdraw", "1"), ("trail",),
    ("trail", "notes"), ("member", "list", "notes"), ("member", "remove", "notes", "b@example.org"),
    ("exchange", "set", "notes", "coffee.stackexchange.com", "stem"),
    ("invite", "--role", "admin", "--project", "notes"),
])  # fmt: skip
def test_what_only_leads_may_a_member_may_not(handpicked, words):
    handpicked("project", "create", "notes")
    handpicked("user", "create", "a@example.org", "--role", "annotator")
    handpicked("member", "add", "notes", "a@example.org", "--role", "reviewer")
    with pytest.raises(Refusal, match="Your role does not allow this"):
        handpicked(*words, "--as", "a@example.org")
