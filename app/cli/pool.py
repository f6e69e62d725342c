"""`handpicked pool`: list candidates, turn them into examples, set them aside, put them back."""

from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.projects.models import Project
from app.selection import operations, queries
from app.selection.documents import candidate_document
from app.selection.queries import PoolFilter
from app.selection.searching import index_all
from app.sources.models import Candidate, CandidateStatus
from app.sources.opening import read_again
from app.sources.operations import restore_dropped as restore_record
from app.sources.queries import published_import_of, record_of
from app.web.found import found
from app.web.words import plural

CandidatesArgument = Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Their numbers; see `pool list`.")]
SourceOption = Annotated[str, typer.Option(help="Only those of this source.")]
SiteOption = Annotated[str, typer.Option(help="Only those of this site.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    pool = typer.Typer(no_args_is_help=True, help="Candidates: looked at, picked, set aside.")
    pool.command("list")(list_pool)
    pool.command("use")(use)
    pool.command("reject")(reject)
    pool.command("restore")(restore)
    pool.command("restore-dropped")(restore_dropped)
    app.add_typer(pool, name="pool")


def list_pool(
    slug: SlugArgument,
    status: Annotated[CandidateStatus | None, typer.Option(help="Only those in this state.")] = CandidateStatus.OPEN,
    source: SourceOption = "",
    site: SiteOption = "",
    words: Annotated[str, typer.Option(help="Only those with these words; a phrase in double quotes, -not.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most.")] = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List candidates, the best score first."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        wanted = PoolFilter(status=status, source=source, site=site, words=words)
        if words:
            index_all(session, project.id)
        found = session.scalars(queries.searched(session, project.id, wanted).limit(limit)).all()
        documents = [candidate_document(candidate) for candidate in found]
    lines = [
        f"{one['id']:>7}  {one['score'] or 0:>5}  {one['site']}/{one['external_id']}  {one['title']}"
        for one in documents
    ]
    emit({"candidates": documents}, as_json, lines or ["No candidate fits."])


def use(
    slug: SlugArgument,
    ids: CandidatesArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every candidate that is not judged.")] = False,
    source: SourceOption = "",
    site: SiteOption = "",
    submit: Annotated[bool, typer.Option(help="Send the examples to review at once.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn candidates into examples; one that is an example already stays that one."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        if every == bool(ids):
            raise typer.BadParameter("name the candidates, or say --all")
        wanted = PoolFilter(status=CandidateStatus.OPEN, source=source, site=site)
        chosen = (
            list(session.scalars(queries.pool_candidates(project.id, wanted)))
            if every
            else _candidates(session, project, ids or [])
        )
        made = operations.use_candidates(session, actor, chosen, submit=submit)
        document = {"examples": [example.id for example in made], "submitted": submit}
    emit(document, as_json, [f"Turned into examples: {plural(len(made), 'candidate')}."])


def reject(
    slug: SlugArgument,
    ids: CandidatesArgument,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set candidates aside with a reason; nothing is deleted."""
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        for candidate in chosen:
            operations.reject_candidate(session, actor, candidate, reason)
    emit(
        {"rejected": [candidate.id for candidate in chosen]},
        as_json,
        [f"Rejected: {plural(len(chosen), 'candidate')}."],
    )


def restore(
    slug: SlugArgument, ids: CandidatesArgument, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """Undo a rejection, or a use while nobody has worked on the example."""
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        for candidate in chosen:
            operations.restore_candidate(session, actor, candidate)
    emit(
        {"restored": [candidate.id for candidate in chosen]},
        as_json,
        [f"Open again: {plural(len(chosen), 'candidate')}."],
    )


def restore_dropped(
    slug: SlugArgument,
    import_id: Annotated[int, typer.Argument(metavar="IMPORT", help="The import's number.")],
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", help="Records of it, counted from 1.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make candidates of records that a rule dropped; `pool reject` undoes it."""
    house = House(as_email)
    with house.writing() as (session, actor):
        run = found(session, published_import_of(project_for(session, actor, slug).id, import_id))
        rows = [found(session, record_of(run, number)) for number in numbers]
        records = read_again(run, house.settings, rows)
        made = [restore_record(session, actor, run, row, records.get(row.number)) for row in rows]
        document = {"restored": [candidate.id for candidate in made]}
    emit(document, as_json, [f"Restored: {plural(len(made), 'record')}."])


def _candidates(session: Session, project: Project, ids: list[int]) -> list[Candidate]:
    return [queries.candidate_in(session, project.id, candidate_id) for candidate_id in ids]
