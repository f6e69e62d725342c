"""The help lists commands in the order of the path, and the version is told."""

import os
import subprocess
import sys
from importlib import metadata

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import PATH, build


def test_every_command_stands_in_the_order_of_the_path():
    command = get_command(build())
    assert tuple(command.list_commands(None)) == PATH


def test_nothing_is_registered_twice_however_often_the_commands_are_built():
    build()
    rooms = [(room.name, room.typer_instance) for room in build().registered_groups]
    names = [(name, one.name or one.callback.__name__) for name, room in rooms for one in room.registered_commands]
    assert len(names) == len(set(names)) > len(rooms) > 10


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
def test_a_setting_that_does_not_fit_is_one_sentence(tmp_path, setting, value, words):
    environment = {**os.environ, "HANDPICKED_DATA_DIR": str(tmp_path), f"HANDPICKED_{setting}": value}
    command = [sys.executable, "-m", "app.cli", "project", "list"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
