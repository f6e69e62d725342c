"""`handpicked import`: dumps and files of examples into the pool or the set."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.address import address
from app.cli.bringing import brought_in, called, there
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.sources import operations, queries
from app.sources.archives import brought, workspace_of
from app.sources.formats import FORMATS, open_source, recognise, require_known, rules_of
from app.sources.hub import hub_id
from app.sources.inputs import Input
from app.sources.known import known_total
from app.sources.mappings import known_columns, mapping_from_file, mapping_named
from app.sources.models import ImportRun, ImportState, Into
from app.sources.operations import ImportPlan
from app.sources.preview import COUNTED
from app.sources.readers.base import ReadOptions
from app.sources.readers.columns import ROLES
from app.sources.readers.files import ENCODINGS, is_about_encoding
from app.sources.records import BadInput, BadLine, BadLines
from app.sources.rulefiles import ruleset_from_file
from app.sources.rulesets import PRESETS, Ruleset, ruleset_from
from app.sources.unread import lines_of
from app.sources.uploads import DUMP_FILES
from app.web.words import plural

SUMS = ("records", "created", "unchanged", "flagged", "seconds")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def _known_format(value: str) -> str:
    if value not in FORMATS:
        raise typer.BadParameter(f"{value} is none of {', '.join(FORMATS)}.")
    return value


def _file_of(plan: ImportPlan) -> str:
    return hub_id(plan.hub).name if plan.hub else ""


def _known_encoding(value: str) -> str:
    if value not in ENCODINGS:
        raise typer.BadParameter(f"{value} is none of {', '.join(ENCODINGS)}.")
    return value


def _in_a_folder(value: Path | None) -> Path | None:
    if value is not None and not value.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {value.parent} to write it in.")
    return value


FormatOption = Annotated[
    str, typer.Option(callback=_known_format, metavar="FORMAT", help=f"One of: {', '.join(FORMATS)}.")
]
PathsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH…", help=r"Files, folders of a dump, or hf://owner/name\[@revision] of the Hub.", callback=there
    ),
]
SiteOption = Annotated[str, typer.Option(metavar="HOST", help="The exchange that a dump comes from.")]
SourceOption = Annotated[
    str | None, typer.Option(metavar="ROW", help="The composition row that the records count towards.")
]
IntoOption = Annotated[Into, typer.Option(help="Candidates to pick from, or submitted examples.")]
RulesOption = Annotated[
    str, typer.Option(metavar="PRESET|FILE", help="Which records to keep; of a dump by LIMA's rules.")
]
NameOption = Annotated[str | None, typer.Option(help="What the import is called.")]
LicenceOption = Annotated[str | None, typer.Option(help="The licence of records that name none.")]
ColumnsOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="A saved mapping of columns; see `handpicked mapping list`.")
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.json|toml", exists=True, dir_okay=False, help="A file that says what a table's columns are."
    ),
]
PairsOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="PART=COLUMN", help=f"What a table's column is: {', '.join(ROLES)}. Repeatable."),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the format's own, such as sheet. Repeatable."),
]
EncodingOption = Annotated[
    str, typer.Option(callback=_known_encoding, metavar="NAME", help=f"Of text files: {', '.join(ENCODINGS)}.")
]
SkipOption = Annotated[bool, typer.Option("--skip-bad", help="Leave bad records out instead of refusing.")]
ReportOption = Annotated[
    Path | None, typer.Option(metavar="FILE.jsonl", dir_okay=False, callback=_in_a_folder, help="One line a record.")
]


@dataclass(frozen=True)
class _Wanted:
    """How the files are imported, as the options say it; `plan` has all that is the same for each of them."""

    format: str
    rules: str
    name: str | None
    chosen: dict[str, Any]
    plan: dict[str, Any]


def import_(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    given: PathsArgument,
    format: FormatOption = "auto",
    site: SiteOption = "",
    source: SourceOption = None,
    into: IntoOption = Into.POOL,
    rules: RulesOption = "",
    name: NameOption = None,
    licence: LicenceOption = None,
    columns: ColumnsOption = None,
    mapping: MappingOption = None,
    pairs: PairsOption = None,
    settings: SettingsOption = None,
    encoding: EncodingOption = "auto",
    skip_bad: SkipOption = False,
    report: ReportOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import files: what is read, what is dropped by which rule, and what is new."""
    house = House(as_email)
    chosen = settings_of(pairs or (), settings or ())
    if mapping is not None:
        chosen["columns"] = mapping_from_file(mapping).as_settings() | chosen.get("columns", {})
    if columns is not None:
        chosen["columns"] = _saved(house, slug, columns) | chosen.get("columns", {})
    if "columns" in chosen and format == "auto":
        format = "table"
    plan = {"site": site, "source": source, "licence": licence, "into": into, "skip_bad": skip_bad}
    wanted = _Wanted(format, rules, name, chosen, {**plan, "encoding": encoding})
    runs = _finished(house, _begun(house, slug, given, wanted))
    if report is not None:
        _write_report(house, runs, report)
    pages = f"{address(house.settings)}/projects/{slug}/imports"
    emit(_document(runs), as_json, [line for run in runs for line in _words(run, f"{pages}/{run.id}")])
    if not as_json:
        sys.stderr.writelines(f"{line}\n" for run in runs for line in lines_of(run.name, run.result))


def _begun(house: House, slug: str, given: Sequence[str], wanted: _Wanted) -> list[ImportRun]:
    """Start the import of each file; none is started unless all can be."""
    with brought_in(house, slug, given) as fetched:
        read_as = (wanted.format, wanted.plan["encoding"])
        plans = [
            ImportPlan(
                path=path.absolute(),
                name=wanted.name or called(path, fetched[path]),
                format=found,
                ruleset=chosen_rules(wanted.rules, found),
                settings=own,
                hub=str(fetched[path] or ""),
                **wanted.plan,
            )
            for path, found, own in _recognised(house, slug, list(fetched), read_as, wanted.chosen)
        ]
        with house.writing() as (session, actor):
            project = project_for(session, actor, slug)
            begun = [operations.start_import(session, actor, project, plan, _file_of(plan)) for plan in plans]
            for run in begun:
                house.take(session, run.job_id)
            return begun


def settings_of(mapping: Sequence[str], settings: Sequence[str]) -> dict[str, Any]:
    """What `--map PART=COLUMN` and `--set NAME=VALUE` say; a prompt may have several columns."""
    found: dict[str, Any] = dict(_pair(one, "--set") for one in settings)
    columns: dict[str, Any] = {}
    for part, column in (_pair(one, "--map") for one in mapping):
        if part == "prompt":
            columns.setdefault(part, []).append(column)
        elif columns.setdefault(part, column) != column:
            raise typer.BadParameter(f"only the prompt may have several columns, {part} has {columns[part]} already.")
    return found | ({"columns": columns} if columns else {})


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    # A setting that is a list may be empty: nothing is left out.
    if not sign or not name.strip() or not (value or option == "--set"):
        raise typer.BadParameter(f"{option} {text} is not NAME=VALUE.")
    return name.strip(), value


def _saved(house: House, slug: str, name: str) -> dict[str, Any]:
    with house.writing() as (session, actor):
        return dict(mapping_named(session, project_for(session, actor, slug), name).columns)


def _recognised(
    house: House, slug: str, paths: Sequence[Path], read_as: tuple[str, str], chosen: dict[str, Any]
) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Each path with its format and settings, all looked at before anything is imported; a dump's files are one.

    A table whose columns nobody has said is mapped as the last one with these columns was.
    """
    workspace, (format, encoding) = workspace_of(house.settings), read_as
    dumps = {path.absolute().parent for path in paths if path.name == "Posts.xml"}
    for path in paths:
        if path.name in DUMP_FILES[1:] and path.absolute().parent in dumps:
            continue
        source = brought(path, workspace, encoding=encoding, sample_bytes=COUNTED)
        found = format if format != "auto" else _format_of(source)
        require_known(found, chosen)
        own = chosen
        if found == "table":
            if "columns" not in chosen:
                own = chosen | _known(house, slug, source, chosen)
            # Whether its columns are mapped, and to some that are there, is said before anything is written.
            open_source(source, found, options=ReadOptions(settings=own))
        yield path, found, own


def _format_of(source: Input) -> str:
    try:
        return recognise(source)
    except BadInput as refusal:
        if not is_about_encoding(refusal.reason):
            raise
        raise BadInput(f"{refusal.reason}; --encoding names it", refusal.line) from refusal


def _known(house: House, slug: str, source: Input, chosen: dict[str, Any]) -> dict[str, Any]:
    with house.writing() as (session, actor):
        columns = known_columns(session, project_for(session, actor, slug), source, chosen)
    return {"columns": columns} if columns else {}


def chosen_rules(rules: str, format: str) -> Ruleset:
    """The preset or file asked for; by default LIMA's rules for a dump, none for files of examples."""
    if not rules:
        rules = rules_of(format)
    return ruleset_from(rules) if rules in PRESETS else ruleset_from_file(Path(rules))


def _finished(house: House, begun: Sequence[ImportRun]) -> list[ImportRun]:
    """Do each import, and end the command with the reasons of those that did not succeed."""
    house.run(*(run.job_id for run in begun if run.job_id is not None))
    with house.reading() as session:
        runs = [session.get_one(ImportRun, run.id) for run in begun]
    failed = [run for run in runs if run.state is not ImportState.PUBLISHED]
    if failed:
        reasons = [_why(run) for run in failed]
        fail(
            reasons[0]
            if len(runs) == 1
            else " ".join(f"{run.name}: {why}" for run, why in zip(failed, reasons, strict=True))
        )
    return runs


def _why(run: ImportRun) -> str:
    why = run.error or f"The import ended as {run.state}."
    why = f"{why} --skip-bad does the latter." if why.endswith(BadLines.WAY_OUT) else why
    return f"{why} If the text is in another encoding, say which with --encoding." if is_about_encoding(why) else why


def _document(runs: Sequence[ImportRun]) -> dict[str, Any]:
    """The one document: an import's own, or the sums of several with each of them in `imports`."""
    results = [run.result for run in runs]
    if len(results) == 1:
        return results[0]
    formats = {result["format"] for result in results}
    notes = [f"{run.name}: {note}" for run in runs for note in run.result.get("notes", ())]
    left_out = [one for result in results for one in result.get("left_out", ())]
    unanswered = sum(result.get("unanswered", 0) for result in results)
    funnel: dict[str, dict[str, Any]] = {}
    for row in (row for result in results for row in result["funnel"]):
        total = funnel.setdefault(row["rule"], {"rule": row["rule"], "kept": 0, "dropped": 0})
        total["kept"], total["dropped"] = total["kept"] + row["kept"], total["dropped"] + row["dropped"]
    return {
        "format": formats.pop() if len(formats) == 1 else "mixed",
        **{key: sum(result[key] for result in results) for key in SUMS},
        "funnel": list(funnel.values()),
        "errors": [error for result in results for error in result["errors"]],
        **({"unanswered": unanswered} if unanswered else {}),
        **({"notes": notes} if notes else {}),
        **({"left_out": left_out} if left_out else {}),
        "peak_rss_mb": max(result["peak_rss_mb"] for result in results),
        "imports": [{"name": run.name, **run.result} for run in runs],
    }


def _write_report(house: House, runs: Sequence[ImportRun], report: Path) -> None:
    with house.reading() as session, report.open("w", encoding="utf-8") as file:
        for run in runs:
            for line in queries.report_lines(session, run.noted_under):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _words(run: ImportRun, page: str) -> list[str]:
    result = run.result
    lines = [f"{run.name}: {result['format']}, {result['records']:,} records read in {result['seconds']:.1f} s"]
    lines += [f"  {row['rule']:<16} kept {row['kept']:>7,}   dropped {row['dropped']:>7,}" for row in result["funnel"]]
    lines.append(f"  {result['created']:,} new, {result['unchanged']:,} there already")
    if result["flagged"]:
        lines.append(f"  {result['flagged']:,} marked for a person to look at")
    if known := known_total(run):
        lines.append(f"  {plural(known, 'pair')} of questions that the site closed as copies: {page}/known-duplicates")
    lines += [f"  {note}" for note in result.get("notes", ())]
    lines += [f"  {BadLine(**bad)}" for bad in result["errors"][:20]]
    more = (result.get("errors_total") or len(result["errors"])) - 20
    return [*lines, f"  and {more:,} more: {page}"] if more > 0 else lines
