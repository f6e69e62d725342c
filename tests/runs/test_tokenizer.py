"""The tokenizer by which a project counts: chosen by its lead, kept here, and exact as training counts."""

import base64
import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.config import Settings
from app.db import Database, now
from app.main import create_app
from app.projects import operations as projects
from app.projects import tokenizers
from app.projects.models import Project, TokenizerFile
from app.runs.models import BaseModel, ModelKind
from tests import factories
from tests.factories import People
from training.data import encode_row
from training.vocabulary import load_vocabulary

Browser = Callable[..., TestClient]
TEXTS = ("How is dough kept, and why <|end|>?", "Cold 🥖, and covered.\n\n" + "It doubles within six hours. " * 40)


@pytest.fixture
def offered(tiny: Path, settings: Settings) -> Path:
    """A copy of the tiny model in the folder that the operator offers."""
    folder = settings.data_dir / "offered"
    folder.mkdir(parents=True)
    return Path(shutil.copytree(tiny, folder / "mine"))


@pytest.fixture
def app(settings: Settings, database: Database, offered: Path) -> Any:
    return create_app(settings.model_copy(update={"model_folders": (offered.parent,)}), database)


@pytest.fixture
def model(database: Database, tiny: Path) -> BaseModel:
    with database.writing() as session:
        made = BaseModel(name="tiny", kind=ModelKind.FOLDER, path=str(tiny), ready_at=now())
        session.add_all([made, BaseModel(name="unready", kind=ModelKind.FOLDER, path=str(tiny))])
    return made


def rows(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


def test_counts_and_the_cut_are_those_of_training(database: Database, people: People, tiny: Path) -> None:
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        tokenizers.set_tokenizer(session, people.lead, project, "tiny", tokenizers.tokenizer_at(tiny))
    tokenizers._read.clear()  # as another process would find it
    with database.reading() as session:
        tokens = tokenizers.tokens_of(session, session.get_one(Project, people.project.id))
    vocabulary = load_vocabulary(tiny, "<EOT>")
    whole = encode_row({"id": "1", "messages": rows(*TEXTS)}, vocabulary, "response", 100_000)
    assert tokens.counts_exactly(TEXTS)
    assert tokens.total(TEXTS) == len(whole.ids)
    for limit in (len(whole.ids), len(whole.ids) - 1, 200, 40, 7):
        cut = encode_row({"id": "1", "messages": rows(*TEXTS)}, vocabulary, "response", limit)
        place = tokens.place(TEXTS, limit)
        assert (place is not None) == cut.cut
        if place is not None:
            read = "".join(TEXTS[: place.text]) + TEXTS[place.text][: place.start]
            assert vocabulary.decode(cut.ids).startswith(read)


def test_a_lead_chooses_a_models_tokenizer_and_the_desk_is_exact(
    browser: Browser, database: Database, people: People, model: BaseModel
) -> None:
    url = f"/projects/{people.project.slug}"
    client = browser(people.lead)
    assert "Tokens are estimated" in client.get(f"{url}/tokenizer").text
    assert "about <b>0</b> of 2,048 tokens" in client.get(f"{url}/examples/new").text
    assert client.post(f"{url}/tokenizer", data={"model": "tiny"}).status_code == 303
    page = client.get(f"{url}/tokenizer").text
    assert "of tiny" in page
    assert "unready" not in page
    desk = {"source": "wikihow", "turn_1": "Why?", "turn_2": "word " * 5000}
    shown = client.post(f"{url}/examples/preview", data=desk).text
    assert "about" not in shown.split('id="counts"')[1].split("</span>")[0]
    remarks = client.post(f"{url}/remarks", data=desk, headers={"hx-request": "true", "hx-target": "div#remarks"}).text
    assert 'data-cut data-turn="turn-2"' in remarks
    assert "about" not in remarks.split("Training stops reading here")[1].split("</div>")[0].lower()
    assert client.post(f"{url}/tokenizer", data={"model": ""}).status_code == 303
    assert "about <b>0</b>" in client.get(f"{url}/examples/new").text
    with database.reading() as session:
        assert (
            session.scalars(select(AuditEntry.action).where(AuditEntry.action == "set tokenizer")).all()
            == ["set tokenizer"] * 2
        )


def test_what_does_not_fit_is_said_and_changes_nothing(
    browser: Browser, database: Database, people: People, model: BaseModel, offered: Path
) -> None:
    url = f"/projects/{people.project.slug}/tokenizer"
    assert browser(people.annotator).get(url).status_code == 200
    assert browser(people.stranger).get(url).status_code == 404
    assert browser(people.annotator).post(url, data={"model": "tiny"}).status_code == 403
    unknown = browser(people.lead).post(url, data={"model": "unready"})
    assert unknown.status_code == 422
    assert "no base model unready that is ready" in unknown.text
    # A folder of the server is for admins of the installation, and for those that the operator offers.
    assert "Only an admin" in browser(people.lead).post(url, data={"folder": str(offered)}).text
    for folder in ("/etc", str(offered.parent), f"{offered}/../..", "\x00"):
        assert browser(people.admin).post(url, data={"folder": folder}).status_code == 422
    (offered / "tokenizer.json").write_text('{"model": {"type": "Pickle"}}')
    broken = browser(people.admin).post(url, data={"folder": str(offered)})
    assert "That is no tokenizer.json" in broken.text
    with database.reading() as session:
        assert session.get_one(Project, people.project.id).tokenizer_sha256 is None
        assert session.scalar(select(func.count()).select_from(TokenizerFile)) == 0
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.get_one(Project, people.project.id))
    assert browser(people.lead).post(url, data={"model": "tiny"}).status_code == 410


def test_it_stays_when_the_model_goes_and_two_projects_keep_one_file(
    api: Browser, database: Database, people: People, model: BaseModel, offered: Path
) -> None:
    with database.writing() as session:
        other = factories.project(session, people.lead)
    slugs = (people.project.slug, other.slug)
    answers = [api(people.lead).put(f"/api/v1/projects/{slug}/tokenizer", json={"model": "tiny"}) for slug in slugs]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert api(people.annotator).get(f"/api/v1/projects/{slugs[0]}/tokenizer").json()["exact"] is True
    with database.writing() as session:
        assert session.scalar(select(func.count()).select_from(TokenizerFile)) == 1
        session.delete(session.get_one(BaseModel, model.id))
    page = browser_page(api, people)
    assert page["name"] == "of tiny"
    named = api(people.admin).put(f"/api/v1/projects/{slugs[0]}/tokenizer", json={"folder": str(offered)})
    assert named.json()["name"] == "in mine"
    assert api(people.annotator).put(f"/api/v1/projects/{slugs[0]}/tokenizer", json={}).status_code == 403


def browser_page(api: Browser, people: People) -> dict[str, Any]:
    return dict(api(people.reviewer).get(f"/api/v1/projects/{people.project.slug}/tokenizer").json())


def sent(client: TestClient, url: str, data: bytes, name: str = "mine.json", method: str = "POST") -> Any:
    return client.request(method, url, files={"file": (name, data, "application/json")} if name else {"no": b""})


def test_a_lead_uploads_a_tokenizer_and_removes_it(
    browser: Browser, api: Browser, database: Database, people: People, tiny: Path
) -> None:
    url = f"/projects/{people.project.slug}/tokenizer"
    data = (tiny / "tokenizer.json").read_bytes()
    assert sent(browser(people.annotator), f"{url}/file", data).status_code == 403
    assert sent(browser(people.lead), f"{url}/file", data).status_code == 303
    page = browser(people.annotator).get(url).text
    assert "Counted by the tokenizer <bdi>mine.json</bdi>" in page
    assert f"<dt>Set by</dt><dd>{people.lead.name}," in page
    assert "about <b>0</b>" not in browser(people.lead).get(f"/projects/{people.project.slug}/examples/new").text
    with database.reading() as session:
        said = session.scalars(select(AuditEntry).where(AuditEntry.action == "set tokenizer")).one()
        assert (said.actor_id, said.detail["name"]) == (people.lead.id, "mine.json")
        assert said.detail["sha256"] == session.scalars(select(TokenizerFile.sha256)).one()
    assert browser(people.lead).post(url, data={"model": ""}).status_code == 303
    assert "Tokens are estimated" in browser(people.lead).get(url).text
    again = sent(api(people.lead), f"/api/v1{url}/file", data, method="PUT")
    assert (again.json()["exact"], again.json()["sha256"]) == (True, said.detail["sha256"])


def charsmap(junk: bytes) -> bytes:
    """A tokenizer over which the library panics."""
    normalizer = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(junk).decode()}
    return json.dumps({**json.loads(BARE), "normalizer": normalizer}).encode()


def swelling(times: int) -> bytes:
    """A tokenizer that doubles a text so many times."""
    step = {"type": "Replace", "pattern": {"String": "A"}, "content": "AA"}
    return json.dumps({**json.loads(BARE), "normalizer": {"type": "Sequence", "normalizers": [step] * times}}).encode()


BARE = '{"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"A": 0, "e": 1}, "merges": []}}'
FAULTS = {
    "no file": (b"", "no file was chosen"),
    "empty": (b"", "it is not JSON"),
    "a picture": (b"\x89PNG\r\n", "it is not JSON"),
    "deep": (b"[" * 200_000, "it is not JSON"),
    "other JSON": (b'{"vocab": {}}', "has no model of a tokenizer"),
    "another model": (b'{"model": {"type": "Pickle"}}', "did not match"),
    "a panic at once": (charsmap(b"!"), "charsmap"),
    "a panic later": (charsmap(b"\x08\x00\x00\x00garbage!xxxxxxx"), "out of bounds"),
    "a text as long as memory": (swelling(40), "makes texts too long"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_count_is_refused_with_the_reason(
    browser: Browser, api: Browser, database: Database, people: People, fault: str
) -> None:
    data, reason = FAULTS[fault]
    url = f"/projects/{people.project.slug}/tokenizer/file"
    name = "" if fault == "no file" else "mine.json"
    refused = sent(browser(people.lead), url, data, name)
    assert refused.status_code == 422
    assert reason in html.unescape(refused.text)
    assert "Nothing was changed" in refused.text
    assert reason in sent(api(people.lead), f"/api/v1{url}", data, name, method="PUT").json()["error"]["message"]
    with database.reading() as session:
        assert session.get_one(Project, people.project.id).tokenizer_sha256 is None
        assert session.scalar(select(func.count()).select_from(TokenizerFile)) == 0


def test_one_that_is_too_large_is_not_read(browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizers, "MOST_BYTES", 100)
    refused = sent(browser(people.lead), f"/projects/{people.project.slug}/tokenizer/file", BARE.encode() + b" " * 9)
    assert refused.status_code == 422
    assert "more than" in refused.text


def test_a_little_swelling_is_what_real_ones_do(people: People) -> None:
    assert tokenizers.checked(swelling(3)).sha256
