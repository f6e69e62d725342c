"""The same over JSON and from a shell: a model, a run, an answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import build
from app.config import Settings
from app.db import Database
from app.errors import Refusal
from app.jobs.models import Lane
from app.runs.folders import run_folder
from tests.runs.conftest import SMALL, Ground
from training.spec import read_progress

Browser = Callable[..., TestClient]
Handpicked = Callable[..., Any]


@pytest.fixture
def handpicked(closing: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Handpicked:
    """`handpicked(…)` gives the command's document; with `code`, its words."""
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("HANDPICKED_THREADS", "1")
    monkeypatch.setenv("HANDPICKED_NICENESS", "0")
    command = build()

    def run(*arguments: object, code: int = 0) -> Any:
        done = CliRunner().invoke(command, list(map(str, arguments)))
        if isinstance(done.exception, Refusal):
            assert code == 1, done.exception.message
            return done.exception.message
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in arguments and code == 0 else done.output

    return run


@pytest.mark.any_database
def test_from_a_shell(handpicked: Handpicked, settings: Settings, ground: Ground, tmp_path: Path) -> None:
    version = f"{ground.people.project.slug}@v1"
    made = handpicked("model", "add", "little", "--tiny", "--json")
    assert (made["name"], made["state"], made["layers"]) == ("little", "ready", 4)
    changes = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    train = ("train", version, "--model", "little", "--recipe", "smoke", *changes, "--set", "epochs=2")
    done = handpicked(*train, "--wait", "--json")
    assert {"tokens_per_second", "checkpoints"} <= set(done)
    assert (done["state"], done["steps"], done["rows_cut"], done["rows_without_eot"]) == ("succeeded", 6, 0, 0)
    assert done["last_loss"] < done["first_loss"]
    assert [one["epoch"] for one in done["checkpoints"]] == [1, 2]
    assert all((Path(one["path"]) / "model.safetensors").is_file() for one in done["checkpoints"])
    steps = read_progress(run_folder(settings, done["run"]).path).steps
    assert (done["first_loss"], done["last_loss"]) == (steps[0]["loss"], steps[-1]["loss"])
    assert handpicked("run", "show", done["run"], "--json") == done
    assert handpicked("run", "list", ground.people.project.slug, "--json")["runs"][0]["loss"] == done["last_loss"]

    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text('{"prompt": "What is \u2028 it?"}\n\n{"messages": [{"role": "user", "content": "And this?"}]}\n')
    short = ("--max-new-tokens", "8", "--json")
    said = handpicked("answer", f"{done['run']}:1", "--prompts", prompts, *short)
    assert said["checkpoint"] == "epoch-01"
    assert [one["prompt"] for one in said["answers"]] == ["What is \u2028 it?", "And this?"]
    assert all(one["response"] is not None and one["tokens"] <= 8 for one in said["answers"])
    assert len(handpicked("answer", done["run"], "--prompts", "test", *short)["answers"]) == 1


def test_what_a_shell_gets_refused(handpicked: Handpicked, ground: Ground, tmp_path: Path) -> None:
    version = f"{ground.people.project.slug}@v1"
    assert "no setting 'resume_from'" in handpicked(
        "train", version, "--model", "tiny", "--set", "resume_from=/etc", code=1
    )
    assert "epochs must be" in handpicked("train", version, "--model", "tiny", "--set", "epochs=1e9", code=1)
    assert "No base model called ../tiny" in handpicked("train", version, "--model", "../tiny", code=1)
    assert "There is no version" in handpicked("train", f"{ground.people.project.slug}@v9", "--model", "tiny", code=1)
    handpicked("train", version, "--model", "tiny", "--set", "epochs", code=2)
    handpicked("model", "add", "../x", "--tiny", code=2)
    handpicked("model", "add", "x", code=2)
    said = handpicked("model", "add", "x", "HuggingFaceTB/SmolLM2-135M", code=1)
    assert said.startswith("There is no folder HuggingFaceTB/SmolLM2-135M; nothing was registered.")
    assert "x" not in [model["name"] for model in handpicked("model", "list", "--json")["models"]]
    for run in ("7", "x", "²", "1:", "9" * 30):
        assert "There is no run" in handpicked("run", "show", run, code=1)
    lead = ground.people.lead.email
    assert "Only an admin" in handpicked("model", "add", "x", "--tiny", "--as", lead, code=1)
    assert handpicked("train", version, "--model", "tiny", "--as", ground.people.annotator.email, code=1)
    assert handpicked("train", version, "--model", "tiny", "--as", ground.people.stranger.email, code=1)


def test_a_queued_run_stops_from_a_shell(handpicked: Handpicked, ground: Ground) -> None:
    version = f"{ground.people.project.slug}@v1"
    run = handpicked("train", version, "--model", "tiny", "--recipe", "smoke", "--json")
    assert run["state"] == "queued"
    handpicked("run", "stop", run["run"])
    assert handpicked("run", "show", run["run"], "--json")["state"] == "stopped"
    assert "nothing to stop" in handpicked("run", "stop", run["run"], code=1)
    assert handpicked("run", "resume", run["run"], "--json")["state"] == "queued"


def test_over_json(
    api: Browser, settings: Settings, database: Database, ground: Ground, work: Callable[..., bool]
) -> None:
    lead, annotator = api(ground.people.lead), api(ground.people.annotator)
    at = f"/api/v1/projects/{ground.people.project.slug}/runs"
    body = {"version": "v1", "model": "tiny", "recipe": "smoke", "settings": {**SMALL, "epochs": "2"}}
    assert annotator.post(at, json=body).status_code == 403
    started = lead.post(at, json=body)
    assert started.status_code == 201
    number = started.json()["run"]
    assert started.json()["state"] == "queued"
    assert annotator.get(f"{at}/{number}/steps").json() == {"steps": []}
    assert work()
    run = annotator.get(f"{at}/{number}").json()
    assert (run["state"], run["steps"], [one["epoch"] for one in run["checkpoints"]]) == ("succeeded", 6, [1, 2])
    assert run["checkpoints"][0]["path"] == "checkpoints/epoch-01"
    assert annotator.get(at).json()["runs"][0]["last_loss"] == run["last_loss"]
    written = read_progress(run_folder(settings, number).path).steps
    assert annotator.get(f"{at}/{number}/steps").json()["steps"] == written
    assert annotator.get(f"{at}/{number}/steps?after=5").json()["steps"] == written[5:]
    assert "Saved checkpoint epoch-02." in annotator.get(f"{at}/{number}/log").json()["tail"]
    question = {"prompts": ["Why?", "How?"], "epoch": 2, "decoding": {"max_new_tokens": 6, "temperature": 0}}
    asked = annotator.post(f"{at}/{number}/answers", json=question)
    assert asked.status_code == 202
    assert [one["response"] for one in asked.json()["answers"]] == [None, None]
    assert work(Lane.QUICK)
    answers = annotator.get(f"{at}/{number}/answers").json()
    assert answers["total"] == 2
    assert [one["prompt"] for one in answers["answers"]] == ["How?", "Why?"]
    assert all(one["response"] is not None and one["stopped_by"] in {"eot", "length"} for one in answers["answers"])
    assert annotator.post(f"{at}/{number}/answers", json={"prompts": ["x"], "epoch": 9}).status_code == 404
    assert annotator.post(f"{at}/{number}/answers", json={"prompts": ["x"], "decoding": {"x": 1}}).status_code == 422
    assert annotator.post(f"{at}/{number}/cancellation").status_code == 403
    assert lead.post(f"{at}/{number}/cancellation").status_code == 409
    assert lead.post(f"{at}/{number}/resumption").status_code == 409
    assert api(ground.people.stranger).get(f"{at}/{number}").status_code == 404


def test_models_over_json(api: Browser, ground: Ground) -> None:
    admin, lead = api(ground.people.admin), api(ground.people.lead)
    assert [one["name"] for one in lead.get("/api/v1/models").json()] == ["tiny"]
    assert "path" not in lead.get("/api/v1/models").json()[0]
    assert lead.post("/api/v1/models", json={"name": "x", "kind": "tiny"}).status_code == 403
    made = admin.post("/api/v1/models", json={"name": "x", "kind": "tiny"})
    assert (made.status_code, made.json()["state"]) == (202, "preparing")
    assert admin.post("/api/v1/models", json={"name": "x", "kind": "tiny"}).status_code == 409
    assert admin.post(f"/api/v1/models/{ground.model.id}/retirement").status_code == 204
    assert [one["name"] for one in lead.get("/api/v1/models").json()] == ["x"]
