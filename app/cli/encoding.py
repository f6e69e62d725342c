"""`handpicked encode`: the pool's prompts become vectors."""

from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.embeddings import choosing, operations
from app.embeddings.documents import encoding_document
from app.web.words import plural

# A command has nothing else to do than to wait for the model.
PATIENCE = 600.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("encode")(encode)


def encode(
    slug: SlugArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Encode here and now; without it a worker does.")] = False,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Change to this model: a folder, a Hub id, or '' for the installation's."),
    ] = None,
    eight_bits: Annotated[
        bool | None,
        typer.Option("--eight-bits/--exact", help="Have the model run in 8 bits, which is quicker, or not."),
    ] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have every candidate of the pool encoded that has no vector yet; nothing is encoded twice.

    By another model than before everything is encoded anew, and until that is complete the old vectors are used.
    """
    house = House(as_email)
    with house.writing() as (session, actor):
        if model is None and eight_bits is None:
            job = operations.start_encoding(session, actor, project_for(session, actor, slug))
        else:
            project = project_for(session, actor, slug, Role.ADMIN)
            named = choosing.as_typed(project.encoder)["model"] if model is None else model
            job = choosing.change_model(
                session, actor, project, house.settings, name=named, eight_bits=bool(eight_bits)
            )
        if wait:
            house.take(session, job.id)
    if wait:
        house.run_or_fail(job.id)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
    with house.reading() as session:
        document = encoding_document(session, project, house.settings, PATIENCE)
    emit(document, as_json, [_words(document)])


def _words(document: dict[str, Any]) -> str:
    said = f"{document['encoded']:,} of {plural(document['total'], 'candidate')} encoded by {document['model']}"
    if change := document["next"]:
        said += f"; {change['encoded']:,} by {change['model']}, which takes its place once all are"
    return f"{said}; job {document['job_id']} encodes the rest." if document["job_id"] else f"{said}."
