"""The same project frozen elsewhere has the same id and the same data files.

Elsewhere is another process in another time zone, on another database where this session of tests runs on PostgreSQL,
imported in another order, approved by other people at other times.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.datasets.formats import Format

ROOT = Path(__file__).resolve().parents[2]
LICENCES = ("CC BY-SA 3.0", "CC BY-SA 4.0", "CC0 1.0")
WORDS = (
    "Reis",
    "rice",
    "米",
    "рис",
    "चावल",
    "أرز",
    "🍚",
    "e\u0301tuver",
    "\u00e9tuver",
    "a\u2028b",
    'quo"te',
    "tab\there",
    "< & >",
)


def row(number: int) -> dict[str, Any]:
    """One example: of all scripts, some of them dialogues, some with a system message, some held out."""
    words = f"{WORDS[number % len(WORDS)]} {WORDS[number * 7 % len(WORDS)]}"
    said = [
        {"role": "user", "content": f"Question {number}: {words}?\n\n```\n  code {number}\n```"},
        {"role": "assistant", "content": f"Answer {number}. {words}\r\n- one\n- two" if number % 3 else words},
    ]
    if number % 10 == 3:
        said += [{"role": "user", "content": f"And {number}?"}, {"role": "assistant", "content": "The same."}]
    if number % 10 == 4:
        said = [{"role": "system", "content": f"Be brief {number}."}, *said]
    split = "test" if number % 10 == 5 else "dev" if number % 10 == 6 else "train"
    if split == "test":
        said = said[:1]
    return {
        "id": f"row-{number}", "messages": said, "split": split, "source": "authors" if number % 2 else "wikihow",
        "licence": LICENCES[number % 3], "author": f"Author {number % 5}", "url": f"https://example.org/a/{number}",
    }  # fmt: skip


def elsewhere(folder: Path, rows: list[dict[str, Any]], approvals: str, zone: str, url: str) -> subprocess.Popen[str]:
    folder.mkdir()
    file = folder / "set.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    environment = {
        **os.environ, "TZ": zone, "HANDPICKED_DATA_DIR": str(folder / "data"), "HANDPICKED_DATABASE_URL": url,
        "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random",
    }  # fmt: skip
    argv = [sys.executable, "-m", "tests.datasets.elsewhere", str(file), str(folder / "out"), approvals]
    return subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, error = process.communicate(timeout=600)
    assert process.returncode == 0, error[-4000:]
    return dict(json.loads(out.splitlines()[-1]))


def same_everywhere(tmp_path: Path, here: str, size: int) -> dict[str, Any]:
    rows = [row(number) for number in range(size)]
    shuffled = random.Random(11).sample(rows, len(rows))
    there = f"sqlite:///{tmp_path / 'there.sqlite3'}"
    processes = [
        elsewhere(tmp_path / "here", rows, "one", "Asia/Kathmandu", here),
        elsewhere(tmp_path / "there", shuffled, "many", "America/St_Johns", there),
    ]
    one, other = map(ended, processes)
    assert one == other
    assert set(one["exports"]) == {form.value for form in Format}
    assert all(one["exports"].values()), "every format has data files"
    assert sum(one["examples"].values()) == size
    return one


def test_a_project_frozen_elsewhere_has_the_same_id_and_data_files(tmp_path: Path, database_url: str) -> None:
    found = same_everywhere(tmp_path, database_url, 40)
    assert found["exports"]["lima"]["examples.jsonl"] == found["id"].removeprefix("sha256:")


@pytest.mark.long
def test_a_thousand_and_thirty_examples_frozen_elsewhere(tmp_path: Path, database_url: str) -> None:
    same_everywhere(tmp_path, database_url, 1030)
