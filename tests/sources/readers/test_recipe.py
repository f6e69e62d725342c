"""The documentation's recipe for a reader, followed to the letter in a copy of the room."""

import json
import re
import shutil
import subprocess
import sys
from difflib import ndiff
from filecmp import dircmp

import pytest

from tests.conftest import ROOT

READERS = "app/sources/readers"


def linked(source, target, copied):
    """Make `target` look like `source` by links, with a true copy of the folder at the end of `copied`."""
    target.mkdir()
    name, *rest = copied
    for child in source.iterdir():
        if child.name == name and rest:
            linked(child, target / child.name, rest)
        elif child.name == name:
            shutil.copytree(child, target / child.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif child.name != "__pycache__":
            (target / child.name).symlink_to(child)


@pytest.fixture
def house(tmp_path):
    """A house with the recipe's module, its one line of registration, and its test."""
    module, line, test = re.findall(r"^```(?:python|text)\n(.*?)^```", recipe(), flags=re.MULTILINE | re.DOTALL)
    root = tmp_path / "house"
    root.mkdir()
    linked(ROOT / "app", root / "app", ["sources", "readers"])
    for name in ("migrations", "templates", "static", "alembic.ini"):
        (root / name).symlink_to(ROOT / name)
    registry = root / READERS / "__init__.py"
    # Whoever has tried the recipe by hand has its reader already: the copy begins without it.
    text = re.sub(r"^    \"faq\",\n", "", registry.read_text(encoding="utf-8"), flags=re.MULTILINE)
    registry.write_text(text, encoding="utf-8")
    (root / READERS / "faq.py").unlink(missing_ok=True)
    shutil.copytree(root / READERS, tmp_path / "before")
    (root / READERS / "faq.py").write_text(module, encoding="utf-8")
    registry.write_text(text.replace('    "chats",\n', f'{line}    "chats",\n'), encoding="utf-8")
    (root / "test_faq.py").write_text(test, encoding="utf-8")
    return root


def recipe():
    return (ROOT / "docs" / "sources.md").read_text(encoding="utf-8").partition("## A reader of your own")[2]


def run(house, *args):
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(house), "HANDPICKED_DATA_DIR": str(house / "data")}
    return subprocess.run(
        [sys.executable, *args], cwd=house, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_one_module_and_one_line_of_registration_are_all_that_a_reader_takes(house, tmp_path):
    changed = dircmp(tmp_path / "before", house / READERS, ignore=["__pycache__"])
    assert (changed.left_only, changed.right_only, changed.diff_files) == ([], ["faq.py"], ["__init__.py"])
    before, after = ((folder / "__init__.py").read_text("utf-8") for folder in (tmp_path / "before", house / READERS))
    assert [line for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"] == ['+     "faq",']


def test_the_recipes_own_test_passes(house):
    done = run(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_faq.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_its_format_is_imported_from_the_command_line_like_any_other(house):
    rows = [{"faq": f"Question {number}?", "reply": f"Reply {number}.", "topic": "hours"} for number in range(3)]
    (house / "export.json").write_text(json.dumps(rows), encoding="utf-8")
    handpicked = ("-c", "from app.cli import main; main()")
    assert run(house, *handpicked, "project", "create", "shop").returncode == 0
    done = run(house, *handpicked, "import", "shop", "export.json", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["format"], found["records"], found["created"], found["errors"]) == ("faq", 3, 3, [])
