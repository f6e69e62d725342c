"""What no run may be started with: rows A70 and A71."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.db import Database
from app.jobs.models import Job
from app.runs.models import TrainingRun
from tests.runs.conftest import Ground, choices

Browser = Callable[..., TestClient]


BAD = [
    ("seed", "; rm -rf /"), ("seed", "$(id)"), ("eot_token", "<E\nOT>"), ("keep_epochs", "--output_dir=../../"),
    ("seed", "-h"), ("eot_token", "@fi le"), ("peak_lr", "nan"), ("peak_lr", "inf"), ("epochs", "1000000000"),
    ("device", "cuda; id"), ("batch_size", "0"), ("residual_dropout", "1"), ("gradient_checkpointing", "maybe"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a70_a_bad_setting_is_refused_by_its_name(
    key: str, value: str, browser: Browser, api: Browser, database: Database, ground: Ground, at: str
) -> None:
    answer = browser(ground.people.lead).post(at, data=choices(**{f"set.{key}": value}))
    assert answer.status_code == 422
    assert f"{key} must be" in answer.text
    assert f'id="set-{key.replace("_", "-")}-error"' in answer.text, "beside its field"
    body = {"version": "v1", "model": "tiny", "recipe": "smoke", "settings": {key: value}}
    said = api(ground.people.lead).post(f"/api/v1{at}", json=body)
    assert said.status_code == 422
    assert key in said.json()["error"]["message"]
    with database.reading() as session:
        assert session.scalar(select(func.count(TrainingRun.id))) == 0
        assert session.scalar(select(func.count(Job.id)).where(Job.kind != "prepare_model")) == 0


@pytest.mark.parametrize("key", ["resume_from", "output_dir", "base_model", "recipe", "token", "__class__"])
def test_a70_an_unknown_setting_is_refused(
    key: str, browser: Browser, api: Browser, database: Database, ground: Ground, at: str
) -> None:
    answer = browser(ground.people.lead).post(at, data=choices(**{f"set.{key}": "/etc"}))
    assert answer.status_code == 422
    assert key in answer.text.lower()
    body = {"version": "v1", "model": "tiny", "recipe": "smoke", "settings": {key: "/etc"}}
    assert api(ground.people.lead).post(f"/api/v1{at}", json=body).status_code == 422
    with database.reading() as session:
        assert session.scalar(select(func.count(TrainingRun.id))) == 0


@pytest.mark.parametrize(
    "model", ["../tiny", "/etc", "https://example.org/model", "someone/model", "tiny2", "tiny\0", "", "t" * 300]
)
def test_a71_only_a_registered_name_is_a_model(
    model: str, browser: Browser, api: Browser, database: Database, ground: Ground, at: str
) -> None:
    assert browser(ground.people.lead).post(at, data=choices(model=model)).status_code in {404, 422}
    body = {"version": "v1", "model": model, "recipe": "smoke"}
    assert api(ground.people.lead).post(f"/api/v1{at}", json=body).status_code in {404, 422}
    with database.reading() as session:
        assert session.scalar(select(func.count(TrainingRun.id))) == 0
