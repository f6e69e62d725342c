"""`handpicked duplicates clusters|settle|removed|thresholds|judge`: what is more than one pair."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.duplicates import queries
from app.duplicates.calibrating import Reading, Share, share_words
from app.duplicates.documents import cluster_documents, pair_documents, thresholds_document
from app.duplicates.gathering import cluster_with, clusters_of
from app.duplicates.judging import judge as judge_pair
from app.duplicates.models import Method, On
from app.duplicates.removing import all_removals, as_csv, as_jsonl
from app.duplicates.settling import settle_cluster
from app.duplicates.thresholds import readings_of
from app.web.found import found
from app.web.words import plural

SHOWN = 50
SAYINGS = ("same", "different")
FORMS = {".jsonl": as_jsonl, ".csv": as_csv}


def add_cluster_commands(pairs: typer.Typer) -> None:
    """Add the commands to `handpicked duplicates`."""
    for command in (clusters, settle, removed, thresholds, judge):
        pairs.command(command.__name__)(command)


def clusters(
    slug: SlugArgument,
    threshold: Annotated[float, typer.Option(help="Only pairs with at least this score.")] = 0.0,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the clusters of open pairs: texts that are each paired with the first; leaks first, then by score."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        rows = cluster_documents(session, project.id, clusters_of(session, project.id, threshold))
    emit({"clusters": rows}, as_json, list(map(_cluster_line, rows)) or ["No open pairs."])


def _cluster_line(row: Mapping[str, Any]) -> str:
    how = "kept out of sight" if row["score"] is None else f"{row['score']:.3f}  {row['method']:<10}"
    return (
        f"{row['pair']:>6}  {how} {'  '.join(key or 'a test prompt' for key in row['texts'])}{'  LEAK' * row['leak']}"
    )


def settle(
    slug: SlugArgument,
    pair_id: Annotated[int, typer.Argument(metavar="PAIR", help="A pair of the cluster.")],
    keep: Annotated[str, typer.Option(metavar="KEY", help="The text to keep; the others are rejected.")] = "",
    keep_all: Annotated[bool, typer.Option("--all", help="Keep all of them.")] = False,
    reason: Annotated[str, typer.Option(help="Kept with the decision; needed where all of a leak stay.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a whole cluster at once; `duplicates undo` of the pair that it names opens all of it again."""
    if bool(keep) == keep_all:
        raise typer.BadParameter("say either --keep KEY or --all")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = found(session, queries.pair_in(project.id, pair_id))
        cluster = cluster_with(clusters_of(session, project.id), pair)
        leader = settle_cluster(session, actor, project, cluster, keep or None, reason)
        document = document_of(session, project.id, leader.id)
    words = (
        f"Kept {keep}; rejected the other {len(cluster.members) - 1}." if keep else f"Kept all {len(cluster.members)}."
    )
    emit(document, as_json, [f"{words} Undo by pair {document['id']}."])


def document_of(session: Session, project_id: int, pair_id: int) -> dict[str, Any]:
    """The pair as it stands after what was just decided."""
    session.flush()
    fresh = queries.pair_in(project_id, pair_id).execution_options(populate_existing=True)
    return pair_documents(session, project_id, [found(session, fresh)])[0]


def removed(
    slug: SlugArgument,
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl|FILE.csv", help="Write all of it there.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What decisions took out as duplicates: each text, the copy that was kept, who, when and why."""
    if out is not None and out.suffix not in FORMS:
        raise typer.BadParameter(f"--out takes a name that ends in {' or '.join(FORMS)}")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        rows = list(all_removals(session, project.id))
    if out is not None:
        out.write_text("".join(FORMS[out.suffix](rows)), "utf-8")
    emit({"removals": rows}, as_json, [f"{plural(len(rows), 'text')} removed.", *_removal_lines(rows)])


def _removal_lines(rows: list[dict[str, Any]]) -> Iterable[str]:
    for row in rows[:SHOWN]:
        sides = f"{row['removed'] or 'a test prompt'} for {row['kept'] or 'a test prompt'}"
        why = f", because: {row['why']}" if row["why"] else ""
        yield f"{row['pair']:>6}  {sides}, {row['decided_by'] or 'somebody'}, {row['decided_at']}{why}"
    if len(rows) > SHOWN:
        yield f"  and {len(rows) - SHOWN:,} more; --out writes all"


def thresholds(
    slug: SlugArgument,
    method: Annotated[
        Method, typer.Option(metavar="embedding|lexical", help="Of which way of looking.")
    ] = Method.EMBEDDING,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each threshold finds, by the pairs that people judged and those that their site closed as copies."""
    if method not in {Method.EMBEDDING, Method.LEXICAL}:
        raise typer.BadParameter("--method takes embedding or lexical")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        found_readings = readings_of(session, project.id, method)
        document = thresholds_document(found_readings)
    rows = list(map(_reading_line, found_readings.readings))
    head = "from, pairs; of them the same; found of the same; found of known copies (shares with 95 % intervals)"
    emit(document, as_json, [head, *rows] if rows else ["No look has counted pairs yet; `handpicked dedup` does."])


def _reading_line(one: Reading) -> str:
    shares = "  ".join(map(_words, (one.precision, one.recall, one.links)))
    return f"{one.at / 100:.2f} {one.pairs:>9,} pairs  {shares}".rstrip()


def _words(share: Share | None) -> str:
    return f"{share_words(share):<18}"


def judge(
    slug: SlugArgument,
    left: Annotated[
        str, typer.Argument(metavar="LEFT", help="The key of one text, as candidate:SITE/ID or example:ID.")
    ],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="The key of the other.")],
    verdict: Annotated[str, typer.Argument(metavar="same|different", help="What they are.")],
    on: Annotated[On, typer.Option(help="What was compared.")] = On.PROMPT,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether two texts are the same, so that thresholds can be read; `duplicates thresholds` lists some."""
    if verdict not in SAYINGS:
        raise typer.BadParameter(f"two texts are {' or '.join(SAYINGS)}, not {verdict}")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = judge_pair(session, actor, project, left, right, on, same=verdict == "same")
        document = document_of(session, project.id, pair.id)
    emit(document, as_json, [f"{left} and {right}: {verdict}"])
