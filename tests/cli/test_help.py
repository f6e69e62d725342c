"""The help lists commands in the order of the path, and the version is told."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import app.cli
from app.cli import MODULES, PATH, build, commands_of
from tests.commands import Shell

HEAVY = {"torch", "transformers", "sentence_transformers", "datasets", "onnxruntime", "app.main", "uvicorn"}


def test_every_command_stands_in_the_order_of_the_path():
    command = get_command(build())
    assert tuple(command.list_commands(None)) == PATH


def test_each_module_registers_just_what_the_table_says_of_it():
    for module in set(MODULES.values()):
        assert set(commands_of(module)) == {name for name in PATH if MODULES[name] == module}


def test_no_module_of_commands_is_left_out_of_the_table():
    folder = Path(app.cli.__file__).parent
    registering = {file.stem for file in folder.glob("*.py") if "def register(app: typer.Typer)" in file.read_text()}
    assert registering | {"projects"} == set(MODULES.values())


def test_nothing_is_registered_twice_however_often_the_commands_are_built():
    for _ in range(2):
        group = get_command(build())
        rooms = {
            id(room): room
            for room in (group.get_command(None, name) for name in PATH)
            if hasattr(room, "list_commands")
        }
        assert len(rooms) > 10
        assert all(len(set(room.list_commands(None))) == len(room.list_commands(None)) > 0 for room in rooms.values())


def test_a_misspelt_command_is_guessed_at_without_loading_any():
    said = CliRunner().invoke(build(), ["dif"])
    assert said.exit_code == 2
    assert "Did you mean 'diff'" in said.stderr


@pytest.mark.parametrize("command", [["--help"], ["diff", "--help"], ["diff", "none@v1", "none@v2"]])
def test_no_command_loads_a_model_to_say_its_help_or_to_compare(tmp_path, command):
    assert not HEAVY & _loaded_by(command, tmp_path)


def test_to_compare_loads_neither_the_jobs_nor_the_other_commands(tmp_path):
    loaded = _loaded_by(["diff", "none@v1", "none@v2"], tmp_path)
    assert "app.datasets.comparison.comparing" in loaded
    assert not {"app.handlers", "app.worker", "app.cli.runs", "app.cli.sources", "pyarrow"} & loaded


def _loaded_by(command: list[str], folder: Path) -> set[str]:
    """The modules that a process has loaded when a command ended."""
    script = "import sys\ntry:\n from app.cli import main\n main()\nfinally:\n print('LOADED', *sys.modules)"
    environment = {**os.environ, "HANDPICKED_DATA_DIR": str(folder)}
    ended = subprocess.run(
        [sys.executable, "-c", script, *command], env=environment, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return set(ended.stdout.rpartition("LOADED ")[2].split())


def test_the_version_is_told():
    said = CliRunner().invoke(build(), ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"handpicked {metadata.version('handpicked')}\n")


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("DATABASE_URL", "nonsense", "HANDPICKED_DATABASE_URL names no database"),
        ("DATABASE_URL", "mysql://x/y", "SQLite or PostgreSQL, not in mysql"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x", "The database did not answer, so nothing was done"),
        ("THREADS", "abc", "The setting HANDPICKED_THREADS does not fit"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_sentence(closing, monkeypatch, capsys, tmp_path, setting, value, words):
    handpicked = Shell(monkeypatch, capsys, DATA_DIR=str(tmp_path), **{setting: value})
    ended = handpicked("project", "list")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_setting_is_told_to_the_map_as_well(closing, monkeypatch, capsys, tmp_path):
    """The module of its commands is called as a function of Python's that `main` must not use."""
    handpicked = Shell(monkeypatch, capsys, DATA_DIR=str(tmp_path), THREADS="abc")
    ended = handpicked("map", "show", "none")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "The setting HANDPICKED_THREADS does not fit" in ended.stderr
