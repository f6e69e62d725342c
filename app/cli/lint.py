"""`handpicked lint`: house style over a project's examples, or over a file before anybody imports it."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, emit, project_for
from app.errors import NotFound, Refusal
from app.examples import style_queries
from app.examples.style.counting import Lint, Linted, lint
from app.examples.style.sheet import About, Sheet
from app.sources.formats import open_source
from app.sources.records import BadInput
from app.sources.rulefiles import ruleset_from_file
from app.sources.rulesets import PRESETS, Ruleset


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lint")(lint_)


def lint_(
    what: Annotated[
        str, typer.Argument(metavar="PROJECT|FILE", help="A project's short name, or what can be imported.")
    ],
    site: Annotated[str, typer.Option(metavar="HOST", help="The exchange that a dump comes from.")] = "",
    rules: Annotated[
        str, typer.Option(metavar="PRESET|FILE", help="Of a file, only the records that these rules keep.")
    ] = "none",
    language: Annotated[str, typer.Option(help="The language of records that name none.")] = "en",
    sample: Annotated[
        int | None, typer.Option(min=1, help="List only so many of the remarks, drawn by chance.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw: the same number draws the same.")] = 0,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the remarks of the house style by rule, and list each; what it finds is no failure."""
    path = Path(what)
    report = _of_file(path, site, rules, language) if path.exists() else _of_project(what, as_email)
    if sample is not None and sample < len(report.items):
        report.items = random.Random(seed).sample(report.items, sample)  # noqa: S311 - a draw to read, no secret
    emit(report.as_dict(), as_json, _lines(report))


def _of_file(path: Path, site: str, rules: str, language: str) -> Lint:
    chosen = PRESETS.get(rules) or ruleset_from_file(Path(rules))
    try:
        return lint(Sheet(), _records(path, site, chosen, language))
    except BadInput as error:
        what = error.message.partition(" Nothing was imported")[0]
        raise Refusal(f"{what} Nothing was counted; mend the file and ask again.") from error


def _records(path: Path, site: str, rules: Ruleset, language: str) -> Iterator[Linted]:
    reader = open_source(path, "auto", site or None)
    reader.prepare()
    judges = rules.begin()
    for record in reader.records():
        # Rules that nobody asked for drop nothing: a lint reads what an import would refuse, too.
        if not rules.rules or judges.decide(record).kept:
            name = {"record": record.line, "external_id": record.external_id}
            yield Linted(name, record.messages_as_json(), About(record.language or language))


def _of_project(slug: str, as_email: str | None) -> Lint:
    if not slug.replace("-", "").isalnum():
        raise NotFound(f"There is no file {slug}, and a project is not called so.")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        sheet = style_queries.sheet_of(session, project.id)
        return lint(sheet, style_queries.linted(session, project.id, sheet))


def _lines(report: Lint) -> Iterator[str]:
    for item in report.items:
        yield f"{_place(item)}: {item['rule']}: {' '.join(item['passage'].split()) or 'as a whole'}"
        yield f"    {item['words']}"
    if report.items:
        yield ""
    for rule, count in report.as_dict()["remarks"].items():
        yield f"{count:>7,}  {rule}"
    yield f"{report.texts:,} texts, {sum(report.counts.values()):,} remarks"


def _place(item: dict[str, Any]) -> str:
    what = f"example {item['example']}" if "example" in item else f"record {item['external_id']}"
    return f"{what}, message {item['message'] + 1}, line {item['line']}"
