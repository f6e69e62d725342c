"""`handpicked trace`: from a row of a version back to its origin, and from an example, a candidate or an import on."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, emit, project_for
from app.datasets import operations
from app.datasets.tracing.documents import trace_document
from app.datasets.tracing.heldpage import holding_of
from app.datasets.tracing.pages import title_of
from app.datasets.tracing.tracing import row_at, row_by_hash, shares_of_import, trace_row
from app.errors import NotFound
from app.examples.credit import MERGED
from app.examples.labels import shown_text
from app.examples.queries import example_of_candidate
from app.projects.models import Project
from app.runs.seen import sightings
from app.selection.queries import candidate_in
from app.sources.queries import published_import_of
from app.web.found import found
from app.web.words import plural

WHAT = re.compile(r"(?:(example|candidate|import):)?([1-9][0-9]{0,17})")
Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace")(trace)


def trace(
    where: Annotated[
        str, typer.Argument(metavar="PROJECT[@VERSION]", help="A version, such as demo@v1, or a project.")
    ],
    what: Annotated[
        str,
        typer.Argument(
            metavar="ROW|EXAMPLE",
            help="Of a version: a row's line in examples.jsonl, or sha256:… and 8 or more digits of its hash. "
            "Of a project: the number of an example, or candidate:N, or import:N.",
        ),
    ],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trace a row of a version back to its revisions, people and origin; or an example on to versions and runs."""
    house = House(as_email)
    # Whoever acts as the local operator is made when they first act.
    with house.writing() as (session, actor):
        project = project_for(session, actor, where.partition("@")[0])
        document, lines = _of_row(session, project, where, what) if "@" in where else _onward(session, project, what)
    emit(document, as_json, lines)


def _of_row(session: Session, project: Project, where: str, what: str) -> tuple[Document, list[str]]:
    version = operations.parse_version(session, where)
    row = (
        row_at(session, version, int(what))
        if what.isdecimal() and len(what) < 8
        else row_by_hash(session, version, what)
    )
    document = trace_document(project.slug, trace_row(session, project, version, row))
    document["runs"] = [one.document() for one in sightings(session, project, row.example_id)]
    return document, _row_lines(document)


def _onward(session: Session, project: Project, what: str) -> tuple[Document, list[str]]:
    asked = WHAT.fullmatch(what)
    if asked is None:
        raise NotFound(f"{what[:80]} names no example, no candidate and no import: write 12, candidate:12 or import:3.")
    kind, number = asked[1] or "example", int(asked[2])
    if kind == "import":
        return _of_import(session, project, number)
    if kind == "candidate":
        number = _example_of(session, project, number)
    document = holding_of(session, project, number).document()
    document["runs"] = [one.document() for one in sightings(session, project, number)]
    return document, [
        f"Example {number}:" if document["there"] else f"Example {number} is gone:",
        *_onward_lines(document),
    ]


def _example_of(session: Session, project: Project, number: int) -> int:
    example = example_of_candidate(session, candidate_in(session, project.id, number).id)
    if example is None:
        raise NotFound(f"Candidate {number} was turned into no example, so no version holds it.")
    return example.id


def _of_import(session: Session, project: Project, number: int) -> tuple[Document, list[str]]:
    run = found(session, published_import_of(project.id, number))
    shares = shares_of_import(session, project, run.id)
    lines = [f"  {one.version}: {one.rows:,} of {plural(one.total, 'row')}" for one in shares]
    return {"import": run.id, "versions": [one.document() for one in shares]}, [
        f"Import {run.id}, {_shown(run.name)}:", *(lines or ["  no version holds a record of it."])
    ]  # fmt: skip


def _onward_lines(document: Document) -> list[str]:
    held = [
        f"  {one['version']}, row {one['row']:,} ({one['split']}), revision {one['revision']}, {one['sha256']}"
        for one in document["versions"]
    ]
    seen = [
        f"  run {one['run']} ({one['state']}) on {one['version']}: {'saw it' if one['saw'] else 'did not see it'}"
        for one in document["runs"]
    ]
    return [*(held or ["  no version holds it."]), *seen]


NOW = {
    "same": "today the example says the same",
    "reworded": "reworded since",
    "gone": "the example is gone; its words stay as they were frozen",
}


def _row_lines(document: Document) -> list[str]:
    origin, said = document["origin"], document["attribution"]
    lines = [
        f"{document['reference']}, row {document['row']:,}: {NOW[document['now']]}.",
        f"  prompt     {title_of(document['messages'])}",
        f"  line       {document['sha256']}, {document['split']}, {document['source']}",
        f"  example    {document['example_id']}, revision {document['revision']}",
    ]
    for one in document["revisions"]:
        frozen = ", frozen" if one["frozen"] else ""
        lines.append(f"  revision   {one['number']} by {_shown(one['author'])}, {one['at'][:10]}{frozen}")
        lines += [
            f"    {review['verdict']} by {_shown(review['reviewer'] or 'somebody who is gone')}, {review['at'][:10]}"
            for review in one["reviews"]
        ]
    if drawn := origin["sampling"]:
        lines.append(f"  drawn by   {_shown(drawn['plan'])}, seed {drawn['seed']}, {drawn['plan_sha256']}")
    if origin["candidate"]:
        lines.append(f"  candidate  {origin['candidate']['id']}")
    if brought := origin["import"]:
        place = f", record {origin['record']['number']:,}" if origin["record"] else ""
        lines.append(f"  import     {brought['id']}, {_shown(brought['name'])}{place}, rules {brought['ruleset']}")
    if said.get("url") or said.get("author"):
        lines.append(f"  post       {_named(said)}")
    lines += [f"  merged     {_named(one)}" for one in said.get(MERGED, ())]
    lines.append(f"  licence    {_shown(document['licence'] or 'not stated')}")
    return [*lines, "Held by:", *_onward_lines(document)]


def _named(credit: Mapping[str, Any]) -> str:
    return f"{_shown(credit.get('url') or 'no link')} by {_shown(credit.get('author') or 'nobody named')}"


def _shown(text: str) -> str:
    """A text on one line of a terminal, with hidden characters as marks."""
    return " ".join(shown_text(text).split())
