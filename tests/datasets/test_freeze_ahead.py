"""What gates load once in a process, the first freeze has loaded before its transaction: nobody waits for it there."""

import hashlib
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.datasets.gate_models import GateSettings
from app.db import Database
from app.projects.models import Project
from app.projects.tokenizers import Checked, set_tokenizer
from tests import factories
from tests.datasets.material import approve, dialogue
from tests.datasets.test_gates_found import TOKENIZER

ROOT = Path(__file__).resolve().parents[2]
# Told in German, with a number to ring up, under English: a rule of style and the gate of personal data look closely.
GERMAN = (
    "Das Wasser muss kochen, bevor der Reis hineinkommt, und danach darf niemand mehr den Deckel heben, weil sonst der "
    "ganze Dampf entweicht und die Körner hart bleiben. Bei Fragen hilft die Küche unter +49 30 901820 gerne weiter."
)
# A process of its own, as after a restart: what its requests have loaded at BEGIN and at COMMIT, and opened in between.
SERVER = """
import json, os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from app.config import Settings
from app.db import Database
from app.main import create_app
from app.projects import tokenizers

method, path, headers, sent = json.loads(sys.argv[1])
seen, opened, within = [], [], [False]

def look(inside):
    within[0] = inside
    seen.append([sorted(sys.modules), sorted(tokenizers._read)])

def begun(connection):
    if connection.get_execution_options().get("begin") == "IMMEDIATE":
        look(True)

def ended(connection):
    if within[0]:
        look(False)

def heard(name, given):
    if name == "open" and within[0]:
        opened.append(str(given[0]))

settings = Settings()
database = Database(settings)
client = TestClient(create_app(settings, database), base_url="http://localhost", follow_redirects=False)
at_start = sorted(sys.modules)
event.listen(Engine, "begin", begun)
event.listen(Engine, "commit", ended)
event.listen(Engine, "rollback", ended)
sys.addaudithook(heard)
answer = client.request(method, path, headers=headers, **sent)
database.dispose()
told = {"status": answer.status_code, "words": answer.text, "start": at_start, "seen": seen, "opened": opened}
print(json.dumps(told))
"""
HEAVY = {"py3langid", "phonenumbers.data.region_DE"}


@pytest.fixture
def demanding(database: Database, people: factories.People) -> factories.People:
    """A set for whose gates a process has to load a tokenizer, what tells languages, and how numbers are dialled."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        approve(session, project, people.annotator, people.reviewer, dialogue("Wie koche ich Reis am besten?", GERMAN))
        data = TOKENIZER.encode()
        kept = Checked(hashlib.sha256(data).hexdigest(), zlib.compress(data))
        set_tokenizer(session, people.lead, project, "words", kept)
        session.add(GateSettings(project_id=project.id, policies={"personal": "warn"}, style_rules=["language"]))
    return people


def freeze_in_a_process(settings: Settings, method: str, path: str, headers: dict[str, str], **sent: Any) -> Any:
    environment = os.environ | {
        "HANDPICKED_DATA_DIR": str(settings.data_dir),
        "HANDPICKED_DATABASE_URL": settings.url,
        "PYTHONPATH": str(ROOT),
    }
    given = json.dumps([method, path, headers, sent])
    done = subprocess.run(
        [sys.executable, "-c", SERVER, given], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["api", "page"])
def test_nothing_is_loaded_while_a_freeze_holds_the_lock(
    database: Database, settings: Settings, demanding: factories.People, way: str
) -> None:
    slug, lead = demanding.project.slug, demanding.lead
    if way == "api":
        token = factories.api_token(database, lead, "admin")
        found = freeze_in_a_process(
            settings, "POST", f"/api/v1/projects/{slug}/versions", {"authorization": f"Bearer {token}"},
            json={"name": "v1"},
        )  # fmt: skip
    else:
        cookie = f"handpicked_session={factories.signed_in(database, lead)}"
        found = freeze_in_a_process(
            settings, "POST", f"/projects/{slug}/versions", {"cookie": cookie, "sec-fetch-site": "same-origin"},
            data={"name": "v1"},
        )  # fmt: skip
    assert found["status"] == (201 if way == "api" else 303), found["words"]
    begun, committed = found["seen"]
    # What this set's gates need is not there when a process starts, and is there when the lock is taken.
    assert set(found["start"]).isdisjoint(HEAVY)
    assert set(begun[0]) >= HEAVY
    assert begun[1] == [hashlib.sha256(TOKENIZER.encode()).hexdigest()]
    assert committed == begun
    # The line before SQLite's file, and which release made the version; no model and no table of a library.
    names = {Path(path).name for path in found["opened"]}
    assert {name for name in names if not name.endswith((".sqlite3-line", "METADATA", ".zip"))} == set()
