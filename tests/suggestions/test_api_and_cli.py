"""Help from a model by API and command line, by the rules of the pages."""

import json

import pytest
from typer.testing import CliRunner

from app import cli
from app.errors import Denied, Refusal
from app.examples.models import Revision
from app.suggestions.instructions import CRITIQUE
from tests.endpoints.modelserver import refusing
from tests.suggestions.conftest import RESPONSE


@pytest.fixture
def handpicked(closing, monkeypatch, database_url, settings):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    runner, commands = CliRunner(), cli.build()

    def run(*words, code=0):
        result = runner.invoke(commands, words)
        if isinstance(result.exception, Refusal):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_the_api_switches_it_on_asks_and_shows_all_of_it(api, helped, work):
    people, base = helped.people, f"/api/v1/projects/{helped.slug}"
    lead, writer = api(people.lead), api(people.annotator)
    assert lead.put(f"{base}/model-help", json={}).json()["by"] is None
    assert writer.post(f"{base}/examples/{helped.example.id}/suggestions", json={"kind": "critique"}).status_code == 409
    assert writer.put(f"{base}/model-help", json={"endpoint": "local"}).status_code == 403
    assert lead.put(f"{base}/model-help", json={"endpoint": "nowhere"}).status_code == 404
    assert lead.put(f"{base}/model-help", json={"run": 7}).status_code == 404
    assert lead.put(f"{base}/model-help", json={"run": 7, "endpoint": "local"}).status_code == 422
    on = lead.put(f"{base}/model-help", json={"endpoint": "local", "outline": "Three points."}).json()
    assert on == writer.get(f"{base}/model-help").json()
    assert (on["endpoint"], on["run"], on["outline"], on["critique"]) == ("local", None, "Three points.", CRITIQUE)
    assert on["host"] == helped.model.url.split("/")[2]
    asked = writer.post(f"{base}/examples/{helped.example.id}/suggestions", json={"kind": "outline"})
    assert asked.status_code == 202
    assert asked.json()["state"] == "waiting"
    assert work()
    one = f"{base}/suggestions/{asked.json()['id']}"
    answered = writer.get(one).json()
    assert answered["state"] == "answered"
    assert answered["words"] == helped.model.words
    assert answered["sent"][0]["content"].startswith("Three points.")
    assert RESPONSE in answered["sent"][1]["content"]
    assert writer.post(f"{one}/cancellation").json()["state"] == "answered", "what is there stays"
    assert writer.post(f"{one}/copy").json()["copied"] is True
    assert writer.get(f"{base}/examples/{helped.example.id}/suggestions").json() == [answered | {"copied": True}]
    typed = [{"role": "user", "content": "Typed?"}]
    more = writer.post(f"{base}/examples/{helped.example.id}/suggestions", json={"kind": "outline", "messages": typed})
    assert "Typed?" in more.json()["sent"][1]["content"]
    assert writer.post(f"{base}/examples/{helped.example.id}/suggestions", json={"kind": "poem"}).status_code == 422
    assert api(people.stranger).get(one).status_code == 404


def test_the_command_line_asks_and_prints_and_writes_nothing(handpicked, helped, database, tmp_path):
    assert handpicked("model-help", "set", helped.slug, "--off") == "Off: nobody is asked, and nothing is sent.\n"
    with pytest.raises(Refusal, match="Nothing was sent"):
        handpicked("example", "suggest", "critique", helped.slug, str(helped.example.id))
    with pytest.raises(Denied):
        handpicked("model-help", "set", helped.slug, "--off", "--as", helped.people.annotator.email)
    handpicked("model-help", "set", helped.slug, code=2)
    told = tmp_path / "told.txt"
    told.write_text("Two points.")
    words = handpicked("model-help", "set", helped.slug, "--endpoint", "local", "--critique", str(told))
    assert words.startswith("On: model server local, qwen; texts go to 127.0.0.1:")
    assert "Two points." in handpicked("model-help", "show", helped.slug)
    asked = ("example", "suggest", "critique", helped.slug, str(helped.example.id))
    document = json.loads(handpicked(*asked, "--json", "--as", helped.people.annotator.email))
    assert document["words"] == helped.model.words
    assert document["asked_by"] == helped.people.annotator.email
    assert document["sent"][0]["content"].startswith("Two points.")
    assert helped.model.words in handpicked(*asked)
    helped.model.answer = refusing(500)
    handpicked(*asked, code=1)
    with database.reading() as session:
        assert session.query(Revision).where(Revision.example_id == helped.example.id).count() == 1
