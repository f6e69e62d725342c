"""`handpicked style`: a project's house style and the examples it shows as models."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.examples import queries, style_operations, style_queries
from app.examples.style.sheet import BY_NAME

RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="The rule's name; `style show` lists them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="House style: what is remarked upon, and the models.")
    commands.command("show")(show)
    commands.command("set")(set_)
    commands.command("models")(models)
    commands.command("model")(model)
    app.add_typer(commands, name="style")


def show(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Show which rules are on and how they are set."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        rules = style_queries.sheet_of(session, project.id).as_dict()
    emit({"rules": rules}, as_json, [line for name in rules for line in _lines(name, rules[name])])


def set_(
    slug: SlugArgument,
    rule: RuleArgument,
    changes: Annotated[
        list[str], typer.Argument(metavar="on|off|KEY=VALUE…", help="What to change; phrases are parted by `;`.")
    ],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch or tune one rule; the others stay as they are."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        sheet = style_operations.change_rule(session, actor, project, rule, _changes(changes))
        rules = sheet.as_dict()
    emit({"rules": rules}, as_json, list(_lines(rule, rules[rule])))


def _changes(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if word in {"on", "off"}:
            found["on"] = word == "on"
        elif equals and key:
            found[key] = int(value) if value.isdecimal() and len(value) < 10 else value.replace(";", "\n")
        else:
            raise typer.BadParameter(f"{word} is neither on, off nor KEY=VALUE")
    return found


def _lines(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'on ' if row['on'] else 'off'}  {name}: {BY_NAME[name].title}"
    for key, value in row.items():
        if key != "on":
            yield f"       {key} = {'; '.join(value) if isinstance(value, list) else value}"


def models(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """List the examples that are shown as models."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        shown = [(example.id, head.title) for example, head in session.execute(style_queries.models_of(project.id))]
    emit({"models": [number for number, _ in shown]}, as_json, [f"{number:>6}  {title}" for number, title in shown])


def model(
    slug: SlugArgument,
    example_id: Annotated[int, typer.Argument(metavar="ID", help="An approved example.")],
    off: Annotated[bool, typer.Option("--off", help="No longer show it.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an approved example to everybody who writes, as a model."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        example = queries.example_in(session, project.id, example_id)
        style_operations.set_model(session, actor, project, example, shown=not off)
        found = [one.id for one, _ in session.execute(style_queries.models_of(project.id))]
    said = f"Example {example_id} is {'no longer' if off else 'shown as'} a model."
    emit({"models": found}, as_json, [said])
