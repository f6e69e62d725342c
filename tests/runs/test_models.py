"""Base models: registered by an admin, looked into without running anything of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.config import Settings
from app.db import Database
from app.jobs.models import Job, Lane
from app.main import create_app
from app.runs.modelfolder import UnusableModel, inspect_model
from app.runs.models import BaseModel
from tests import factories
from tests.runs.conftest import Ground

Browser = Callable[..., TestClient]
Work = Callable[..., bool]


@pytest.fixture
def folder(tiny: Path, settings: Settings) -> Path:
    """A copy of the tiny model in the folder that the operator offers."""
    offered = settings.data_dir / "offered"
    offered.mkdir(parents=True)
    return Path(shutil.copytree(tiny, offered / "mine"))


@pytest.fixture
def app(settings: Settings, database: Database, folder: Path):
    return create_app(settings.model_copy(update={"model_folders": (folder.parent,)}), database)


def test_facts_are_read_from_config_and_headers(tiny: Path) -> None:
    facts = inspect_model(tiny)
    assert (facts.architecture, facts.layers) == ("LlamaForCausalLM", 4)
    assert 0.9 < facts.parameters * 4 / (tiny / "model.safetensors").stat().st_size < 1
    assert len(facts.sha256) == 64
    assert inspect_model(tiny) == facts


def replaced(folder: Path, name: str, **values: object) -> None:
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**config, **values}))


def test_a71_code_of_its_own_is_refused(folder: Path) -> None:
    replaced(folder, "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    with pytest.raises(UnusableModel, match=r"code of its own \(auto_map in config.json\)"):
        inspect_model(folder)
    assert not (folder / "ran").exists()


def test_a71_a_tokenizer_with_code_is_refused(folder: Path) -> None:
    replaced(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Tokenizer", None]})
    with pytest.raises(UnusableModel, match=r"auto_map in tokenizer_config.json"):
        inspect_model(folder)


def test_a71_pickles_alone_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnusableModel, match=r"no \.safetensors files"):
        inspect_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a71_a_link_out_of_the_folder_is_refused(name: str, folder: Path, tiny: Path) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(tiny / name)
    with pytest.raises(UnusableModel, match=f"{name} is a link that leads out"):
        inspect_model(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x02", b"\xff" * 40, (2).to_bytes(8, "little") + b"[]", (9).to_bytes(8, "little") + b'{"a": {}}']
)
def test_what_is_no_safetensors_file_is_refused(content: bytes, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(UnusableModel, match="not a safetensors file"):
        inspect_model(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00", "[" * 100_000])
def test_a_config_that_is_none_is_refused(content: str, folder: Path) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(UnusableModel, match="is no model folder"):
        inspect_model(folder)


def test_an_admin_registers_a_folder_and_a_job_looks_into_it(
    browser: Browser, database: Database, people: factories.People, folder: Path, work: Work
) -> None:
    admin = browser(people.admin)
    assert admin.post("/models", data={"name": "mine", "kind": "folder", "path": str(folder)}).status_code == 303
    assert "Being prepared" in admin.get("/models").text
    assert admin.post("/models", data={"name": "mine", "kind": "folder", "path": str(folder)}).status_code == 422
    assert work(Lane.QUICK)
    page = admin.get("/models", headers={"hx-target": "div#model-rows"}).text
    assert "Ready" in page
    assert "LlamaForCausalLM" in page
    assert "hx-get" not in page
    with database.reading() as session:
        model = session.scalars(select(BaseModel)).one()
        assert (model.path, model.ready_at is not None) == (str(folder), True)
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "add base model")).one()


def test_a_model_that_cannot_be_used_says_why_and_can_be_put_right(
    browser: Browser, people: factories.People, folder: Path, work: Work
) -> None:
    admin = browser(people.admin)
    data = {"name": "mine", "kind": "folder", "path": str(folder)}
    (folder / "tokenizer.json").rename(folder / "away.json")
    admin.post("/models", data=data)
    work(Lane.QUICK)
    assert "mine has no tokenizer.json." in admin.get("/models").text
    (folder / "away.json").rename(folder / "tokenizer.json")
    assert admin.post("/models", data=data).status_code == 303
    work(Lane.QUICK)
    assert "Ready" in admin.get("/models").text


@pytest.mark.parametrize(
    "path", ["{offered}/../outside", "/etc", "{offered}", "{offered}/link", "", "https://example.org"]
)
def test_a71_only_folders_that_are_offered(
    path: str, browser: Browser, api: Browser, database: Database, people: factories.People, folder: Path, tiny: Path
) -> None:
    offered = folder.parent
    shutil.copytree(tiny, offered.parent / "outside")
    (offered / "link").symlink_to(offered.parent / "outside")
    body = {"name": "x", "kind": "folder", "path": path.format(offered=offered)}
    assert browser(people.admin).post("/models", data=body).status_code == 422
    assert api(people.admin).post("/api/v1/models", json=body).status_code == 422
    with database.reading() as session:
        assert not session.scalars(select(BaseModel)).all()
        assert not session.scalars(select(Job)).all()


def test_only_admins_see_and_change_models(browser: Browser, people: factories.People, ground: Ground) -> None:
    for person in (people.annotator, people.reviewer, people.lead):
        assert browser(person).get("/models").status_code == 403
        assert browser(person).post("/models", data={"name": "x", "kind": "tiny"}).status_code == 403
        assert browser(person).post(f"/models/{ground.model.id}/retirement").status_code == 403


def test_a_retired_model_frees_its_name(
    browser: Browser, database: Database, people: factories.People, ground: Ground
) -> None:
    admin = browser(people.admin)
    assert admin.post(f"/models/{ground.model.id}/retirement").status_code == 303
    assert admin.post(f"/models/{ground.model.id}/retirement").status_code == 404
    assert admin.post("/models", data={"name": "tiny", "kind": "tiny"}).status_code == 303
    with database.reading() as session:
        assert [model.retired_at is None for model in session.scalars(select(BaseModel).order_by(BaseModel.id))] == [
            False, True,
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "-x", "x\n"])
def test_names_are_plain(name: str, browser: Browser, people: factories.People) -> None:
    answer = browser(people.admin).post("/models", data={"name": name, "kind": "tiny"})
    assert answer.status_code == 422
