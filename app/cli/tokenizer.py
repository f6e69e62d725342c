"""`handpicked tokenizer`: by what a project's tokens are counted."""

from pathlib import Path
from typing import Annotated

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.projects.models import Project
from app.projects.tokenizers import set_tokenizer, tokenizer_at, tokenizer_document, unset_tokenizer
from app.runs.tokenizing import count_by_model


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="By what a project's tokens are counted.")
    commands.command("show")(show)
    commands.command("set")(set_)
    app.add_typer(commands, name="tokenizer")


def show(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Say by what tokens are counted."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        document, words = tokenizer_document(project), _words(project)
    emit(document, as_json, [words])


def set_(
    slug: SlugArgument,
    model: Annotated[str, typer.Option(help="Count by the tokenizer of this base model.")] = "",
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Count by this tokenizer.json, or by that of this folder.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Estimate.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count a project's tokens by another tokenizer."""
    if (bool(model), file is not None, none).count(True) != 1:
        raise typer.BadParameter("say --model, --file or --none")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        if model:
            count_by_model(session, actor, project, model)
        elif file is not None:
            set_tokenizer(session, actor, project, file.resolve().name, tokenizer_at(file))
        else:
            unset_tokenizer(session, actor, project)
        document, words = tokenizer_document(project), _words(project)
    emit(document, as_json, [words])


def _words(project: Project) -> str:
    if project.tokenizer_sha256 is None:
        return "Tokens are estimated, one for 3.6 characters."
    return f"Tokens are counted by the tokenizer {project.tokenizer_name}, {project.tokenizer_sha256[:12]}."
