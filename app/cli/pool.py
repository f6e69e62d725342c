"""`handpicked pool`: list candidates, judge titles, keep, turn into examples, set aside, put back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.projects.models import Project, Split
from app.selection import operations, queries
from app.selection.documents import found_documents
from app.selection.queries import By, Order, PoolFilter, TitleJudged
from app.selection.search.finding import find, first_of
from app.selection.search.meaning import likeness
from app.selection.searching import index_all
from app.sources.models import Candidate, CandidateStatus
from app.sources.opening import read_again
from app.sources.queries import published_import_of, record_of
from app.sources.restoring import drop_again
from app.sources.restoring import restore_dropped as restore_record
from app.web.found import found
from app.web.words import plural

CandidatesArgument = Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Their numbers; see `pool list`.")]
SourceOption = Annotated[str, typer.Option(help="Only those of this source; '(none)': without one.")]
SiteOption = Annotated[str, typer.Option(help="Only those of this site.")]
# Nobody waits at a terminal for a page: the model and the vectors are there before anything is printed.
PATIENCE = 600.0
_LENGTH = re.compile(r"(\d{1,9})-(\d{0,9})")


class Code(StrEnum):
    """Whether the last message holds a block of code."""

    YES = "yes"
    NO = "no"


class Alone(StrEnum):
    """What is said of a title; neither takes back what was said."""

    YES = "yes"
    NO = "no"
    NEITHER = "neither"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    pool = typer.Typer(no_args_is_help=True, help="Candidates: looked at, picked, set aside.")
    pool.command("list")(list_pool)
    pool.command("judge")(judge)
    pool.command("keep")(keep)
    pool.command("use")(use)
    pool.command("assign")(assign)
    pool.command("reject")(reject)
    pool.command("restore")(restore)
    pool.command("undo")(undo)
    pool.command("restore-dropped")(restore_dropped)
    app.add_typer(pool, name="pool")


def list_pool(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    status: Annotated[CandidateStatus | None, typer.Option(help="Only those in this state.")] = CandidateStatus.OPEN,
    source: SourceOption = "",
    site: SiteOption = "",
    words: Annotated[str, typer.Option(help="Only those with these words; a phrase in double quotes, -not.")] = "",
    licence: Annotated[str, typer.Option(help="Only those under this licence.")] = "",
    split: Annotated[Split | None, typer.Option(help="Only those of this split.")] = None,
    language: Annotated[str, typer.Option(help="Only those in this language, such as en.")] = "",
    mark: Annotated[str, typer.Option(help="Only those that a rule marked so, such as e-mail.")] = "",
    category: Annotated[str, typer.Option(help="Only those of this category.")] = "",
    import_id: Annotated[int | None, typer.Option("--import", help="Only those of this import.")] = None,
    title: Annotated[TitleJudged | None, typer.Option(help="Whether the title stands alone, if judged.")] = None,
    length: Annotated[str, typer.Option(metavar="FROM-TO", help="Characters of the last message, as 1200-4096.")] = "",
    score: Annotated[
        int | None, typer.Option("--score-from", help="Only those with this score or a better one.")
    ] = None,
    code: Annotated[Code | None, typer.Option(help="With code or without.")] = None,
    order: Annotated[Order, typer.Option(help="What comes first.")] = Order.BEST,
    region: Annotated[int | None, typer.Option(min=1, max=99, help="Only those in this region of the map.")] = None,
    lasso: Annotated[str, typer.Option(metavar="X.Y-X.Y-X.Y", help="Only those within this line on the map.")] = "",
    by: Annotated[By, typer.Option(help="Search by every word, by what the sentence means, or by both.")] = By.WORDS,
    like: Annotated[list[int] | None, typer.Option(metavar="ID", help="More like this one; may be repeated.")] = None,
    unlike: Annotated[list[int] | None, typer.Option(metavar="ID", help="Less like this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most.")] = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List candidates, the best score or the nearest first, and say how many more fit."""
    shortest, longest = _lengths(length)
    wanted = PoolFilter(
        status=status, source=source, site=site, words=words, licence=licence, split=split, language=language,
        flag=mark, category=category, import_run_id=import_id, title=title, shortest=shortest, longest=longest,
        least_score=score, code=None if code is None else code is Code.YES, region=region, lasso=lasso, order=order,
        by=by, like=tuple(like or ()), unlike=tuple(unlike or ()),
    )  # fmt: skip
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        if words:
            index_all(session, project.id)
    # Nobody is kept from writing while a model is loaded.
    with house.reading() as session:
        project = project_for(session, actor, slug)
        hits = find(session, project.id, wanted, PATIENCE)
        page = first_of(session, hits, limit)
        documents = found_documents(page)
    total = page.pager.total
    document = {"total": total, "reason": hits.reason, "candidates": documents}
    emit(document, as_json, [*([f"By words only. {hits.reason}"] if hits.reason else []), *_lines(documents, total)])


def _lines(documents: list[dict[str, Any]], total: int) -> list[str]:
    lines = [
        f"{one['id']:>7}  {one['score'] or 0:>5}  {_near(one)}{one['site']}/{one['external_id']}  {one['title']}"
        for one in documents
    ]
    if total > len(documents):
        lines.append(f"{total - len(documents):,} more fit; --limit N prints more of them.")
    return lines or ["No candidate fits."]


def _near(document: dict[str, Any]) -> str:
    return "" if document["near"] is None else f"{likeness(document['near']):>4}  "


def _lengths(length: str) -> tuple[int | None, int | None]:
    found = _LENGTH.fullmatch(length)
    if length and not found:
        raise typer.BadParameter("a length is FROM-TO, such as 1200-4096, or 4097- without an end")
    return (int(found[1]), int(found[2]) if found[2] else None) if found else (None, None)


def judge(
    slug: SlugArgument,
    ids: CandidatesArgument,
    alone: Annotated[Alone, typer.Option(help="Whether the titles stand alone as questions.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether titles stand alone: such a title is the prompt when its candidate is used."""
    value = {Alone.YES: True, Alone.NO: False, Alone.NEITHER: None}[alone]
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        act = operations.new_act()
        for candidate in chosen:
            operations.judge_title(session, actor, candidate, value, act)
    document = {"judged": [candidate.id for candidate in chosen], "title_alone": value}
    emit(document, as_json, [f"Judged: {plural(len(chosen), 'title')}."])


def keep(slug: SlugArgument, ids: CandidatesArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Mark candidates as ones that belong in the set: sampling plans and `use --all` take them first."""
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        act = operations.new_act()
        for candidate in chosen:
            operations.keep_candidate(session, actor, candidate, act)
    emit({"kept": [candidate.id for candidate in chosen]}, as_json, [f"Kept: {plural(len(chosen), 'candidate')}."])


def use(
    slug: SlugArgument,
    ids: CandidatesArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every kept candidate, then every one not judged.")] = False,
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
        wanted = PoolFilter(source=source, site=site)
        chosen = list(_eligible(session, project, wanted)) if every else _candidates(session, project, ids or [])
        made = operations.use_candidates(session, actor, chosen, submit=submit)
        document = {"examples": [example.id for example in made], "submitted": submit}
    emit(document, as_json, [f"Turned into examples: {plural(len(made), 'candidate')}."])


def assign(
    slug: SlugArgument,
    ids: CandidatesArgument,
    to: Annotated[str, typer.Option(metavar="EMAIL", help="A member of the project.")],
    words: Annotated[str, typer.Option(help="A word with them.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make drafts of candidates and hand them to a colleague, into their inbox; `pool undo` undoes it."""
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        done = operations.do_with_many(session, actor, chosen, operations.Act("assign", to=to, words=words))
    emit({"assigned": done.count, "to": to}, as_json, [f"{done.in_words}: {plural(done.count, 'candidate')}."])


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
        act = operations.new_act()
        for candidate in chosen:
            operations.reject_candidate(session, actor, candidate, reason, act)
    emit(
        {"rejected": [candidate.id for candidate in chosen]},
        as_json,
        [f"Rejected: {plural(len(chosen), 'candidate')}."],
    )


def restore(
    slug: SlugArgument, ids: CandidatesArgument, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """Undo a rejection, a keeping, or a use while nobody has worked on the example."""
    with House(as_email).writing() as (session, actor):
        chosen = _candidates(session, project_for(session, actor, slug), ids or [])
        for candidate in chosen:
            operations.restore_candidate(session, actor, candidate)
    emit(
        {"restored": [candidate.id for candidate in chosen]},
        as_json,
        [f"Open again: {plural(len(chosen), 'candidate')}."],
    )


def undo(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Undo what the acting person did last in the pool; called again it reaches further back."""
    with House(as_email).writing() as (session, actor):
        undone = operations.undo_last(session, actor, project_for(session, actor, slug))
    lines = [undone.in_words, *(f"Stays: candidate {one}" for one in undone.stayed)]
    emit({"undone": list(undone.candidates), "stayed": list(undone.stayed)}, as_json, lines)


def restore_dropped(
    slug: SlugArgument,
    import_id: Annotated[int, typer.Argument(metavar="IMPORT", help="The import's number.")],
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", help="Records of it, counted from 1.")],
    undo: Annotated[bool, typer.Option("--undo", help="Drop them again, while nobody has worked on them.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make candidates of records that a rule dropped; --undo drops them again."""
    house = House(as_email)
    with house.writing() as (session, actor):
        run = found(session, published_import_of(project_for(session, actor, slug).id, import_id))
        rows = [found(session, record_of(run, number)) for number in numbers]
        records = read_again(run, house.settings, rows, patient=True)
        if undo:
            for row in rows:
                drop_again(session, actor, run, row, records.get(row.number))
        again = [row for row in rows if row.restored_at is not None and not undo]
        made = [] if undo else [restore_record(session, actor, run, row, records.get(row.number)) for row in rows]
        document = {"dropped": numbers} if undo else {"restored": [candidate.id for candidate in made]}
    did = f"{'Dropped again' if undo else 'Restored'}: {plural(len(rows) - len(again), 'record')}."
    more = f"Restored before, so nothing to do: {plural(len(again), 'record')}."
    emit(document, as_json, [*([did] if len(again) < len(rows) else ()), *([more] if again else ())])


def _eligible(session: Session, project: Project, wanted: PoolFilter) -> Iterator[Candidate]:
    """What may be taken: the kept ones first."""
    for status in (CandidateStatus.KEPT, CandidateStatus.OPEN):
        yield from session.scalars(queries.pool_candidates(project.id, replace(wanted, status=status)))


def _candidates(session: Session, project: Project, ids: list[int]) -> list[Candidate]:
    return [queries.candidate_in(session, project.id, candidate_id) for candidate_id in ids]
