"""`handpicked …`: the same operations as the pages and the API, for pipelines and people at a terminal."""

import sys
from functools import cache
from importlib import metadata
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError
from typer.core import TyperGroup

from app.cli import (
    cards,
    comparing,
    composition,
    datasets,
    demo,
    duplicates,
    endpoints,
    examples,
    gates,
    imports,
    inbox,
    invitations,
    lint,
    mappings,
    people,
    pool,
    projects,
    publishing,
    reviews,
    rules,
    runs,
    sampling,
    serving,
    sources,
    splits,
    style,
    suggestions,
    tokenizer,
    trace,
    trail,
    versions,
)
from app.cli.context import quiet_logs
from app.errors import Refusal
from app.web.forms import sentence

# Each room's commands: a module with `register(app)`.
COMMANDS = (
    *(
        cards,
        comparing,
        composition,
        datasets,
        demo,
        duplicates,
        endpoints,
        examples,
        gates,
        imports,
        inbox,
        invitations,
        lint,
        mappings,
        people,
        pool,
        projects,
        publishing,
    ),
    *(reviews, rules, runs, sampling, serving, sources, splits, style, suggestions, tokenizer, trace, trail, versions),
)

# The order of the path, in which the help lists them.
PATH = (
    *("project", "composition", "exchange", "user", "people", "invite", "invitation", "member", "token", "trail"),
    *("import", "imports", "mapping", "rules", "pool", "sample", "dedup", "duplicates", "inbox", "example"),
    *("lint", "style", "tokenizer", "review"),
    *(
        "splits",
        "gates",
        "freeze",
        "versions",
        "card",
        "export",
        "verify",
        "trace",
        "diff",
        "publish",
        "hub-token",
        "model",
        "train",
        "run",
        "answer",
        "endpoint",
        "model-help",
        "serve",
        "worker",
        "demo",
    ),
)


class InOrder(TyperGroup):
    """Lists the commands in the order of the path."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer keeps the type to itself
        """Every command; one that the path does not name comes last."""
        return sorted(self.commands, key=lambda name: PATH.index(name) if name in PATH else len(PATH))


app = typer.Typer(cls=InOrder, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"handpicked {metadata.version('handpicked')}")
        raise typer.Exit


@cache
def build() -> typer.Typer:
    """All commands, registered once."""
    for module in COMMANDS:
        module.register(app)
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
    quiet_logs()
    try:
        build()()
    except Refusal as refusal:
        sys.stderr.write(f"handpicked: {refusal.message}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except ValidationError as error:
        fault = error.errors()[0]
        _fail(f"The setting HANDPICKED_{'.'.join(map(str, fault['loc'])).upper()} does not fit: {sentence(fault)}.")
    except ArgumentError as error:
        _fail(f"HANDPICKED_DATABASE_URL names no database that is known here: {error}.")
    except OperationalError as error:
        _fail(f"The database did not answer, so nothing was done: {' '.join(str(error.orig).split())}")


def _fail(words: str) -> None:
    sys.stderr.write(f"handpicked: {words.rstrip('.')}.\n")
    sys.exit(1)


__all__ = ["app", "build", "main"]
