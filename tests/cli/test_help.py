"""The help lists commands in the order of the path, and the version is told."""

from importlib import metadata

from typer.main import get_command
from typer.testing import CliRunner

from app.cli import PATH, build


def test_every_command_stands_in_the_order_of_the_path():
    command = get_command(build())
    assert tuple(command.list_commands(None)) == PATH


def test_the_version_is_told():
    said = CliRunner().invoke(build(), ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"handpicked {metadata.version('handpicked')}\n")
