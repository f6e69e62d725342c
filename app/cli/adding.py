"""`handpicked next`: what to add next; `handpicked select`: so many candidates by a method."""

from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.duplicates.encoding import bring_up_to_date
from app.embeddings.choosing import model_of
from app.embeddings.operations import light_encoder_within
from app.errors import Refusal
from app.selection.adding import deciding, requesting
from app.selection.adding.advising import Asking, ask
from app.selection.adding.choosing import Method, choose, open_pool
from app.selection.adding.documents import next_document, selection_document
from app.selection.adding.models import NextVerdict
from app.selection.adding.reasons import cosine_words
from app.selection.adding.suggesting import By, Wish
from app.selection.areas import Area
from app.selection.operations import keep_candidates
from app.selection.queries import candidate_in
from app.sources.models import Candidate
from app.web.words import plural

# Nobody waits at a terminal for a page: the model and the vectors are there before anything is printed.
PATIENCE = 600.0
ACTS = (NextVerdict.ACCEPTED, NextVerdict.LATER, NextVerdict.NEVER)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("next")(add_next)
    app.command("select")(select)


def add_next(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many suggestions.")] = 10,
    skip: Annotated[int, typer.Option(min=0, max=1000, help="Past how many.")] = 0,
    by: Annotated[By, typer.Option(help="In which order.")] = By.NEED,
    accepted: Annotated[int | None, typer.Option("--accept", metavar="ID", help="Make a draft of it.")] = None,
    later: Annotated[int | None, typer.Option("--later", metavar="ID", help="Suggest it again later.")] = None,
    never: Annotated[int | None, typer.Option("--never", metavar="ID", help="Reject it.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is rejected.")] = "",
    undo: Annotated[int | None, typer.Option("--undo", metavar="ID", help="Undo what was said to it.")] = None,
    region: Annotated[
        int | None, typer.Option(min=1, max=99, help="Only of this region of the map; `handpicked map` numbers them.")
    ] = None,
    lasso: Annotated[str, typer.Option(metavar="X.Y-X.Y-X.Y", help="Only within this line on the map.")] = "",
    more: Annotated[str, typer.Option("--ask", metavar="WORDS", help="Ask for more of that first.")] = "",
    withdraw: Annotated[int | None, typer.Option(metavar="REQUEST", help="Withdraw a request first.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what to add next and why, or what you think of a suggestion."""
    said = [one for one in zip((*ACTS, None), (accepted, later, never, undo), strict=True) if one[1] is not None]
    if len(said) > 1:
        raise typer.BadParameter("say one of --accept, --later, --never and --undo at a time")
    if said:
        verdict, number = said[0]
        _say(slug, verdict, number or 0, reason, as_email, as_json)
        return
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        project_id = project.id
        if more:
            requesting.request_coverage(session, actor, project, more)
        if withdraw is not None:
            request = requesting.request_in(session, project_id, withdraw)
            requesting.withdraw_request(session, actor, project, request)
    bring_up_to_date(house.database, house.settings, project_id)
    with house.writing() as (session, actor):
        asking = Asking(house.database, house.settings, PATIENCE)
        wish = Wish(by, count, skip, Area(region, lasso))
        answer = ask(session, asking, project_for(session, actor, slug), wish)
        document = next_document(answer)
    if answer.advice is None:
        fail(answer.problem or f"Nothing of the pool is encoded yet; `handpicked encode {slug}` does it.")
    emit(document, as_json, _lines(document, slug))


def _say(slug: str, verdict: NextVerdict | None, number: int, reason: str, as_email: str | None, as_json: bool) -> None:
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        candidate = candidate_in(session, project.id, number)
        if verdict is None:
            said = f"Undone: {deciding.take_back(session, actor, project, candidate).value}."
        else:
            said = deciding.decide(session, actor, project, candidate, verdict, reason)
    emit({"candidate": number, "said": said}, as_json, [said])


def _lines(document: dict[str, Any], slug: str) -> list[str]:
    lines = [f"{document['begun']:,} begun, {document['short']:,} short of the target."]
    lines += [f"  {row['title']:<28} {row['short']:>6} short" for row in document["needs"] if row["short"]]
    lines += [
        f"Asked for (request {one['id']}): more about {one['words']}; "
        f"{plural(one['candidates'], 'candidate')} of the pool {'is' if one['candidates'] == 1 else 'are'} about it."
        for one in document["requests"]
    ]
    if document["area"]:
        lines.append(f"Only of {document['area']}:")
    for one in document["suggestions"]:
        near = "" if one["nearest"] is None else f"  nearest example {cosine_words(one['nearest'])}"
        lines += [f"{one['id']:>7}  {one['title']}{near}", f"         {one['reason']}"]
    lines += [
        f"Thin: {one['name']}{' in ' if one['region'] else ''}{one['region']}, "
        f"{plural(one['examples'], 'example')}; {one['bare']:,} of "
        f"{plural(one['candidates'], 'candidate')} have none near."
        for one in document["thin"]
    ]
    if not document["suggestions"]:
        lines.append("No open candidate is left to suggest.")
    if document["encoded"] < document["pool"]:
        missing = document["pool"] - document["encoded"]
        lines.append(f"{plural(missing, 'candidate')} not encoded yet; `handpicked encode {slug}` does it.")
    return lines


def select(
    slug: SlugArgument,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many candidates.")] = 1000,
    method: Annotated[Method, typer.Option(help="By what they are chosen.")] = Method.COVERAGE,
    seed: Annotated[int, typer.Option(min=0, help="Of --method random: the same seed takes the same.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Mark them as kept, as one act.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose candidates of the pool by what they cover, or by a baseline of the same size; nothing moves but --keep."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        model = model_of(session, house.settings, project.id)
    encoder = light_encoder_within(PATIENCE, model)
    if encoder is None:
        raise Refusal("The embedding model did not load in ten minutes; nothing was selected. Try again.")
    with house.reading() as session:
        pool = open_pool(session, house.database, encoder, project)
    selected = choose(pool, method, count, seed)
    kept = None
    if keep:
        with house.writing() as (session, actor):
            project = project_for(session, actor, slug)
            kept = keep_candidates(session, actor, [session.get_one(Candidate, one.id) for one in selected.chosen])
    emit(selection_document(selected, kept), as_json, _chosen_lines(selection_document(selected, kept)))


def _chosen_lines(document: dict[str, Any]) -> list[str]:
    lines = [f"{one['id']:>7}  {one['site']}/{one['external_id']}  {one['title']}" for one in document["candidates"]]
    covers = (
        f"{document['count']:,} of {document['of']:,} by {document['method']}: on the average a candidate is "
        f"{cosine_words(document['mean'])} from the nearest of them, the farthest {cosine_words(document['lowest'])}."
    )
    kept = (
        [] if document["kept"] is None else [f"Kept: {plural(document['kept'], 'candidate')}; `pool undo` undoes it."]
    )
    return [*lines, covers, *kept]
