"""What was published, as those get it who only know its name: by load_dataset, and as a download that is proved."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from app.datasets.canonical import version_id
from app.datasets.verify import verify_folder
from tests.datasets.publishing_room import AS_THE_CLIENT_SENDS, REPOSITORY

pytestmark = AS_THE_CLIENT_SENDS
LOAD = """
import json, sys
from datasets import load_dataset
from huggingface_hub import snapshot_download
name, revision, folder = sys.argv[1:]
found = load_dataset(name, revision=revision)
snapshot_download(name, repo_type="dataset", revision=revision, local_dir=folder)
print(json.dumps({split: [row["messages"] for row in rows] for split, rows in found.items()}))
"""


@pytest.mark.skipif(find_spec("datasets") is None, reason="the library that loads data sets is not installed here")
def test_it_is_loaded_by_name_and_a_download_of_it_is_proved(hub, room, tmp_path):
    done = room.publish()
    copy = tmp_path / "copy"
    environment = {
        **os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0",
    }  # fmt: skip
    line = [sys.executable, "-c", LOAD, REPOSITORY, done.revision, str(copy)]
    loaded = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert loaded.returncode == 0, loaded.stderr
    lines = room.repository.main.files["examples.jsonl"].splitlines()
    frozen = {"train": [], "dev": [], "test": []}
    for one in map(json.loads, lines):
        frozen[one["split"]].append(one["messages"])
    assert json.loads(loaded.stdout.splitlines()[-1]) == frozen
    # The client's own notes lie beside what it brought.
    assert verify_folder(copy, version_id(room.version.sha256))["problems"] == []
