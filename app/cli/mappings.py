"""`handpicked mapping`: how the columns of tables were mapped, kept by name."""

import json
from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.sources import mappings, queries
from app.sources.models import ColumnMapping

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A saved mapping.")]

commands = typer.Typer(no_args_is_help=True, help="Saved mappings of columns.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="mapping")


@commands.command("list")
def list_mappings(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """All of a project's, by name: each import of a table leaves one, known again by the table's columns."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        rows = [_document(one) for one in session.scalars(queries.mappings_of(project.id))]
    lines = [f"{row['name']:<40} {_in_words(row['columns'])}" for row in rows]
    emit({"mappings": rows}, as_json, lines or ["None yet. An import of a table with --map leaves one."])


@commands.command("show")
def show(slug: SlugArgument, name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """One mapping, as `import --mapping FILE.json` takes it."""
    with House(as_email).writing() as (session, actor):
        document = _document(mappings.mapping_named(session, project_for(session, actor, slug), name))
    emit(document, as_json, [json.dumps(document["columns"], ensure_ascii=False, indent=2)])


@commands.command("rename")
def rename(
    slug: SlugArgument,
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a mapping otherwise."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        mapping = mappings.mapping_named(session, project, name)
        mappings.rename_mapping(session, actor, project, mapping, new)
        document = _document(mapping)
    emit(document, as_json, [f"{name} is called {document['name']} now."])


@commands.command("delete")
def delete(slug: SlugArgument, name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Remove a mapping; what was imported by it stays."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        mapping = mappings.mapping_named(session, project, name)
        document = _document(mapping)
        mappings.forget_mapping(session, actor, project, mapping)
    emit(document, as_json, [f"{name} is removed. To have it back, import with: {_in_words(document['columns'])}"])


def _document(mapping: ColumnMapping) -> dict[str, Any]:
    return {"name": mapping.name, "columns": mapping.columns}


def _in_words(columns: dict[str, Any]) -> str:
    pairs = [
        f"{role}={path}" for role, paths in columns.items() for path in ([paths] if isinstance(paths, str) else paths)
    ]
    return " ".join(f"--map {json.dumps(pair, ensure_ascii=False) if ' ' in pair else pair}" for pair in pairs)
