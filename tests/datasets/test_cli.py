"""`handpicked freeze`, `export`, `verify`, as a pipeline runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.config import ROOT
from app.db import Database
from tests import factories
from tests.datasets.material import approve, dialogue


def handpicked(database_url: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HANDPICKED_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def document(done: "subprocess.CompletedProcess[str]", code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_freeze_export_verify(database_url: str, kitchen: factories.People, tmp_path: Path) -> None:
    slug = kitchen.project.slug
    frozen = document(handpicked(database_url, "freeze", slug, "--name", "v1", "--json"))
    again = document(handpicked(database_url, "freeze", slug, "--name", "v2", "--json"))
    assert frozen["id"] == again["id"]
    assert set(frozen) >= {"version", "id", "examples", "gates"}
    out = tmp_path / "out"
    made = document(handpicked(database_url, "export", f"{slug}@v1", "--format", "parquet", "--out", out, "--json"))
    assert made["id"] == frozen["id"]
    assert {"path", "sha256", "bytes", "records"} == set(made["files"][0])
    # Verifying needs no database: this one is no database at all.
    assert document(handpicked("nonsense://", "verify", out, "--id", frozen["id"], "--json")) == {
        "ok": True, "id": frozen["id"], "problems": [],
    }  # fmt: skip
    spoilt = out / "train.parquet"
    data = bytearray(spoilt.read_bytes())
    data[len(data) // 2] ^= 1
    spoilt.write_bytes(data)
    found = document(handpicked("nonsense://", "verify", out, "--json"), code=1)
    assert [problem["path"] for problem in found["problems"]] == ["train.parquet"]
    words = handpicked("nonsense://", "verify", out)
    assert words.returncode == 1
    assert words.stderr.startswith("handpicked: train.parquet: ")


def test_refusals_are_one_sentence_and_exit_1(
    database_url: str, database: Database, kitchen: factories.People, tmp_path: Path
) -> None:
    slug = kitchen.project.slug
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
    blocked = handpicked(database_url, "freeze", slug, "--name", "v1")
    assert (blocked.returncode, blocked.stdout) == (1, "")
    assert "leakage blocks" in blocked.stderr
    assert blocked.stderr.count("\n") == 1
    assert handpicked(database_url, "freeze", slug, "--name", "v1", "--override", "leakage").returncode == 2
    frozen = document(
        handpicked(
            database_url, "freeze", slug, "--name", "v1", "--override", "leakage", "--reason", "a trial", "--json"
        )
    )
    assert {gate["gate"]: gate["state"] for gate in frozen["gates"]}["leakage"] == "overridden"
    assert handpicked(database_url, "export", f"{slug}@v9", "--out", tmp_path / "x").returncode == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("x")
    taken = handpicked(database_url, "export", f"{slug}@v1", "--out", tmp_path / "full")
    assert taken.returncode == 1
    assert "not an empty folder" in taken.stderr


def test_a_member_who_is_no_admin_may_not(database_url: str, kitchen: factories.People) -> None:
    done = handpicked(database_url, "freeze", kitchen.project.slug, "--name", "v1", "--as", kitchen.annotator.email)
    assert done.returncode == 1
    assert "Your role does not allow this" in done.stderr
