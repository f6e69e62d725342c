"""`handpicked trail`: who did what."""

from typing import Annotated, Any

import typer

from app.accounts import operations as accounts
from app.accounts import queries
from app.accounts.models import AuditEntry, Role
from app.cli.context import AsOption, House, JsonOption, emit, project_for
from app.errors import NotFound


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trail")(trail)


def trail(
    slug: Annotated[str | None, typer.Argument(metavar="[PROJECT]", help="Of one project; else of everything.")] = None,
    person: Annotated[str | None, typer.Option(metavar="EMAIL", help="What this person did.")] = None,
    action: Annotated[str | None, typer.Option(help="This kind of action only, such as `freeze`.")] = None,
    before: Annotated[int | None, typer.Option(metavar="ID", help="Older than this entry.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who did what, newest first."""
    with House(as_email).writing() as (session, actor):
        if slug is None:
            accounts.require_role(actor, Role.ADMIN)
        project = project_for(session, actor, slug, Role.ADMIN) if slug is not None else None
        who = queries.user_by_email(session, person) if person is not None else None
        if person is not None and who is None:
            raise NotFound(f"There is nobody with the address {person}.")
        found = queries.trail(
            project_id=project.id if project else None, actor_id=who.id if who else None, action=action, before=before
        )
        rows = [_entry(row) for row in session.scalars(found.limit(limit))]
    lines = [f"{row['id']:>6}  {row['at'][:19]}  {row['actor']:<28} {row['action']} {row['subject']}" for row in rows]
    emit({"entries": rows}, as_json, lines or ["Nothing of that kind was done."])


def _entry(row: AuditEntry) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "actor": row.actor_name,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
    }
