"""`handpicked dedup` and `handpicked duplicates`: look for duplicates, list them, decide, undo."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.clusters import add_cluster_commands
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.cli.merging import merge
from app.duplicates import operations, queries
from app.duplicates.documents import pair_documents, report_lines, result_document
from app.duplicates.models import SCANNED, DuplicateScan, Method, On, Verdict
from app.duplicates.operations import THRESHOLD, WORDING, verdict_words
from app.web.found import found
from app.web.words import plural

PairArgument = Annotated[int, typer.Argument(metavar="PAIR", help="The pair's number; see `duplicates list`.")]
METHODS = ",".join(method.value for method in SCANNED)
VERDICTS = {verdict.value.removeprefix("keep_"): verdict for verdict in Verdict if verdict is not Verdict.OPEN}
VERDICTS |= {verdict.value: verdict for verdict in VERDICTS.values()}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("dedup")(dedup)
    pairs = typer.Typer(no_args_is_help=True, help="Pairs that look alike, and what to do about them.")
    pairs.command("list")(list_pairs)
    pairs.command("decide")(decide)
    pairs.command("undo")(undo)
    pairs.command("merge")(merge)
    add_cluster_commands(pairs)
    app.add_typer(pairs, name="duplicates")


def dedup(
    slug: SlugArgument,
    method: Annotated[str, typer.Option(metavar=METHODS, help="How to look.")] = METHODS,
    on: Annotated[On, typer.Option(help="What to compare.")] = On.PROMPT,
    threshold: Annotated[float, typer.Option(help="The least cosine of a pair.")] = THRESHOLD,
    lexical_threshold: Annotated[float, typer.Option(help="The least share of the wording of a pair.")] = WORDING,
    report: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="One line a pair.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for duplicates among candidates and examples, here and now; nothing is decided by looking."""
    methods = _methods(method)
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        scan = operations.start_scan(
            session, actor, project, methods=methods, on=on, threshold=threshold, wording=lexical_threshold
        )
        house.take(session, scan.job_id)
    assert scan.job_id is not None
    house.run_or_fail(scan.job_id)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        done = session.get_one(DuplicateScan, scan.id)
        if report is not None:
            lines = report_lines(session, project.id, session.scalars(queries.pairs_found_by(done)).all())
            report.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
        emit(result_document(done), as_json, _scan_words(done))


def _methods(names: str) -> list[Method]:
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = [method.value for method in SCANNED]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise typer.BadParameter(f"--method takes {', '.join(known)}, not {', '.join(unknown) or 'nothing'}")
    return [Method(name) for name in wanted]


def _scan_words(scan: DuplicateScan) -> list[str]:
    result = scan.result
    counts = ", ".join(f"{result['pairs'][method]:,} {method}" for method in scan.methods)
    spent = sum(result["seconds"].values())
    lines = [f"{result['texts']:,} texts compared by {scan.on} in {spent:.1f} s: {counts}"]
    lines.append(f"  {plural(result['clusters'], 'cluster')}, {plural(result['leaks'], 'leak')} between splits")
    return lines


def list_pairs(
    slug: SlugArgument,
    verdict: Annotated[Verdict | None, typer.Option(help="Only pairs with this verdict.")] = None,
    threshold: Annotated[float, typer.Option(help="Only pairs with at least this cosine.")] = 0.0,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the known pairs: leaks first, then by score."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        pairs = session.scalars(queries.listed(session, project.id, verdict, threshold)).all()
        rows = pair_documents(session, project.id, pairs)
    emit({"pairs": rows}, as_json, list(map(_pair_line, rows)) or ["No pairs. `handpicked dedup` looks for them."])


def _pair_line(row: Mapping[str, Any]) -> str:
    how = "kept out of sight" if row["score"] is None else f"{row['score']:.3f}  {row['method']:<10}"
    sides = f"{row['left'] or 'a test prompt'}  {row['right'] or 'a test prompt'}"
    return f"{row['id']:>6}  {how} {row['verdict']:<10} {sides}{'  LEAK' if row['leak'] else ''}"


def decide(
    slug: SlugArgument,
    pair_id: PairArgument,
    verdict: Annotated[str, typer.Argument(metavar="left|right|both", help="What to keep.")],
    reason: Annotated[str, typer.Option(help="Kept with the decision; needed where both sides of a leak stay.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a pair: keeping one rejects the other."""
    if verdict not in VERDICTS:
        raise typer.BadParameter(f"what to keep is left, right or both, not {verdict}")
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = found(session, queries.pair_in(project.id, pair_id))
        operations.decide(session, actor, project, pair, VERDICTS[verdict], reason)
    _show(house, slug, pair_id, as_json)


def undo(slug: SlugArgument, pair_id: PairArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Open a pair again and put back what its decision changed."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = found(session, queries.pair_in(project.id, pair_id))
        operations.undo(session, actor, project, pair)
    _show(house, slug, pair_id, as_json)


def _show(house: House, slug: str, pair_id: int, as_json: bool) -> None:
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = found(session, queries.pair_in(project.id, pair_id))
        [document] = pair_documents(session, project.id, [pair])
        because = f", because: {pair.reason}" if pair.reason else ""
        words = [f"{document['left']} and {document['right']}: {verdict_words(pair.verdict)}{because}"]
    emit(document, as_json, words)
