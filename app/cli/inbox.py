"""`handpicked inbox`: what waits for the acting person."""

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.home.inbox import inbox_of
from app.home.inbox_api import document
from app.home.letters import KINDS


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(inbox)


def inbox(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """What came back, where one is named, what was handed over, what one holds."""
    with House(as_email).writing() as (session, actor):
        found = inbox_of(session, actor, project_for(session, actor, slug))
    items = [document(item).model_dump(mode="json") for item in found.items]
    lines = [f"Example {item['example_id']} {KINDS[item['kind']]}: {item['title']}" for item in items]
    emit({"waiting": found.waiting, "items": items}, as_json, lines or ["Nothing waits for you."])
