"""`handpicked …`: the same operations as the pages and the API, for pipelines and people at a terminal."""

import sys

import typer

from app.cli import datasets, demo, duplicates, examples, people, pool, projects, reviews, runs, serving, sources
from app.cli.context import quiet_logs
from app.errors import Refusal

# Each room's commands: a module with `register(app)`.
COMMANDS = (datasets, demo, duplicates, examples, people, pool, projects, reviews, runs, serving, sources)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def build() -> typer.Typer:
    """All commands, registered once."""
    for module in COMMANDS:
        module.register(app)
    return app


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


__all__ = ["app", "build", "main"]
