"""`handpicked imports`: imports of the past, and what became of their records."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import NotFound
from app.sources import queries
from app.sources.known import Question, known_pairs
from app.sources.models import ImportRecord, ImportRun
from app.sources.openedpage import Number, behind
from app.sources.records import BadLine
from app.web.words import plural

ImportArgument = Annotated[int, typer.Argument(metavar="IMPORT", help="Its number; see `imports list`.")]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most.")]

commands = typer.Typer(no_args_is_help=True, help="Imports, and what became of their records.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="imports")


@commands.command("list")
def list_imports(
    slug: SlugArgument, limit: LimitOption = 50, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """A project's imports, newest first."""
    with House(as_email).writing() as (session, actor):
        wanted = queries.imports_of(project_for(session, actor, slug).id)
        total, rows = _counted(session, wanted, limit)
        documents = [_import(run) for run in rows]
    lines = [_line(one) for one in documents] + _more(total, len(documents))
    emit({"total": total, "imports": documents}, as_json, lines or ["Nothing was imported yet."])


@commands.command("records")
def records(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    number: ImportArgument,
    rule: Annotated[str | None, typer.Option(metavar="RULE", help="Those that this rule dropped.")] = None,
    after: Annotated[str | None, typer.Option(metavar="RULE", help="Those that were left after it.")] = None,
    marked: Annotated[bool, typer.Option("--marked", help="Those that were kept and marked for a person.")] = False,
    restored: Annotated[bool, typer.Option("--restored", help="With --rule: those restored since.")] = False,
    limit: LimitOption = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What became of each record, or of those behind one number of the funnel; `pool restore-dropped` restores one."""
    chosen = Number(rule, after, marked, restored)
    if sum(map(bool, (rule, after, marked))) > 1:
        raise typer.BadParameter("take one of --rule, --after and --marked.")
    if restored and not rule:
        raise typer.BadParameter("--restored goes with --rule.")
    with House(as_email).writing() as (session, actor):
        run = _published(session, project_for(session, actor, slug).id, number)
        total, rows = _counted(session, _behind(run, chosen), limit)
        documents = [_record(row) for row in rows]
    lines = [f"{one['number']:>9}  {one['external_id'] or '':<14} {_became(one)}" for one in documents]
    emit({"total": total, "records": documents}, as_json, (lines + _more(total, len(lines))) or ["None."])


@commands.command("remarks")
def remarks(
    slug: SlugArgument,
    number: ImportArgument,
    limit: LimitOption = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was left out because nobody can read it, or left alone because its id is known with other words."""
    with House(as_email).writing() as (session, actor):
        run = _published(session, project_for(session, actor, slug).id, number)
        total, rows = _counted(session, queries.remarks_of(run.noted_under), limit)
        found = [(BadLine.from_stored(row.line, row.reason), row.unreadable) for row in rows]
    documents = [bad.document() | {"unreadable": unreadable} for bad, unreadable in found]
    lines = [str(bad) for bad, _ in found]
    words = lines + _more(total, len(lines))
    emit({"total": total, "remarks": documents}, as_json, words or ["Nothing was left out or left alone."])


@commands.command("duplicates")
def duplicates(
    slug: SlugArgument,
    number: ImportArgument,
    limit: LimitOption = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pairs of questions of a dump that its site closed as copies, each with its answer in the pool, if it has one."""
    with House(as_email).writing() as (session, actor):
        run = _published(session, project_for(session, actor, slug).id, number)
        pairs, pager = known_pairs(session, run, size=limit)
    lines = [f"{_question(pair.copy)}  is a copy of  {_question(pair.first)}" for pair in pairs]
    document = {"total": pager.total, "pairs": [asdict(pair) for pair in pairs]}
    emit(document, as_json, (lines + _more(pager.total, len(lines))) or ["The import knows of none."])


def _question(one: Question) -> str:
    return f"{one.id} {one.title}" if one.title else f"{one.id} (not in the pool)"


def _published(session: Session, project_id: int, number: int) -> ImportRun:
    run = session.scalar(queries.published_import_of(project_id, number))
    if run is None:
        raise NotFound(f"There is no published import {number} in this project; `handpicked imports list` has them.")
    return run


def _behind(run: ImportRun, number: Number) -> Select[ImportRecord]:
    if not number.chosen:
        return queries.records_of(run.noted_under)
    try:
        return behind(run, number)[0]
    except NotFound as refusal:
        there = ", ".join(row["rule"] for row in run.result.get("funnel", ())) or "none"
        raise NotFound(f"The import had no rule {number.rule or number.after}; its rules: {there}.") from refusal


def _counted(session: Session, wanted: Select[Any], limit: int) -> tuple[int, list[Any]]:
    total = session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    return total, list(session.scalars(wanted.limit(limit)))


def _more(total: int, shown: int) -> list[str]:
    return [f"{total - shown:,} more; --limit N prints more of them."] if total > shown else []


def _import(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "format": run.format,
        "into": run.into.value,
        "state": run.state.value,
        "error": run.error,
        "result": run.result,
    }


def _line(one: dict[str, Any]) -> str:
    result = one["result"]
    what = one["error"] or one["state"]
    if result:
        what = f"{plural(result['records'], 'record')}, {result['created']:,} new"
    return f"{one['id']:>6}  {one['name']:<32} {one['format']:<14} {what}"


def _record(row: ImportRecord) -> dict[str, Any]:
    return {"number": row.number, "restored": row.restored_at is not None, **queries.report_line(row)}


def _became(one: dict[str, Any]) -> str:
    since = ", restored since" if one["restored"] else ""
    by = f" by {one['rule']}" if one["rule"] else ""
    return f"{one['decision']}{by}: {one['reason']}{since}" if one["reason"] else f"{one['decision']}{by}{since}"
