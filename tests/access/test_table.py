"""A01 and A02: every route, asked by everybody, answers as the table beside this file says."""

import re

import pytest
from sqlalchemy import select, text, update

from app.db import Base
from app.main import UnguardedRoute, create_app, guarded_routes, require_guards
from app.projects.models import Project
from tests import factories
from tests.access.table import ACTORS, ALLOWED, TABLE

# What changes when somebody only looks, or is refused.
UNWATCHED = {"audit_entry", "login_session", "alembic_version"}
ABSENT = {"token": "absent", "name": "absent", "form": "lima", "site": "absent.example.org"}


def address(path, slug):
    """The path with the real project and with ids that do not exist."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: slug if m[1] == "slug" else ABSENT.get(m[1], "999999"), path)


class Caller:
    """One actor, fresh for every request: pages by session, the API by token."""

    def __init__(self, name, people, database, browser, api):
        self.person = None if name == "nobody" else getattr(people, name)
        self.database, self.browser, self.api, self.slug = database, browser, api, people.project.slug

    def ask(self, row):
        method, path = row.split(" ")
        open_client = self.api if path.startswith("/api/") else self.browser
        client = open_client(self.person) if self.person is not None else open_client()
        answer = client.request(method, address(path, self.slug))
        with self.database.writing() as session:  # an allowed request may have archived it
            session.execute(update(Project).values(archived_at=None))
        return answer


@pytest.fixture
def caller(people, database, browser, api):
    return lambda name: Caller(name, people, database, browser, api)


def is_refused(row, actor, answer):
    """Whether the answer is the one that this actor gets who may not."""
    method, path = row.split(" ")
    if actor == "nobody":
        if method == "GET" and not path.startswith("/api/"):
            return answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
        # An unsafe request without a token shows no origin either, which is asked for first.
        return answer.status_code == 401 or (path.startswith("/api/") and method != "GET" and answer.status_code == 403)
    if actor == "stranger" and "{slug}" in path:
        return answer.status_code == 404
    return answer.status_code == 403


def is_allowed(answer):
    """Whether somebody who may got past the door; the ids do not exist, so 404 and 422 are in order."""
    to_the_door = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
    return answer.status_code not in {401, 403} and answer.status_code < 500 and not to_the_door


def test_the_table_has_every_route_and_no_other(app):
    routes = {f"{method} {route.path}" for route, _ in guarded_routes(app) for method in route.methods}
    assert routes - set(TABLE) == set(), "routes that tests/access/table.py does not name"
    assert set(TABLE) - routes == set(), "rows of tests/access/table.py without a route"


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.asvs("8.2.1")
def test_a02_who_may_gets_past_the_door(caller, actor):
    asking = caller(actor)
    answers = {row: asking.ask(row) for row, least in TABLE.items() if actor in ALLOWED[least]}
    shut_out = {row: answer.status_code for row, answer in answers.items() if not is_allowed(answer)}
    assert shut_out == {}


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.asvs("8.2.1")
def test_a01_a02_who_may_not_is_refused_and_changes_nothing(caller, database, actor):
    before = everything(database)
    asking = caller(actor)
    answers = {row: asking.ask(row) for row, least in TABLE.items() if actor not in ALLOWED[least]}
    let_in = {row: answer.status_code for row, answer in answers.items() if not is_refused(row, actor, answer)}
    assert let_in == {}
    assert everything(database) == before


def everything(database):
    """All rows of all tables but those that looking and refusing write."""
    with database.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in UNWATCHED and table.name != "api_token"
        }


def test_a17_every_refusal_of_a_person_stands_in_the_trail(caller, database):
    asking = caller("annotator")
    rows = [row for row, least in TABLE.items() if least in {"reviewer", "lead", "admin"}]
    for row in rows:
        asking.ask(row)
    with database.reading() as session:
        kept = session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'was refused'"))
    assert kept == len(rows)


PAGES = sorted(row.removeprefix("GET ") for row in TABLE if row.startswith("GET "))
OPEN = {row.removeprefix("GET ") for row, least in TABLE.items() if least == "anyone"}
TRICKS = {
    "trailing slash": lambda path: path.rstrip("/") + "/",
    "two slashes": lambda path: "/" + path,
    "inner slashes": lambda path: path.replace("/", "//"),
    "dots": lambda path: "/static/%2e%2e" + path,
    "dots after a slash": lambda path: "/sign-in/%2e%2e" + path,
    "encoded slash": lambda path: "/static/..%2f" + path.lstrip("/"),
    "upper case": str.upper,
    "semicolon": lambda path: path + ";/sign-in",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a01_spellings_of_an_address_open_nothing(browser, people, trick):
    client = browser()
    shown = {}
    for path in PAGES:
        answer = client.get("http://localhost" + TRICKS[trick](address(path, people.project.slug)))
        if answer.status_code < 300 and path not in OPEN:
            shown[path] = answer.status_code
        assert people.project.name not in answer.text
    # "/" with a slash more is still "/", which asks for sign-in.
    assert shown == {}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_a01_other_methods_open_nothing(browser, people, method):
    client = browser()
    for path in PAGES:
        answer = client.request(method, address(path, people.project.slug))
        assert answer.status_code in {303, 401, 403, 404, 405}, path


def test_a01_a_route_without_a_permission_stops_the_application(app):
    app.add_api_route("/forgotten", lambda: "secret")
    with pytest.raises(UnguardedRoute, match="/forgotten"):
        require_guards(app)


def test_a01_a_foreign_mount_stops_the_application(app):
    from starlette.routing import Route

    app.router.routes.append(Route("/forgotten", print))
    with pytest.raises(UnguardedRoute):
        require_guards(app)


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/static../app/config.py", "/static/../app/config.py"]
)
def test_what_frameworks_leave_open_is_shut(browser, path):
    assert browser().get("http://localhost" + path).status_code == 404


def test_a_method_that_looks_like_another_is_taken_as_it_is(browser, people):
    answer = browser(people.annotator).get("/people", headers={"x-http-method-override": "POST"})
    assert answer.status_code == 403


def test_two_applications_over_one_database_share_sessions(settings, database, people):
    from starlette.testclient import TestClient

    token = factories.signed_in(database, people.annotator)
    for _ in range(2):
        client = TestClient(
            create_app(settings, database), base_url="http://localhost", headers={"accept": "text/html"}
        )
        client.cookies.set("handpicked_session", token)
        assert client.get("/account").status_code == 200
