"""People and projects from the command line, by the rules of the pages."""

import json

import pytest
from typer.testing import CliRunner

from app import cli
from app.accounts import queries
from app.accounts.models import Role
from app.cli import context
from app.db import Database
from app.errors import Refusal
from app.projects import queries as projects


@pytest.fixture
def handpicked(monkeypatch, database_url, tmp_path):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(tmp_path / "data"))
    runner, commands, opened = CliRunner(), cli.build(), []

    class Closed(Database):
        """A process would close its connections by ending."""

        def __init__(self, settings):
            super().__init__(settings)
            opened.append(self)

    monkeypatch.setattr(context, "Database", Closed)

    def run(*words, stdin=None):
        result = runner.invoke(commands, words, input=stdin)
        if isinstance(result.exception, Refusal):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    yield run
    for database in opened:
        database.dispose()


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
