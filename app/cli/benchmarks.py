"""`handpicked benchmarks`: lists of prompts that nothing may be trained on, and what is near to them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, placing, project_for
from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.documents import list_document, lists_document, match_documents
from app.duplicates.benchmarks.models import BenchmarkMatch, MatchVerdict
from app.duplicates.benchmarks.reading import read_list
from app.duplicates.models import Method
from app.duplicates.sheet import scored
from app.web.found import found
from app.web.words import plural

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The list's name.")]
MatchArgument = Annotated[int, typer.Argument(metavar="MATCH", help="Its number; see `benchmarks check`.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="Prompts of benchmarks, which nothing may be trained on.")
    commands.command("add")(add)
    commands.command("list")(list_)
    commands.command("remove")(remove)
    commands.command("check")(check)
    commands.command("settle")(settle)
    commands.command("undo")(undo)
    app.add_typer(commands, name="benchmarks")


def add(
    slug: SlugArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL, JSON, CSV, TSV, or one prompt a line.")],
    name: Annotated[str, typer.Option(help="What people call it: AlpacaEval, MT-bench.")],
    licence: Annotated[str, typer.Option(help="Its licence.")] = "",
    url: Annotated[str, typer.Option(help="Where it is from.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name a file's prompts as a benchmark, and compare every example with them."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project_for(session, actor, slug, Role.ADMIN)
    brought = read_list(file, file.name, house.settings.max_record_mb << 20)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        added, job = operations.add_list(session, actor, project, brought, name=name, licence=licence, url=url)
        house.take(session, job.id)
    house.run_or_fail(job.id)
    with house.reading() as session:
        tally = queries.tallies(session, added.project_id).get(added.id, queries.Tally())
        document = list_document(added, tally)
    emit(document, as_json, [_line(document)])


def list_(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """List the benchmarks, and how much was compared with them."""
    with House(as_email).writing() as (session, actor):
        document = lists_document(session, project_for(session, actor, slug).id)
    emit(document, as_json, _lines(document))


def _lines(document: Mapping[str, Any]) -> list[str]:
    if not document["lists"]:
        return ["No benchmark is named; `handpicked benchmarks add` does it."]
    compared = f"{document['compared']:,} of {plural(document['examples'], 'example')} of train and dev compared"
    alone = document["compared"] - document["by_meaning"]
    return [*map(_line, document["lists"]), compared + (f", {alone:,} by words alone." if alone else ".")]


def _line(one: Mapping[str, Any]) -> str:
    near = f"{plural(one['near'], 'example')} near" if one["near"] else "nothing near"
    kept = f", {one['kept']:,} kept for a reason" if one["kept"] else ""
    return f"{one['name']:<20} {plural(one['prompts'], 'prompt'):>14}  {one['sha256'][:12]}  {near}{kept}"


def remove(slug: SlugArgument, name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Take a list away with all that was found near to it."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        benchmark = queries.list_named(session, project.id, name)
        document = {"name": benchmark.name, "sha256": benchmark.sha256, "removed": True}
        operations.remove_list(session, actor, project, benchmark)
    emit(document, as_json, [f"{name} is removed."])


def check(
    slug: SlugArgument,
    report: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="One line a match, with all words.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare whatever is new, here and now, and say what is near to a benchmark; exit 0 whatever is found."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        job = operations.start_comparing(session, actor, project)
        house.take(session, job.id)
    house.run_or_fail(job.id)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        matches = session.scalars(queries.matches_of(project.id)).all()
        document = lists_document(session, project.id) | {"matches": match_documents(session, matches)}
    if report is not None:
        with placing(report):
            lines = (json.dumps(one, ensure_ascii=False) for one in document["matches"])
            report.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    emit(document, as_json, [*_lines(document), *map(_match_line, document["matches"])])


def settle(
    slug: SlugArgument,
    match_id: MatchArgument,
    verdict: Annotated[str, typer.Argument(metavar="stays|reject", help="What becomes of the example.")],
    reason: Annotated[str, typer.Option(help="Why it may stay; needed for that.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject an example that is near to a benchmark, or say why it may stay."""
    known = {"stays": MatchVerdict.STAYS, "reject": MatchVerdict.REJECTED, "rejected": MatchVerdict.REJECTED}
    if verdict not in known:
        raise typer.BadParameter(f"an example stays, or you reject it; it cannot be {verdict}")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        chosen = found(session, queries.match_in(project.id, match_id))
        operations.settle(session, actor, project, chosen, known[verdict], reason)
        document = _fresh(session, project.id, match_id)
    emit(document, as_json, [_match_line(document)])


def undo(slug: SlugArgument, match_id: MatchArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Open a match again and put back what its decision changed."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        operations.undo(session, actor, project, found(session, queries.match_in(project.id, match_id)))
        document = _fresh(session, project.id, match_id)
    emit(document, as_json, [_match_line(document)])


def _fresh(session: Session, project_id: int, match_id: int) -> dict[str, Any]:
    session.flush()
    anew = queries.match_in(project_id, match_id).execution_options(populate_existing=True)
    match: BenchmarkMatch = found(session, anew)
    [document] = match_documents(session, [match])
    return document


def _match_line(one: Mapping[str, Any]) -> str:
    if one["method"] is None:
        how = "kept out of sight"
    else:
        how = f"line {one['line']}, {scored(Method(one['method']), one['score']) or 'the same prompt'}"
    because = f" ({one['reason']})" if one["reason"] else ""
    said = f"{one['benchmark']}, {how}  {one['verdict']}{because}"
    return f"{one['id']:>6}  example {one['example']} ({one['split']})  {said}"
