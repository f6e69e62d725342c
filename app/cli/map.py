"""`handpicked map`: the pool's map in figures, and having it drawn."""

from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.selection.atlas import operations, queries
from app.selection.atlas.figures import map_document


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("map")(show)


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
