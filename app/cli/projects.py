"""`handpicked project`: data sets in the making."""

from enum import StrEnum
from typing import Annotated

import typer

from app.accounts.models import Role
from app.accounts.operations import require_role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.cli.roles import register_with_projects
from app.errors import Refusal
from app.projects import operations, queries
from app.projects.forms import ProjectForm
from app.projects.models import Project
from app.web.forms import check

app = typer.Typer(no_args_is_help=True, help="Projects.")


class Composition(StrEnum):
    """The targets that a project can start with."""

    LIMA = "lima"
    EMPTY = "empty"


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    register_with_projects(app)
    parent.add_typer(app, name="project")


@app.command("create")
def create(
    slug: SlugArgument,
    name: Annotated[str, typer.Option(help="The name to show; empty: the short name.")] = "",
    composition: Annotated[Composition, typer.Option(help="Composition target to start with.")] = Composition.LIMA,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project."""
    wanted = check(ProjectForm, {"name": name or slug, "slug": slug, "composition": composition.value})
    if wanted.errors:
        raise Refusal("A short name has small letters, digits and hyphens, at most 64; nothing was made.")
    targets = operations.LIMA if composition is Composition.LIMA else ()
    with House(as_email).writing() as (session, actor):
        require_role(actor, Role.ADMIN)
        project = operations.create_project(session, actor, slug=slug, name=wanted.value.name, targets=targets)
        document = _document(project)
    wants = sum(target.target for target in targets)
    emit(document, as_json, [f"{slug} stands; it wants {wants:,} examples and prompts."])


@app.command("list")
def list_projects(as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """The projects that the acting person may see."""
    with House(as_email).writing() as (session, actor):
        rows = [_document(project) for project in session.scalars(queries.projects_of(actor))]
    lines = [f"{row['slug']:<32} {row['name']}{' (archived)' if row['archived'] else ''}" for row in rows]
    emit({"projects": rows}, as_json, lines or ["None yet; `handpicked project create NAME` makes one."])


@app.command("archive")
def archive(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Close a project to changes."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        operations.archive_project(session, actor, project)
        document = _document(project)
    emit(document, as_json, [f"{slug} is archived: to be read, not to be changed."])


@app.command("reopen")
def reopen(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Open an archived project again."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        operations.reopen_project(session, actor, project)
        document = _document(project)
    emit(document, as_json, [f"{slug} is open again."])


def _document(project: Project) -> dict[str, object]:
    return {"slug": project.slug, "name": project.name, "archived": project.archived_at is not None}
