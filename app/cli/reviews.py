"""`handpicked review`: the second person's word from the command line."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import NotFound
from app.examples.models import Example
from app.examples.queries import example_in
from app.projects.models import Project
from app.projects.queries import role_in
from app.reviews import operations, queries
from app.reviews.models import Review
from app.web.words import plural

TargetArgument = Annotated[
    str, typer.Argument(metavar="ID|PROJECT", help="The example's number, alone or after its project.")
]
IdArgument = Annotated[
    int | None, typer.Argument(metavar="ID", show_default=False, help="The number, if the project was named before it.")
]
RevisionOption = Annotated[
    int | None, typer.Option(min=1, help="The revision that was read.", show_default="the newest")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    reviews = typer.Typer(no_args_is_help=True, help="Approve, return or reject what somebody else wrote.")
    reviews.command("list")(list_waiting)
    reviews.command("approve")(approve)
    reviews.command("return")(return_example)
    reviews.command("reject")(reject)
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
    example_id: IdArgument = None,
    imported: Annotated[
        bool, typer.Option("--imported", help="All that imports brought and nobody edited, approved elsewhere.")
    ] = False,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Where an imported set was approved.")] = "",
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve an example as a reviewer with --as EMAIL, or with --imported a set that was approved elsewhere."""
    if not imported:
        _decide(target, example_id, revision, operations.approve, as_email, as_json)
        return
    if example_id is not None:
        raise typer.BadParameter("name the example, or say --imported with its --reason")
    if not reason.strip():
        raise typer.BadParameter("--imported needs --reason: where was the set approved?")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, target, Role.ADMIN)
        count = operations.approve_imported(session, actor, project, reason)
    emit({"approved": count}, as_json, [f"Approved as imported: {plural(count, 'example')}."])


def return_example(
    target: TargetArgument,
    words: Annotated[str, typer.Option(help="What should change.")],
    example_id: IdArgument = None,
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send an example back to its writer with words."""
    _decide(target, example_id, revision, _with(operations.return_example, words), as_email, as_json)


def reject(
    target: TargetArgument,
    example_id: IdArgument = None,
    words: Annotated[str, typer.Option(help="Why.")] = "",
    revision: RevisionOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep an example out of the set."""
    _decide(target, example_id, revision, _with(operations.reject, words), as_email, as_json)


Act = Callable[[Session, User, Example, int], Review]


def _with(act: Callable[[Session, User, Example, int, str], Review], words: str) -> Act:
    return lambda session, actor, example, revision: act(session, actor, example, revision, words)


def _decide(
    target: str, example_id: int | None, revision: int | None, act: Act, as_email: str | None, as_json: bool
) -> None:
    if example_id is None and not (target.isascii() and target.isdigit()):
        raise typer.BadParameter(f"name the example by its number; {target} is none")
    with House(as_email).writing() as (session, actor):
        example = _example(session, actor, target, example_id)
        review = act(session, actor, example, revision or example.revision_number)
        document = {
            "example": example.id,
            "revision": review.revision_number,
            "verdict": review.verdict.value,
            "words": review.words,
        }
    emit(document, as_json, [f"Example {document['example']}, revision {document['revision']}: {document['verdict']}."])


def _example(session: Session, actor: User, target: str, example_id: int | None) -> Example:
    """The example by its number, which is the installation's own, or by project and number."""
    if example_id is not None:
        return example_in(session, project_for(session, actor, target, Role.REVIEWER).id, example_id)
    found = session.get(Example, int(target[:18]))
    project = session.get(Project, found.project_id) if found else None
    if found is None or project is None or role_in(session, project, actor) is None:
        raise NotFound(f"There is no example {target}; see `handpicked review list PROJECT`.")
    return example_in(session, project_for(session, actor, project.slug, Role.REVIEWER).id, found.id)
