"""`handpicked example near` and `example colleagues`: what a prompt is near to, and colleagues' examples by meaning."""

from typing import Annotated

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.duplicates.benchmarks.near import NearBenchmark, near_draft
from app.duplicates.dismissing import dismiss
from app.duplicates.documents import near_document, sought_document
from app.duplicates.encoding import bring_up_to_date
from app.duplicates.means import Asking
from app.duplicates.nearness import Draft, Near, Nearness, near_one, nearness, saved_draft
from app.duplicates.seeking import seek
from app.duplicates.sheet import METHOD_WORDS, score_words
from app.examples.queries import example_in
from app.projects.models import Split
from app.web.words import plural

# Nobody waits at a terminal for a page: the model and the vectors are there before anything is printed.
PATIENCE = 600.0


def register(examples: typer.Typer) -> None:
    """Add the commands."""
    examples.command("near")(near)
    examples.command("colleagues")(colleagues)


def near(
    slug: SlugArgument,
    example_id: Annotated[int | None, typer.Argument(metavar="ID", help="An example: its newest revision.")] = None,
    text: Annotated[str | None, typer.Option(help="A prompt that is no example yet.")] = None,
    split: Annotated[Split, typer.Option(help="What --text is for: near one of the other kind it is a leak.")] = (
        Split.TRAIN
    ),
    other_id: Annotated[
        int | None, typer.Option("--dismiss", metavar="ID", help="Say that this example is no duplicate of it.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why both sides of a leak may stay; needed for that alone.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a prompt is near to among the project's prompts: equal, alike in wording or in meaning."""
    if (text is None) == (example_id is None):
        raise typer.BadParameter("say the ID of an example, or --text")
    if other_id is not None and example_id is None:
        raise typer.BadParameter("--dismiss settles a pair of examples, so say the ID of the first")
    house, asking = _asking(slug, as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug)
        draft = Draft(text or "", split.value)
        if example_id is not None:
            example = example_in(session, project.id, example_id)
            draft = saved_draft(session, example)
            if other_id is not None:
                settled = near_one(session, asking, project.id, draft, other_id)
                dismiss(session, actor, project, example, settled, reason)
        found, listed = nearness(session, asking, project.id, draft), near_draft(session, asking, project.id, draft)
    emit(near_document(found, listed), as_json, [*map(_listed_line, listed), *_near_words(found)])


def _asking(slug: str, as_email: str | None) -> tuple[House, Asking]:
    """Where to look, with everything encoded: no worker is needed."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project_id = project_for(session, actor, slug).id
    bring_up_to_date(house.database, house.settings, project_id)
    return house, Asking(house.database, house.settings, PATIENCE)


def _listed_line(one: NearBenchmark) -> str:
    if one.score is None or one.method is None:
        return f"NEAR   a benchmark prompt of {one.benchmark}, which is kept out of sight"
    said = " ".join((one.listed or "").split())
    how = f"{score_words(one.score):>5} {METHOD_WORDS[one.method]:<10}"
    return f"NEAR   {how}  {one.benchmark}, line {one.line}: {said[:100]}"


def _near_words(found: Nearness) -> list[str]:
    lines = [_near_line(one) for one in found.near]
    lines += [f"{plural(found.more, 'more example')} as close as that."] if found.more else []
    least = score_words(found.threshold)
    return lines or [f"Near nothing: no other prompt reaches {least} by meaning, and none has the same words."]


def _near_line(one: Near) -> str:
    if one.kept_out:
        return "LEAK   a test prompt that is kept out of sight"
    sign = "LEAK" if one.leak and one.counts else "same" if one.counts else "near"
    said = " ".join(one.prompt.split())
    shown = said if len(said) <= 100 else f"{said[:99]}…"
    how = f"{score_words(one.score):>5} {METHOD_WORDS[one.method]:<10}"
    return f"{sign:<5} {one.example_id:>6}  {how}  {one.split:<5}  {shown}"


def colleagues(
    slug: SlugArgument,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Words, or a sentence that says what is meant.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find examples by words and by meaning at once, approved ones first."""
    house, asking = _asking(slug, as_email)
    with house.writing() as (session, actor):
        document = sought_document(seek(session, asking, project_for(session, actor, slug), words))
    hits = document["hits"]
    lines = [f"{hit['id']:>6}  {hit['state']:<8}  {' and '.join(hit['ways']):<17}  {hit['title']}" for hit in hits]
    emit(document, as_json, lines or ["Nothing says that, neither in these words nor in others."])
