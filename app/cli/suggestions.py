"""`handpicked model-help` and `handpicked example suggest`: whether a model helps in a project, and asking it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.endpoints import queries as endpoints
from app.examples import queries as examples
from app.examples.models import Suggestion, SuggestionKind
from app.runs import queries as runs
from app.suggestions import operations, queries
from app.suggestions.documents import help_document, suggestion_document
from app.suggestions.queries import Place
from app.web.found import found

TextOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The instruction; an empty file brings the product's own back.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    help_ = typer.Typer(no_args_is_help=True, help="Whether a project gets help from a model, and from which.")
    help_.command("show")(show)
    help_.command("set")(set_help)
    app.add_typer(help_, name="model-help")


def show(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Who helps here, where texts go, and what the model is told."""
    with House(as_email).writing() as (session, actor):
        document = help_document(session, project_for(session, actor, slug))
    emit(document, as_json, _help_lines(document))


def set_help(
    slug: SlugArgument,
    endpoint: Annotated[str | None, typer.Option(metavar="NAME", help="A registered model server.")] = None,
    run: Annotated[int | None, typer.Option(metavar="N", min=1, help="A run of the project's own.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Nobody; nothing is sent.")] = False,
    critique: TextOption = None,
    outline: TextOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who helps here: exactly one of --endpoint, --run and --off; leads only."""
    if sum((endpoint is not None, run is not None, off)) != 1:
        raise typer.BadParameter("say exactly one of --endpoint, --run and --off")
    texts = [path.read_text("utf-8") if path else None for path in (critique, outline)]
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        server = endpoints.named_endpoint(session, endpoint) if endpoint else None
        trained = found(session, runs.run_of(project, run)) if run else None
        operations.set_help(session, actor, project, endpoint=server, run=trained, critique=texts[0], outline=texts[1])
        document = help_document(session, project)
    emit(document, as_json, _help_lines(document)[:1])


def _help_lines(document: dict[str, Any]) -> list[str]:
    if document["by"] is None:
        return ["Off: nobody is asked, and nothing is sent."]
    goes = f"texts go to {document['host']}" if document["host"] else "nothing leaves this installation"
    told = [f"\n{kind.capitalize()}:\n{document[kind]}" for kind in ("critique", "outline")]
    return [f"On: {document['by']}, {document['model']}; {goes}.", *told]


def suggest(
    kind: Annotated[SuggestionKind, typer.Argument(help="What to ask for.")],
    slug: SlugArgument,
    example_id: Annotated[int, typer.Argument(metavar="ID", help="The example's number; see `example list`.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the project's model about the newest revision and print what it says; nothing is written anywhere."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = examples.example_in(session, project.id, example_id)
        words = examples.head_revision(session, example).messages
        asked = operations.suggest(session, actor, Place(project, example), kind, words)
        house.take(session, asked.job_id)
    assert asked.job_id is not None
    house.run_or_fail(asked.job_id)
    with house.writing() as (session, actor):
        document = suggestion_document(found(session, queries.suggestion_of(project, asked.id, actor)))
    emit(document, as_json, _said(asked, document))


def _said(asked: Suggestion, document: dict[str, Any]) -> Iterator[str]:
    yield from (document["words"], "")
    by = f"{document['by']}, {document['model']}, in {document['seconds']:.1f} s"
    yield f"Suggestion {asked.id} by {by}. What you take of it is marked."
