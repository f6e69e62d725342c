"""`handpicked composition`, `exchange`: what a project wants of each source, and where an exchange counts."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import Refusal
from app.projects import operations, queries
from app.projects.forms import CompositionIn, TargetRow
from app.projects.models import CompositionRow
from app.sources import exchanges
from app.sources import operations as sources
from app.sources import queries as source_queries
from app.sources.exchanges import ExchangeKind
from app.web.forms import check

targets = typer.Typer(no_args_is_help=True, help="How many examples a project wants of each source.")
sites = typer.Typer(no_args_is_help=True, help="Where each exchange counts.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(targets, name="composition")
    app.add_typer(sites, name="exchange")


@targets.command("show")
def show(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """The composition target in its order, as `composition set` takes it."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        rows = [_row(row) for row in session.scalars(queries.composition_of(project))]
    emit({"rows": rows}, as_json, _lines(rows) or ["It wants nothing yet; `handpicked composition set` says what."])


@targets.command("set")
def set_(
    slug: SlugArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE.json|toml", help="The rows.", exists=True, dir_okay=False)],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the composition target by a file's rows; examples keep their sources."""
    wanted = check(CompositionIn, _read(file))
    if wanted.errors:
        field, why = next(iter(wanted.errors.items()))
        raise Refusal(f"{file.name} is no composition, at {field}: {why.rstrip('.')}. Nothing was changed.")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        operations.set_composition(session, actor, project, [row.as_target() for row in wanted.value.rows])
        rows = [_row(row) for row in session.scalars(queries.composition_of(project))]
    emit({"rows": rows}, as_json, _lines(rows))


def _read(file: Path) -> Any:
    try:
        text = file.read_text("utf-8")
        found = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise Refusal(f"{file.name} cannot be read ({error}); nothing was changed.") from error
    return {"rows": found} if isinstance(found, list) else found


def _row(row: CompositionRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TargetRow.model_fields}


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['source']:<28} {row['split']:<6} {row['target']:>7,}  {row['title']}" for row in rows]


@sites.command("list")
def list_exchanges(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Each known exchange with its group: stem, other or discarded."""
    with House(as_email).writing() as (session, actor):
        own = source_queries.exchange_groups(session, project_for(session, actor, slug))
    known = sorted({*exchanges.DEFAULT_EXCHANGES, *own})
    found = {site: exchanges.kind_of(site, own).value for site in known}
    lines = [f"{site:<40} {group}{' (decided here)' if site in own else ''}" for site, group in found.items()]
    emit({"exchanges": found}, as_json, lines)


@sites.command("set")
def sort_exchange(
    slug: SlugArgument,
    site: Annotated[str, typer.Argument(metavar="HOST", help="The exchange.")],
    group: Annotated[ExchangeKind, typer.Argument(metavar="GROUP", help="stem, other or discarded.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide where an exchange counts from now on; what was imported before keeps its source."""
    host = exchanges.site_host(site)
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        sources.set_exchange_group(session, actor, project, host, group)
    emit({"exchanges": {host: group.value}}, as_json, [f"{host} is {group.value} in {slug} from now on."])
