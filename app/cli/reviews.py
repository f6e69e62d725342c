"""`handpicked review`: the second person's word from the command line."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import NotFound, Refusal
from app.examples.models import Example
from app.examples.queries import example_in, head_revision
from app.projects.models import Project
from app.projects.queries import project_by_slug, role_in
from app.reviews import commenting, operations, queries
from app.reviews.agreement import agreement as agreement_of
from app.reviews.commenting import Passage
from app.reviews.margin import Thread, threads
from app.reviews.models import Review
from app.web.words import plural

TargetArgument = Annotated[
    str, typer.Argument(metavar="ID|PROJECT", help="The example's number, alone or after its project.")
]
IdArgument = Annotated[
    int | None, typer.Argument(metavar="ID", show_default=False, help="The number, if the project was named before it.")
]
IdsArgument = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID…", show_default=False, help="The numbers, if the project was named before them."),
]
RevisionOption = Annotated[
    int | None, typer.Option(min=1, help="The revision that was read.", show_default="the newest")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    reviews = typer.Typer(no_args_is_help=True, help="Approve, return, reject and comment on what others wrote.")
    reviews.command("list")(list_waiting)
    reviews.command("approve")(approve)
    reviews.command("return")(return_example)
    reviews.command("reject")(reject)
    reviews.command("comment")(comment)
    reviews.command("comments")(list_comments)
    reviews.command("settle")(settle)
    reviews.command("agreement")(agreement)
    reviews.command("needed")(needed)
    app.add_typer(reviews, name="review")


def list_waiting(
    slug: SlugArgument,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a second person, the longest wait first."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        heads = session.scalars(queries.awaiting_review(project.id).limit(limit)).all()
        rows = [{"example": head.example_id, "revision": head.number, "title": head.title} for head in heads]
    lines = [f"{row['example']:>6}  revision {row['revision']}  {row['title']}" for row in rows]
    emit({"waiting": rows}, as_json, lines or ["Nothing waits for review."])


def approve(
    target: Annotated[
        str, typer.Argument(metavar="ID|PROJECT", help="The example's number; with --imported the project.")
    ],
    example_ids: IdsArgument = None,
    imported: Annotated[
        bool, typer.Option("--imported", help="All that imports brought and nobody edited, approved elsewhere.")
    ] = False,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Where an imported set was approved.")] = "",
    words: Annotated[str, typer.Option(help="For the writer.")] = "",
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve examples as a reviewer with --as EMAIL, or with --imported a set that was approved elsewhere."""
    if not imported:
        _decide(target, example_ids, revision, _with(operations.approve, words), as_email, as_json)
        return
    if example_ids:
        raise typer.BadParameter("name the examples, or say --imported with its --reason")
    if not reason.strip():
        raise typer.BadParameter("--imported needs --reason: where was the set approved?")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, target, Role.ADMIN)
        count = operations.approve_imported(session, actor, project, reason)
    emit({"approved": count}, as_json, [f"Approved as imported: {plural(count, 'example')}."])


def return_example(
    target: TargetArgument,
    words: Annotated[str, typer.Option(help="What should change.")],
    example_ids: IdsArgument = None,
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send examples back to their writers with words."""
    _decide(target, example_ids, revision, _with(operations.return_example, words), as_email, as_json)


def reject(
    target: TargetArgument,
    example_ids: IdsArgument = None,
    words: Annotated[str, typer.Option(help="Why.")] = "",
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep examples out of the set."""
    _decide(target, example_ids, revision, _with(operations.reject, words), as_email, as_json)


Act = Callable[[Session, User, Example, int], Review]


def _with(act: Callable[[Session, User, Example, int, str], Review], words: str) -> Act:
    return lambda session, actor, example, revision: act(session, actor, example, revision, words)


def _decide(
    target: str, example_ids: list[int] | None, revision: int | None, act: Act, as_email: str | None, as_json: bool
) -> None:
    ids = list(dict.fromkeys(example_ids or []))
    _require_number(target, ids[0] if ids else None)
    house = House(as_email)
    examples = _named(house, target, ids)
    if len(examples) == 1:
        document = _judged(house, examples[0], revision, act)
        emit(document, as_json, [_verdict_line(document)])
    elif revision is not None:
        raise typer.BadParameter("--revision is that of one example")
    else:
        _decide_each(house, examples, act, as_json)


# The project's name and the example's number, or the number alone.
Named = tuple[str, int | None]


def _named(house: House, target: str, ids: Sequence[int]) -> list[Named]:
    """Which examples were named: all of one project, or by their numbers alone."""
    if not ids:
        return [(target, None)]
    with house.writing() as (session, actor):
        if target.isascii() and target.isdigit() and project_by_slug(session, target) is None:
            return [(str(number), None) for number in dict.fromkeys([int(target), *ids])]
        project_for(session, actor, target, Role.REVIEWER)
    return [(target, number) for number in ids]


def _decide_each(house: House, examples: Sequence[Named], act: Act, as_json: bool) -> None:
    """Each for itself: what is refused holds up no other, is named, and makes the command fail at its end."""
    done, refused = [], []
    for target, number in examples:
        try:
            done.append(_judged(house, (target, number), None, act))
        except Refusal as refusal:
            refused.append({"example": number or int(target), "reason": refusal.message})
    emit({"reviews": done, "refused": refused}, as_json, map(_verdict_line, done))
    for one in refused:
        sys.stderr.write(f"handpicked: example {one['example']}: {one['reason']}\n")
    if refused:
        raise typer.Exit(1)


def _judged(house: House, named: Named, revision: int | None, act: Act) -> dict[str, Any]:
    with house.writing() as (session, actor):
        example = _example(session, actor, *named)
        review = act(session, actor, example, revision or example.revision_number)
        return {
            "example": example.id,
            "revision": review.revision_number,
            "verdict": review.verdict.value,
            "outcome": review.outcome.value if review.outcome else None,
            "words": review.words,
        }


def _verdict_line(document: dict[str, Any]) -> str:
    return f"Example {document['example']}, revision {document['revision']}: {document['verdict']}."


def _require_number(target: str, example_id: int | None) -> None:
    if example_id is None and not (target.isascii() and target.isdigit()):
        raise typer.BadParameter(f"name the example by its number; {target} is none")


def comment(  # noqa: PLR0913 - a command has that many options
    target: TargetArgument,
    words: Annotated[str, typer.Option(help="What you have to say; @ and a name tells a member.")],
    example_id: IdArgument = None,
    quote: Annotated[str, typer.Option(metavar="PASSAGE", help="The passage, as it is read; else the whole.")] = "",
    message: Annotated[int, typer.Option(min=0, help="Which message has it, from 0; 1 is the first response.")] = 1,
    answer_to: Annotated[int | None, typer.Option(min=1, help="The comment that this answers.")] = None,
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Comment on a passage of an example, or answer a comment."""
    _require_number(target, example_id)
    with House(as_email).writing() as (session, actor):
        example = _example(session, actor, target, example_id, Role.ANNOTATOR)
        if answer_to is not None:
            said = commenting.answer(session, actor, example, answer_to, words)
        else:
            where = Passage(message, quote)
            said = commenting.comment(session, actor, example, words, where, revision_number=revision)
        document = {"comment": said.id, "example": example.id, "answer_to": said.answer_to, "quote": said.quote}
    emit(document, as_json, [f"Comment {document['comment']} on example {document['example']}."])


def list_comments(
    target: TargetArgument, example_id: IdArgument = None, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """List the comments on an example, with where their passages are by now."""
    _require_number(target, example_id)
    with House(as_email).writing() as (session, actor):
        example = _example(session, actor, target, example_id, Role.ANNOTATOR)
        found = threads(session, example, head_revision(session, example).messages)
        rows = [_comment_row(one) for one in found]
    lines = [line for row in rows for line in _lines(row)]
    emit({"comments": rows}, as_json, lines or ["Nobody has commented on this example."])


def _comment_row(one: Thread) -> dict[str, Any]:
    return {
        "comment": one.id, "author": one.by, "words": one.words, "revision": one.revision, "quote": one.quote,
        "passage": one.state, "settled": one.settled,
        "answers": [{"author": said.by, "words": said.words} for said in one.answers],
    }  # fmt: skip


def _lines(row: dict[str, Any]) -> list[str]:
    sign = "settled" if row["settled"] else "open"
    head = f"{row['comment']:>6}  {sign}, revision {row['revision']}, passage {row['passage']}"
    quoted = [f"        \u201c{row['quote']}\u201d"] if row["quote"] else []
    answers = [f"          {said['author']}: {said['words']}" for said in row["answers"]]
    return [head, *quoted, f"        {row['author']}: {row['words']}", *answers]


def settle(
    target: TargetArgument,
    comment_id: Annotated[int, typer.Option("--comment", min=1, help="The comment's number.")],
    example_id: IdArgument = None,
    again: Annotated[bool, typer.Option("--open-again", help="Take the settling back.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle a comment, or open it again."""
    _require_number(target, example_id)
    act = commenting.open_again if again else commenting.settle
    with House(as_email).writing() as (session, actor):
        said = act(session, actor, _example(session, actor, target, example_id, Role.ANNOTATOR), comment_id)
        document = {"comment": said.id, "settled": said.settled_at is not None}
    emit(document, as_json, [f"Comment {document['comment']} is {'settled' if document['settled'] else 'open'}."])


def agreement(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Tell how far second persons agree where a project asks for two."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        pairs = [
            (one.verdict.value, two.verdict.value) for two, one in session.execute(queries.judged_twice(project.id))
        ]
        found = agreement_of(pairs)
        document = {"reviews_needed": project.reviews_needed, **asdict(found), "percent": found.percent}
    words = "nothing to agree on" if found.kappa is None else f"kappa {found.kappa:.2f}"
    emit(document, as_json, [f"{found.agreed} of {plural(found.texts, 'text')} with the same verdict twice; {words}."])


def needed(
    slug: SlugArgument,
    reviews: Annotated[int, typer.Argument(min=1, max=2, help="One second person, or two.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many second persons an approval takes."""
    with House(as_email).writing() as (session, actor):
        operations.set_reviews_needed(session, actor, project_for(session, actor, slug, Role.ADMIN), reviews)
    emit({"reviews_needed": reviews}, as_json, [f"An approval takes {plural(reviews, 'review')}."])


def _example(
    session: Session, actor: User, target: str, example_id: int | None, least: Role = Role.REVIEWER
) -> Example:
    """The example by its number, which is the installation's own, or by project and number."""
    if example_id is not None:
        return example_in(session, project_for(session, actor, target, least).id, example_id)
    found = session.get(Example, int(target[:18]))
    project = session.get(Project, found.project_id) if found else None
    if found is None or project is None or role_in(session, project, actor) is None:
        raise NotFound(f"There is no example {target}; see `handpicked review list PROJECT`.")
    return example_in(session, project_for(session, actor, project.slug, least).id, found.id)
