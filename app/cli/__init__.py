"""`handpicked …`: the same operations as the pages and the API, for pipelines and people at a terminal."""

import logging
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError
from typer.core import TyperGroup
from typer.main import get_group

from app.errors import Refusal
from app.logs import set_up

# Every command in the order of the path, in which the help lists them, with the module whose `register(app)` adds it.
# A module is imported when one of its commands is asked for: all of them take longer than most commands.
MODULES = {
    "project": "projects", "composition": "composition", "exchange": "composition", "user": "people",
    "people": "people", "invite": "invitations", "invitation": "invitations", "member": "people", "token": "people",
    "trail": "trail", "import": "sources", "imports": "imports", "mapping": "mappings", "rules": "rules",
    "pool": "pool", "encode": "encoding", "map": "map", "sample": "sampling", "select": "adding", "next": "adding",
    "dedup": "duplicates", "duplicates": "duplicates", "benchmarks": "benchmarks", "inbox": "inbox",
    "example": "examples", "lint": "lint",
    "style": "style", "tokenizer": "tokenizer", "review": "reviews", "splits": "splits", "gates": "gates",
    "freeze": "datasets", "versions": "versions", "card": "cards", "export": "datasets", "verify": "datasets",
    "trace": "trace", "diff": "comparing", "publish": "publishing", "hub-token": "publishing", "model": "runs",
    "train": "runs", "run": "runs", "answer": "runs", "endpoint": "endpoints", "model-help": "suggestions",
    "serve": "serving", "worker": "serving", "demo": "demo",
}  # fmt: skip
PATH = tuple(MODULES)


class InOrder(TyperGroup):
    """Lists the commands in the order of the path, and finds each in its module."""

    def __init__(self, **options: Any) -> None:
        """Name the commands, for what guesses at one that is misspelt."""
        super().__init__(**options)
        self.commands: dict[str, Any] = dict.fromkeys(PATH)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer keeps the type to itself
        """Every command."""
        return list(PATH)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as above
        """The command of that name, None where there is none."""
        return commands_of(MODULES[cmd_name])[cmd_name] if cmd_name in MODULES else None


@cache
def commands_of(module: str) -> Mapping[str, Any]:
    """The commands that a module registers, by name: once, for it may keep its groups."""
    room = typer.Typer()
    import_module(f"{__name__}.{module}").register(room)
    return get_group(room).commands


app = typer.Typer(cls=InOrder, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"handpicked {metadata.version('handpicked')}")
        raise typer.Exit


def build() -> typer.Typer:
    """All commands."""
    return app


@app.callback(help=__doc__)
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Exit 0 on success, 2 for wrong usage, 1 for a refusal or failure with one sentence on standard error."""
    set_up(logging.WARNING)  # to standard error
    try:
        build()()
    except Refusal as refusal:
        sys.stderr.write(f"handpicked: {refusal.message}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except ValidationError as error:
        from app.web.forms import sentence  # with the web below it, which few commands need

        fault = error.errors()[0]
        # No map(): that name is a module of commands here, once it is loaded.
        setting = ".".join(str(part) for part in fault["loc"]).upper()
        _fail(f"The setting HANDPICKED_{setting} does not fit: {sentence(fault)}.")
    except ArgumentError as error:
        _fail(f"HANDPICKED_DATABASE_URL names no database that is known here: {error}.")
    except OperationalError as error:
        _fail(f"The database did not answer, so nothing was done: {' '.join(str(error.orig).split())}")


def _fail(words: str) -> None:
    sys.stderr.write(f"handpicked: {words.rstrip('.')}.\n")
    sys.exit(1)


__all__ = ["app", "build", "main"]
