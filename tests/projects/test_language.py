"""A project states the language of what states none: on its page, over the API, on the command line, afterwards too."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.db import Database
from app.examples.models import Example
from app.projects.models import Project
from app.sources.models import Candidate
from tests import factories
from tests.commands import Shell

Browser = Callable[..., TestClient]


def stated(database: Database, people: factories.People) -> str | None:
    with database.reading() as session:
        return session.get_one(Project, people.project.id).language


def test_a_lead_states_it_and_everybody_reads_it(
    browser: Browser, database: Database, people: factories.People
) -> None:
    here = f"/projects/{people.project.slug}"
    assert "Nobody has said what language" in browser(people.annotator).get(f"{here}/settings").text
    assert browser(people.annotator).post(f"{here}/language", data={"language": "de"}).status_code == 403
    assert browser(people.stranger).post(f"{here}/language", data={"language": "de"}).status_code == 404
    assert browser(people.lead).post(f"{here}/language", data={"language": "German"}).status_code == 303
    assert stated(database, people) == "de"
    page = browser(people.annotator).get(f"{here}/settings").text
    assert "Texts that state no language are in <strong>German</strong>" in page
    assert re.search(
        r'<input[^>]*name="language"[^>]*value="de"', browser(people.annotator).get(f"{here}/examples/new").text
    )
    wrong = browser(people.lead).post(f"{here}/language", data={"language": "Klingonish"})
    assert (wrong.status_code, 'value="Klingonish"' in wrong.text) == (422, True)
    assert stated(database, people) == "de"
    browser(people.lead).post(f"{here}/language", data={"language": ""})
    assert stated(database, people) is None
    with database.reading() as session:
        said = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "set language")).all()
    assert [detail["language"] for detail in said] == ["de", None]


def test_the_api_states_it_and_a_new_example_has_it(api: Callable[..., TestClient], people: factories.People) -> None:
    client, here = api(people.lead), f"/api/v1/projects/{people.project.slug}"
    assert client.put(f"{here}/language", json={"language": "pt-BR"}).json()["language"] == "pt-BR"
    assert client.get(here).json()["language"] == "pt-BR"
    assert client.put(f"{here}/language", json={"language": "xx-nowhere-at-all"}).status_code == 422
    words = [{"role": "user", "content": "Oi?"}, {"role": "assistant", "content": "Oi."}]
    made = client.post(f"{here}/examples", json={"source": "authors", "messages": words})
    assert made.json()["language"] == "pt-BR"
    own = client.post(f"{here}/examples", json={"source": "authors", "messages": words, "language": "en"})
    assert own.json()["language"] == "en"


@pytest.mark.parametrize("into", ["set", "pool"])
def test_what_is_imported_later_and_states_none_has_it(
    handpicked: Shell, database: Database, people: factories.People, tmp_path: Path, into: str
) -> None:
    slug = people.project.slug
    done = handpicked("project", "language", slug, "German", "--json")
    assert json.loads(done.stdout) == {"slug": slug, "language": "de"}
    file = tmp_path / "fragen.jsonl"
    rows = ({"prompt": "Was ist das?", "response": "Ein Hobel."},
            {"prompt": "What is that?", "response": "A plane.", "language": "en"})  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    brought = handpicked("import", slug, file, "--into", into, "--rules", "none")
    assert brought.returncode == 0, brought.stderr
    kind = Example if into == "set" else Candidate
    with database.reading() as session:
        assert sorted(session.scalars(select(kind.language))) == ["de", "en"]
    assert handpicked("project", "language", slug, "Klingonish").returncode == 2
    assert json.loads(handpicked("project", "language", slug, "none", "--json").stdout)["language"] is None
