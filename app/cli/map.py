"""`handpicked map`: the pool's map in figures, having it drawn, naming its regions."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.selection.atlas import operations, queries
from app.selection.atlas.figures import map_document


class ByProject(TyperGroup):
    """`map PROJECT` is `map show PROJECT`: a first word that is no command is a project's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word in that may be left out."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args.insert(0, "show")
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    maps = typer.Typer(cls=ByProject, no_args_is_help=True, help="The pool's map: `map PROJECT` prints its regions.")
    maps.command("show")(show)
    maps.command("name")(name)
    app.add_typer(maps, name="map")


def show(
    slug: SlugArgument,
    draw: Annotated[bool, typer.Option("--draw", help="Draw it first, or place what is new on it, and wait.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Lay everything out from the beginning, and wait.")] = False,
    points: Annotated[bool, typer.Option("--points", help="Name each candidate's place as well.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the regions of the pool's map: how much of each the set covers."""
    house = House(as_email)
    if draw or anew:
        with house.writing() as (session, actor):
            job = operations.start_mapping(session, actor, project_for(session, actor, slug), anew=anew)
            house.take(session, job.id)
        house.run_or_fail(job.id)
    actor = house.acting()
    with house.reading() as session:
        project = project_for(session, actor, slug)
        drawn = queries.map_of(session, project.id, whole=True)
        document = map_document(session, drawn)
        if points:
            rows = session.execute(queries.seen_points(drawn.id)).all() if drawn else []
            document["points"] = {
                "columns": ["candidate", "x", "y", "region", "near"],
                "rows": [list(row[:5]) for row in rows],
            }
    emit(document, as_json, _lines(document))


def name(
    slug: SlugArgument,
    number: Annotated[int, typer.Argument(metavar="REGION", help="The region's number.")],
    called: Annotated[
        str | None, typer.Argument(metavar="NAME", help='What to call it; "" for its own words again.')
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Call it as before its last naming.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call a region of the map by a name; it keeps it on every map on which most of its middle is one region."""
    if undo == (called is not None):
        raise typer.BadParameter("say a NAME, or --undo")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        if called is None:
            now = operations.take_back_name(session, actor, project, number)
        else:
            now = operations.name_region(session, actor, project, number, called)
    emit({"number": number, "name": now}, as_json, [f"Region {number} is called {now}."])


def _lines(document: dict[str, Any]) -> list[str]:
    head = document["map"]
    if head is None:
        return ["No map was drawn yet; --draw draws one of what is encoded (handpicked encode)."]
    lines = [
        f"{one['number']:>3}  {one['name']:<40.40}  {one['candidates']:>7,} candidates  {one['kept']:>5,} kept"
        f"  {one['examples']:>5,} in the set  {one['not_near']:>7,} not near any{'  thin' if one['thin'] else ''}"
        for one in document["regions"]
    ]
    if head["waiting"]:
        lines.append(f"{head['waiting']:,} more are encoded and not on it yet; --draw places them.")
    return lines
