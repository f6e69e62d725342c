"""`handpicked import`: a dump or a file of examples into the pool or the set."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.sources import operations, queries
from app.sources.formats import FORMATS, recognise
from app.sources.models import ImportRun, ImportState, Into
from app.sources.operations import ImportPlan
from app.sources.rulesets import PRESETS, Ruleset, ruleset_from, ruleset_from_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, or folders of a dump.", exists=True)],
    format: Annotated[str, typer.Option(help=f"One of: {', '.join(FORMATS)}.")] = "auto",  # noqa: A002
    site: Annotated[str, typer.Option(metavar="HOST", help="The exchange that a dump comes from.")] = "",
    source: Annotated[
        str | None, typer.Option(metavar="ROW", help="The composition row that the records count towards.")
    ] = None,
    into: Annotated[Into, typer.Option(help="Candidates to pick from, or submitted examples.")] = Into.POOL,
    rules: Annotated[str, typer.Option(metavar="lima|none|FILE", help="Which records to keep.")] = "",
    name: Annotated[str | None, typer.Option(help="What the import is called.")] = None,
    licence: Annotated[str | None, typer.Option(help="The licence of records that name none.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad records out instead of refusing.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="One line a record.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import files: what is read, what is dropped by which rule, and what is new."""
    house = House(as_email)
    runs = []
    for path in paths:
        with house.writing() as (session, actor):
            project = project_for(session, actor, slug)
            found = recognise(path) if format == "auto" else format
            plan = ImportPlan(
                path=path.absolute(),
                name=name or path.name,
                format=found,
                ruleset=chosen_rules(rules, found),
                site=site,
                source=source,
                licence=licence,
                into=into,
                skip_bad=skip_bad,
            )
            run = operations.start_import(session, actor, project, plan)
        runs.append(_finish(house, run))
    if report is not None:
        _write_report(house, runs, report)
    for run in runs:
        emit(run.result, as_json, _words(run))


def chosen_rules(rules: str, format: str) -> Ruleset:  # noqa: A002
    """The preset or file asked for; by default LIMA's rules for a dump, none for files of examples."""
    if not rules:
        rules = "lima" if format == "stackexchange" else "none"
    return ruleset_from(rules) if rules in PRESETS else ruleset_from_file(Path(rules))


def _finish(house: House, run: ImportRun) -> ImportRun:
    assert run.job_id is not None
    house.run_or_fail(run.job_id)
    with house.reading() as session:
        done = session.get(ImportRun, run.id)
        assert done is not None
        if done.state is not ImportState.PUBLISHED:
            fail(done.error or "The import did not end well.")
        return done


def _write_report(house: House, runs: list[ImportRun], report: Path) -> None:
    with house.reading() as session, report.open("w", encoding="utf-8") as file:
        for run in runs:
            for line in report_lines(session, run):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def report_lines(session: Session, run: ImportRun) -> Any:
    """One document a record, in the order of the file."""
    for record in session.scalars(queries.records_of(run).execution_options(yield_per=1000)):
        decision = "dropped" if record.rule else "kept"
        yield {
            "external_id": record.external_id,
            "decision": decision,
            "rule": record.rule,
            "reason": record.reason,
        }


def _words(run: ImportRun) -> list[str]:
    result = run.result
    lines = [f"{run.name}: {result['format']}, {result['records']:,} records read in {result['seconds']:.1f} s"]
    lines += [f"  {row['rule']:<16} kept {row['kept']:>7,}   dropped {row['dropped']:>7,}" for row in result["funnel"]]
    lines.append(f"  {result['created']:,} new, {result['unchanged']:,} there already")
    lines += [f"  line {bad['line']}: {bad['reason']}" for bad in result["errors"][:20]]
    return lines
