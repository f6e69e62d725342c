"""`handpicked freeze`, `export`, `verify`, as a pipeline runs them."""

import json
import subprocess
from pathlib import Path
from typing import Any

from app.datasets.verify import NOT_PROVEN
from app.db import Database
from tests import factories
from tests.commands import Shell
from tests.datasets.material import approve, dialogue


def document(done: "subprocess.CompletedProcess[str]", code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_freeze_export_verify(handpicked: Shell, kitchen: factories.People, tmp_path: Path) -> None:
    slug = kitchen.project.slug
    frozen = document(handpicked("freeze", slug, "--name", "v1", "--json"))
    again = document(handpicked("freeze", slug, "--name", "v2", "--json"))
    assert frozen["id"] == again["id"]
    assert set(frozen) >= {"version", "id", "examples", "gates"}
    out = tmp_path / "out"
    made = document(handpicked("export", f"{slug}@v1", "--format", "parquet", "--out", out, "--json"))
    assert made["id"] == frozen["id"]
    assert {"path", "sha256", "bytes", "records"} == set(made["files"][0])
    # Verifying needs no database: this one is no database at all.
    handpicked.set(DATABASE_URL="nonsense://")
    assert document(handpicked("verify", out, "--id", frozen["id"], "--json")) == {
        "ok": True, "id": frozen["id"], "problems": [], "not_proven": NOT_PROVEN,
    }  # fmt: skip
    assert handpicked("verify", out).stdout.splitlines()[1:] == [frozen["id"], NOT_PROVEN]
    empty = handpicked("verify", out, "--id", "")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert empty.stderr.startswith("handpicked: An id is sha256: and 64 digits")
    spoilt = out / "train.parquet"
    data = bytearray(spoilt.read_bytes())
    data[len(data) // 2] ^= 1
    spoilt.write_bytes(data)
    found = document(handpicked("verify", out, "--json"), code=1)
    assert [problem["path"] for problem in found["problems"]] == ["train.parquet"]
    words = handpicked("verify", out)
    assert words.returncode == 1
    assert words.stderr.startswith("handpicked: train.parquet: ")


def test_refusals_are_one_sentence_and_exit_1(
    handpicked: Shell, database: Database, kitchen: factories.People, tmp_path: Path
) -> None:
    slug = kitchen.project.slug
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
    blocked = handpicked("freeze", slug, "--name", "v1")
    assert (blocked.returncode, blocked.stdout) == (1, "")
    assert "leakage blocks" in blocked.stderr
    assert blocked.stderr.count("\n") == 1
    assert handpicked("freeze", slug, "--name", "v1", "--override", "leakage").returncode == 2
    frozen = document(
        handpicked("freeze", slug, "--name", "v1", "--override", "leakage", "--reason", "a trial", "--json")
    )
    assert {gate["gate"]: gate["state"] for gate in frozen["gates"]}["leakage"] == "overridden"
    assert handpicked("export", f"{slug}@v9", "--out", tmp_path / "x").returncode == 1
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("x")
    taken = handpicked("export", f"{slug}@v1", "--out", tmp_path / "full")
    assert taken.returncode == 1
    assert "not an empty folder" in taken.stderr


def test_a_member_who_is_no_admin_may_not(handpicked: Shell, kitchen: factories.People) -> None:
    done = handpicked("freeze", kitchen.project.slug, "--name", "v1", "--as", kitchen.annotator.email)
    assert done.returncode == 1
    assert "Your role does not allow this" in done.stderr
