"""`handpicked invite`, `invitation`: links by which people make their own accounts."""

from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts import queries
from app.accounts.models import Invitation, Role, User
from app.cli.address import address
from app.cli.context import AsOption, House, JsonOption, emit, project_for
from app.config import Settings
from app.db import now
from app.errors import NotFound
from app.projects import operations as projects
from app.projects import queries as project_queries

ProjectOption = Annotated[
    str | None, typer.Option("--project", metavar="PROJECT", help="Into this project; else into the installation.")
]

commands = typer.Typer(no_args_is_help=True, help="Invitations that still work.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("invite")(invite)
    app.add_typer(commands, name="invitation")


def invite(
    role: Annotated[Role, typer.Option(help="annotator, reviewer or admin.")],
    email: Annotated[str, typer.Option(metavar="EMAIL", help="For this address only; empty: for anybody.")] = "",
    slug: ProjectOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a link that makes one account, and print it, this once; who has an account already joins the project."""
    house = House(as_email)
    with house.writing() as (session, actor):
        made = _invited(session, house.settings, actor, email, role, slug)
    if isinstance(made, User):
        words = f"{made.email} has an account and is {role.value} in {slug} now."
        emit({"project": slug, "email": made.email, "role": role.value, "url": None}, as_json, [words])
        return
    invitation, token = made
    url = f"{address(house.settings)}/invitations/{token}"
    emit(_document(invitation, slug) | {"url": url}, as_json, [url])


def _invited(
    session: Session, settings: Settings, actor: User, email: str, role: Role, slug: str | None
) -> tuple[Invitation, str] | User:
    if slug is not None:
        project = project_for(session, actor, slug, Role.ADMIN)
        return projects.invite_member(session, settings, actor, project, email=email, role=role)
    accounts.require_role(actor, Role.ADMIN)
    return accounts.invite(session, settings, actor, role=role, email=email or None, project_id=None)


@commands.command("list")
def list_invitations(as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Those that still work, newest first; their links are not told again."""
    with House(as_email).writing() as (session, actor):
        accounts.require_role(actor, Role.ADMIN)
        slugs = {row.id: row.slug for row in session.scalars(project_queries.projects_of(actor))}
        rows = [
            _document(row, slugs.get(row.project_id) if row.project_id else None)
            for row in session.scalars(queries.open_invitations(now()))
        ]
    lines = [
        f"{row['id']:>5}  {row['email'] or 'whoever opens it':<40} {row['role']:<10} {row['project'] or ''}".rstrip()
        for row in rows
    ]
    emit({"invitations": rows}, as_json, lines or ["None is open. `handpicked invite` makes one."])


@commands.command("withdraw")
def withdraw(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `invitation list` says.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a link useless."""
    with House(as_email).writing() as (session, actor):
        accounts.require_role(actor, Role.ADMIN)
        found = session.scalar(queries.invitation(number))
        if found is None:
            raise NotFound(f"There is no invitation {number}; `handpicked invitation list` names them.")
        accounts.withdraw_invitation(session, actor, found)
    emit({"id": number, "withdrawn": True}, as_json, [f"Invitation {number} does not work any more."])


def _document(invitation: Invitation, slug: str | None) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role.value,
        "project": slug,
        "expires_at": invitation.expires_at.isoformat(),
    }
