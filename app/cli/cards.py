"""`handpicked card`: the dataset card of a version."""

from typing import Annotated

import typer

from app.cli.context import AsOption, House, JsonOption, emit, project_for
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.operations import parse_version
from app.datasets.showing import readme_of

VersionArgument = Annotated[str, typer.Argument(metavar="PROJECT@VERSION", help="A frozen version, such as demo@v1.")]
FormatOption = Annotated[Format, typer.Option("--format", help="The format of the export whose card it is.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("card")(card)


def card(
    reference: VersionArgument, form: FormatOption = Format.HF, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """Print a version's dataset card, the README.md of its export, in Markdown."""
    with House(as_email).writing() as (session, actor):
        project_for(session, actor, reference.partition("@")[0])
        version = parse_version(session, reference)
        words = readme_of(session, version, form)
        document = {"version": version.name, "id": version_id(version.sha256), "format": form.value, "card": words}
    emit(document, as_json, [words.rstrip("\n")])
