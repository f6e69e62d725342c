"""Model servers by page, API and command line: an admin registers them, and nobody ever sees a key again."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app import cli
from app.accounts.models import AuditEntry
from app.db import Base
from app.endpoints import operations, queries
from app.endpoints.operations import Wanted
from app.endpoints.sealing import FILE, CannotOpen, seal, unseal
from app.errors import Denied, Refusal
from app.jobs.models import Job, JobState
from tests.counting import count_queries
from tests.endpoints.modelserver import refusing

KEY = "sk-canary-0d5c71"
PLACES = "/endpoints"


@pytest.fixture
def handpicked(closing, monkeypatch, database_url, settings):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    runner, commands = CliRunner(), cli.build()

    def run(*words, stdin=None, code=0):
        result = runner.invoke(commands, words, input=stdin)
        if isinstance(result.exception, Refusal):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def form(server, **changed):
    return {"name": "local", "url": server.url, "model": "qwen", "inside": "true", "api_key": KEY} | changed


def test_an_admin_registers_one_and_it_is_tested_by_a_job(browser, people, model, work):
    admin = browser(people.admin)
    assert admin.post(PLACES, data=form(model)).status_code == 303
    page = admin.get(PLACES).text
    assert "Being tested" in page
    assert 'hx-get="/endpoints"' in page
    assert KEY not in page
    assert work()
    assert model.headers[0]["authorization"] == f"Bearer {KEY}"
    fragment = admin.get(PLACES, headers={"hx-target": "div#endpoint-rows", "hx-request": "true"}).text
    assert "answered in 0." in fragment
    assert "hx-get" not in fragment.partition("<ul")[0]


def test_a_server_that_fails_its_test_says_why_and_can_be_tested_again(browser, people, model, work):
    admin = browser(people.admin)
    model.answer = refusing(401)
    admin.post(PLACES, data=form(model))
    assert work()
    page = admin.get(PLACES).text
    assert "No answer" in page
    assert "local gave no answer: the API key is not one that it takes (401)." in page
    model.answer = None
    address = page.partition("/endpoints/")[2].partition("/test")[0]
    assert admin.post(f"{PLACES}/{address}/test").status_code == 303
    assert work()
    assert "answered in" in admin.get(PLACES).text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "https://me:x@host/v1"}, "there is a field for the key"),
        ({"url": "http://host/v1", "inside": "false"}, "has to be https"),
        ({"name": "a b"}, "Letters, digits"),
        ({"model": " "}, "This is needed"),
        ({"timeout_seconds": "0"}, "at least 1"),
        ({"api_key": "two words-canary"}, "no blanks"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field_and_the_key_is_not_shown_again(
    browser, people, model, changed, words
):
    answer = browser(people.admin).post(PLACES, data=form(model, **changed))
    assert answer.status_code == 422
    assert words in answer.text
    assert KEY not in answer.text
    assert "canary" not in answer.text


def test_a_name_is_taken_once(browser, people, model):
    admin = browser(people.admin)
    admin.post(PLACES, data=form(model))
    assert admin.post(PLACES, data=form(model)).status_code == 409


def test_only_an_admin_registers_tests_and_removes(session, settings, people, model):
    for person in (people.lead, people.annotator, people.stranger):
        with pytest.raises(Denied):
            operations.add_endpoint(session, settings, person, Wanted("x", model.url, "m", inside=True))


def test_a82_a_key_stands_nowhere_in_the_clear(browser, api, people, model, work, database, settings, caplog):
    admin = browser(people.admin)
    admin.post(PLACES, data=form(model))
    model.answer = refusing(401, {"error": {"message": f"no such key {KEY}"}})
    assert work()
    listed = api(people.admin).get("/api/v1/endpoints").json()
    assert listed[0]["with_key"] is True
    assert listed[0]["state"] == "fails"
    seen = [json.dumps(listed), admin.get(PLACES).text, admin.get("/trail").text, caplog.text]
    with database.reading() as session:
        seen += [str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    assert not [words for words in seen if KEY in words]
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_another_key_takes_the_place_of_the_first_and_none_takes_it_away(browser, people, model, work, database):
    admin = browser(people.admin)
    admin.post(PLACES, data=form(model))
    assert work()
    with database.reading() as session:
        number = session.scalars(queries.endpoints()).one().id
    admin.post(f"{PLACES}/{number}/key", data={"api_key": "sk-other"})
    assert "Not tested" in admin.get(PLACES).text
    admin.post(f"{PLACES}/{number}/test")
    assert work()
    assert model.headers[-1]["authorization"] == "Bearer sk-other"
    admin.post(f"{PLACES}/{number}/key", data={"api_key": ""})
    admin.post(f"{PLACES}/{number}/test")
    assert work()
    assert "authorization" not in model.headers[-1]


def test_model_and_patience_are_changed_and_the_key_stays(browser, api, people, model, work, database):
    admin = browser(people.admin)
    admin.post(PLACES, data=form(model))
    assert work()
    with database.reading() as session:
        standing = queries.endpoint_by_name(session, "local")
        number, sealed = standing.id, standing.sealed_key
    here = f"{PLACES}/{number}/change"
    assert browser(people.lead).post(here, data={"model": "x"}).status_code == 403
    assert admin.post(here, data={"model": "llama", "timeout_seconds": "90"}).status_code == 303
    assert work(), "it is tested at once"
    assert model.asked[-1]["model"] == "llama"
    assert model.headers[-1]["authorization"] == f"Bearer {KEY}"
    page = admin.get(PLACES).text
    assert "waits 90 s" in page
    assert KEY not in page
    for wrong in ({"model": " "}, {"timeout_seconds": "0"}, {"timeout_seconds": "601"}, {"url": "https://x/v1"}):
        refused = admin.post(here, data=wrong)
        assert (refused.status_code, "Nothing of local was changed" in refused.text) == (422, True)
    assert admin.post(here, data={"model": "llama", "timeout_seconds": "90"}).status_code == 303, "the same again"
    shown = api(people.admin).patch(f"/api/v1/endpoints/{number}", json={"timeout_seconds": 30}).json()
    assert (shown["model"], shown["timeout_seconds"], shown["state"]) == ("llama", 30, "untested")
    with database.reading() as session:
        assert queries.endpoint_by_name(session, "local").sealed_key == sealed
        said = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "change model server"))
        assert list(said) == [
            {
                "name": "local",
                "model": "llama",
                "timeout_seconds": 90,
                "before": {"model": "qwen", "timeout_seconds": 60},
            },
            {"name": "local", "timeout_seconds": 30, "before": {"timeout_seconds": 90}},
        ]


def test_one_that_was_removed_while_it_was_to_be_tested_ends_its_job(browser, people, model, work, database):
    admin = browser(people.admin)
    admin.post(PLACES, data=form(model))
    with database.reading() as session:
        number = session.scalars(queries.endpoints()).one().id
    assert admin.post(f"{PLACES}/{number}/removal").status_code == 303
    assert work()
    assert model.asked == []
    with database.reading() as session:
        assert session.scalars(select(Job)).one().state is JobState.FAILED


def test_the_list_costs_the_same_for_2_and_20(browser, people, database, settings):
    admin = browser(people.admin)

    def add(count, start):
        with database.writing() as session:
            for number in range(start, start + count):
                operations.add_endpoint(session, settings, people.admin, Wanted(f"e{number}", "https://h/v1", "m"))

    add(2, 0)
    with count_queries(database) as two:
        admin.get(PLACES)
    add(18, 2)
    with count_queries(database) as twenty:
        assert admin.get(PLACES).text.count("<li>") >= 20
    assert twenty.count == two.count


def test_a_sealed_key_opens_with_its_file_and_its_address_only(settings, tmp_path):
    sealed = seal(settings, KEY, "https://a/v1")
    assert KEY not in sealed
    assert seal(settings, KEY, "https://a/v1") != sealed
    assert unseal(settings, sealed, "https://a/v1") == KEY
    file = settings.data_dir / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in settings.data_dir.iterdir() if path.name.startswith(".sealing")] == []
    with pytest.raises(CannotOpen):
        unseal(settings, sealed, "https://b/v1")
    for broken in ("", "x1:", "x1:AAAA", sealed[:-8] + "AAAAAAA=", "x1:ä"):
        with pytest.raises(CannotOpen):
            unseal(settings, broken, "https://a/v1")
    with pytest.raises(CannotOpen):
        unseal(settings.model_copy(update={"data_dir": tmp_path / "other"}), sealed, "https://a/v1")


def test_a80_processes_that_begin_at_once_agree_on_one_sealing_key(settings):
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda number: seal(settings, f"key-{number}", "https://a/v1"), range(16)))
    assert [unseal(settings, one, "https://a/v1") for one in sealed] == [f"key-{number}" for number in range(16)]


def test_the_command_line_does_the_same(handpicked, model, database, settings):
    words = ("--url", model.url, "--model", "qwen", "--inside", "--key-stdin", "--json")
    added = json.loads(handpicked("endpoint", "add", "local", *words, stdin=KEY + "\n"))
    assert added["state"] == "untested"
    assert added["with_key"] is True
    tested = json.loads(handpicked("endpoint", "test", "local", "--json"))
    assert tested["state"] == "answers"
    assert model.headers[0]["authorization"] == f"Bearer {KEY}"
    assert "answered in 0." in handpicked("endpoint", "list")
    model.answer = refusing(404)
    handpicked("endpoint", "test", "local", code=1)
    assert "knows no model" in handpicked("endpoint", "list")
    changed = json.loads(handpicked("endpoint", "edit", "local", "--model", "llama", "--timeout", "5", "--json"))
    assert (changed["model"], changed["timeout_seconds"], changed["with_key"]) == ("llama", 5, True)
    handpicked("endpoint", "edit", "local", code=2)
    assert "without a key" in handpicked("endpoint", "key", "local", stdin="\n")
    assert json.loads(handpicked("endpoint", "remove", "local", "--json")) == {"name": "local", "removed": True}
    assert json.loads(handpicked("endpoint", "list", "--json")) == {"endpoints": []}
    handpicked("endpoint", "add", "x", "--url", "u" * 700, "--model", "m", code=2)
    with database.reading() as session:
        said = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert said == ["add model server", "change model server", "set key of model server", "remove model server"]


def test_the_api_does_the_same(api, people, model, work):
    client = api(people.admin)
    body = form(model, inside=True)
    made = client.post("/api/v1/endpoints", json=body)
    assert made.status_code == 201
    assert KEY not in made.text
    number = made.json()["id"]
    assert client.post(f"/api/v1/endpoints/{number}/test").json()["state"] == "testing"
    assert work()
    assert api(people.annotator).get("/api/v1/endpoints").json()[0]["state"] == "answers"
    assert client.put(f"/api/v1/endpoints/{number}/key", json={"api_key": ""}).json()["with_key"] is False
    assert client.delete(f"/api/v1/endpoints/{number}").status_code == 204
    assert client.get("/api/v1/endpoints").json() == []
    refused = client.post("/api/v1/endpoints", json=body | {"timeout_seconds": 9999, "api_key": KEY})
    assert refused.status_code == 422
    assert KEY not in refused.text
