"""`handpicked versions`: what was frozen, and whether it still is that."""

from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.datasets import checking, operations, queries
from app.datasets.checking import Standing
from app.web.words import ago


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("versions")(versions)


def versions(
    slug: SlugArgument,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every version with its freeze now; fails where one differs.")
    ] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of a project with their ids, counts, and when each was last found to be what was frozen."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        if verify:
            checking.verify_all(session, project.id)
        found = list(session.scalars(queries.versions_of(project)))
        documents = operations.version_documents(session, found)
        standings = checking.standings(session, [version.id for version in found])
        wrong, gone = checking.broken(session, project.id), checking.gone(session, project.id)
    lines = [_line(document, standings.get(version.id)) for document, version in zip(documents, found, strict=True)]
    lines += [f"{one.name:<12} NOT WHAT WAS FROZEN: {one.problem}" for one in gone]
    told = {"versions": documents, "gone": [{"version": one.name, **one.document()} for one in gone]}
    emit(told, as_json, lines or [f"{slug} has no version yet; `handpicked freeze` makes one."])
    if verify and wrong:
        fail("; ".join(f"{one.name} is not what was frozen: {one.problem}" for one in wrong) + ".")


def _line(document: dict[str, Any], standing: Standing | None) -> str:
    counts = ", ".join(f"{count:,} {split}" for split, count in document["examples"].items() if count)
    looked = f"verified {ago(standing.checked_at)}" if standing and standing.checked_at else "not looked at again yet"
    state = f"NOT WHAT WAS FROZEN: {document['problem']}" if document["problem"] else looked
    return f"{document['version']:<12} {document['id']}  {document['frozen']['at'][:10]}  {counts}; {state}"
