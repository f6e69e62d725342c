"""`handpicked user`, `people`, `member`, `token`: who is here and what they may do."""

import sys
from typing import Annotated

import typer

from app.accounts import operations as accounts
from app.accounts import queries
from app.accounts.models import ApiToken, Role, Scope, User
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.cli.roles import GroupOption
from app.db import now
from app.errors import NotFound, Refusal
from app.projects import operations as projects
from app.projects.queries import members_of
from app.projects.roles import change_author

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="Whose account.")]
RoleOption = Annotated[Role, typer.Option(help="annotator, reviewer or admin.")]

users = typer.Typer(no_args_is_help=True, help="Accounts.")
people = typer.Typer(no_args_is_help=True, help="Everybody with an account.")
members = typer.Typer(no_args_is_help=True, help="Who is in a project.")
tokens = typer.Typer(no_args_is_help=True, help="Keys to the API.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users, name="user")
    app.add_typer(people, name="people")
    app.add_typer(members, name="member")
    app.add_typer(tokens, name="token")


@users.command("create")
def create_user(
    email: EmailArgument,
    role: RoleOption,
    name: Annotated[str, typer.Option(help="The name to show; empty: from the address.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password's line.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account; without a password it can act by --as only, until an admin makes a link for it."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with House(as_email).writing() as (session, actor):
        accounts.require_role(actor, Role.ADMIN)
        user = accounts.create_user(session, actor, email=email, name=name, role=role, password=password)
        document = _person(user)
    emit(document, as_json, [f"{user.email} is {user.role.value} here now."])


@users.command("role")
def change_role(email: EmailArgument, role: RoleOption, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Give an account another role in the installation; its sessions end."""
    with House(as_email).writing() as (session, actor):
        accounts.require_role(actor, Role.ADMIN)
        user = queries.user_by_email(session, email)
        if user is None:
            raise NotFound(f"There is nobody with the address {email}.")
        accounts.change_role(session, actor, user, role)
        document = _person(user)
    emit(document, as_json, [f"{user.email} is {user.role.value} now."])


@people.command("list")
def list_people(as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Everybody with an account here, by name."""
    with House(as_email).writing() as (session, actor):
        accounts.require_role(actor, Role.ADMIN)
        rows = [_person(user) for user in session.scalars(queries.people())]
    lines = [
        f"{row['email']:<40} {row['role']:<10} {row['name']}{'' if row['active'] else ' (shut out)'}" for row in rows
    ]
    emit({"people": rows}, as_json, lines or ["Nobody yet. `handpicked serve` prints a link for the first admin."])


@members.command("add")
def add_member(
    slug: SlugArgument,
    email: EmailArgument,
    role: RoleOption,
    group: GroupOption = None,
    reads_tests: Annotated[
        bool | None, typer.Option("--reads-tests/--no-tests", help="Reads test prompts that are kept out of sight.")
    ] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give somebody a role in a project, new or changed; and a group of authors to write in."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        user = queries.user_by_email(session, email)
        if user is None:
            raise NotFound(
                f"There is nobody with the address {email}; `handpicked user create {email}` makes an account."
            )
        projects.add_member(session, actor, project, user, role)
        wanted = {"author_group": None if group is None else group.letter, "reads_tests": reads_tests}
        member = change_author(session, actor, project, user.id, wanted)
        letter = member.author_group.value if member.author_group else None
        told = {"author_group": letter, "reads_tests": member.reads_tests}
    emit(
        {"project": slug, "email": user.email, "role": role.value, **told},
        as_json,
        [f"{user.email} is {role.value} in {slug}."],
    )


@members.command("list")
def list_members(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """The members of a project, by name."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        rows = [
            {
                "email": one.user.email,
                "name": one.user.name,
                "role": one.role.value,
                "author_group": one.author_group.value if one.author_group else None,
                "reads_tests": one.reads_tests,
            }
            for one in session.scalars(members_of(project))
        ]
    emit({"members": rows}, as_json, [f"{row['email']:<40} {row['role']:<10} {row['name']}" for row in rows])


@members.command("remove")
def remove_member(
    slug: SlugArgument, email: EmailArgument, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """End a membership; what the person wrote stays."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        user = queries.user_by_email(session, email)
        if user is None:
            raise NotFound(f"There is nobody with the address {email}.")
        projects.remove_member(session, actor, project, user.id)
    emit({"project": slug, "email": user.email, "role": None}, as_json, [f"{user.email} is no member of {slug} now."])


@tokens.command("list")
def list_tokens(as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """The tokens of the person named by --as, newest first; the secrets are not told again."""
    with House(as_email).writing() as (session, actor):
        rows = [_token(row) for row in session.scalars(queries.tokens_of(actor))]
    lines = [f"{row['id']:>5}  {row['name']:<40} {row['scope']:<6} {row['state']}" for row in rows]
    emit({"tokens": rows}, as_json, lines or ["None. `handpicked token create NAME --as EMAIL` makes one."])


@tokens.command("revoke")
def revoke_token(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `token list` says.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a token of the person named by --as, at once; again changes nothing."""
    with House(as_email).writing() as (session, actor):
        token = session.scalar(queries.token_of(actor, number))
        if token is None:
            raise NotFound(
                f"There is no token {number} of {actor.email}; `handpicked token list --as EMAIL` names them."
            )
        accounts.revoke_api_token(session, actor, token)
        document = _token(token)
    emit(document, as_json, [f"{document['name']} does not work any more."])


def _token(token: ApiToken) -> dict[str, object]:
    ended = token.expires_at is not None and token.expires_at <= now()
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope.value,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "state": "revoked" if token.revoked_at else "expired" if ended else "works",
    }


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    scope: Annotated[Scope, typer.Option(help="read, write or admin; never further than its owner.")] = Scope.READ,
    project: Annotated[str | None, typer.Option(metavar="PROJECT", help="For one project only.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Ends after so many days.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token of the person named by --as and print it, this once."""
    with House(as_email).writing() as (session, actor):
        if actor.is_operator:
            raise Refusal("A token belongs to a person; name one with --as EMAIL.")
        into = projects.named_project(session, actor, project) if project else None
        row, secret = accounts.create_api_token(
            session, actor, name=name, scope=scope, project_id=into.id if into else None, days=days
        )
    document = {"id": row.id, "name": row.name, "scope": row.scope.value, "project": project, "token": secret}
    emit(document, as_json, [secret])


def _person(user: User) -> dict[str, object]:
    return {"email": user.email, "name": user.name, "role": user.role.value, "active": user.active}
