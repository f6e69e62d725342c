"""`handpicked example next` and what else moves the queue: claims, skips, hand-overs, second answers."""

from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts import queries as people
from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.examples import answers, claims, queries, queueing, skips
from app.examples.documents import example_document
from app.examples.models import Example, SkipReason
from app.projects.queries import role_in

ExampleArgument = Annotated[int, typer.Argument(metavar="ID", help="The example's number; see `example list`.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take it back.")]
WordsOption = Annotated[str, typer.Option(help="A word with it.")]


def register(examples: typer.Typer) -> None:
    """Add the commands."""
    examples.command("next")(following)
    examples.command("claim")(claim)
    examples.command("skip")(skip)
    examples.command("hand-over")(hand_over)
    examples.command("answer")(answer)
    examples.command("overlap")(overlap)


def following(
    slug: SlugArgument,
    after: Annotated[int | None, typer.Option(metavar="ID", help="The example to go on from.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Claim the example to write next: what came back, what was handed over, drafts, then what is most wanted."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        before = queries.example_in(session, project.id, after) if after else None
        found = queueing.claim_next(session, actor, project, after=before)
        document: dict[str, Any] = {"example": None, "why": None, "claimed_until": None}
        if found is not None:
            document = {"example": _document(session, found.example), "why": found.why.value, **_until(found.example)}
    shown = document["example"]
    words = f"Example {shown['id']}, {document['why']}: {shown['title']}" if shown else "Nothing is left to write."
    emit(document, as_json, [words])


def claim(
    slug: SlugArgument,
    example_id: ExampleArgument,
    release: Annotated[bool, typer.Option("--release", help="Let others have it.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have an example alone for a while."""
    with House(as_email).writing() as (session, actor):
        example = queries.example_in(session, project_for(session, actor, slug).id, example_id)
        (claims.release if release else claims.claim)(session, actor, example)
        document = {"id": example.id, **_until(example)}
    emit(document, as_json, [f"Example {example_id} is {'free' if release else 'yours for a while'}."])


def skip(
    slug: SlugArgument,
    example_id: ExampleArgument,
    reason: Annotated[SkipReason | None, typer.Option(help="Why; other needs --words.")] = None,
    words: WordsOption = "",
    undo: UndoOption = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave an example to the others, and say why."""
    if undo == (reason is not None) or reason is SkipReason.PASSED:
        raise typer.BadParameter("say --reason, one of those that are no “passed”, or --undo")
    with House(as_email).writing() as (session, actor):
        example = queries.example_in(session, project_for(session, actor, slug).id, example_id)
        if reason is None:
            skips.unskip(session, actor, example)
        else:
            skips.skip(session, actor, example, reason, words)
    document = {"id": example_id, "skipped": not undo, "reason": reason.value if reason else None}
    emit(document, as_json, [f"Example {example_id} {'comes up again' if undo else 'is skipped'}."])


def hand_over(
    slug: SlugArgument,
    example_id: ExampleArgument,
    to: Annotated[str | None, typer.Option(metavar="EMAIL", help="A member of the project.")] = None,
    words: WordsOption = "",
    undo: UndoOption = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an example to a named colleague, into their inbox."""
    if undo == (to is not None):
        raise typer.BadParameter("say --to, or --undo")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = queries.example_in(session, project.id, example_id)
        person = people.user_by_email(session, to) if to else None
        if to is not None and person is None:
            raise skips.NotAMember
        if person is None:
            skips.take_back(session, actor, example, role_in(session, project, actor) or Role.ANNOTATOR)
        else:
            skips.hand_over(session, actor, example, person, words)
    emit({"id": example_id, "handed_to": to}, as_json, [f"Example {example_id} is {f'with {to}' if to else 'back'}."])


def answer(
    slug: SlugArgument, example_id: ExampleArgument, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """Begin a second answer beside an example, from one's working copy of it if there is one."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = queries.example_in(session, project.id, example_id)
        document = _document(session, answers.answer_with_words(session, actor, project, example))
    emit(document, as_json, [f"Example {document['id']} stands beside example {example_id}."])


def overlap(
    slug: SlugArgument,
    people_to_a_prompt: Annotated[int, typer.Argument(metavar="N", min=1, max=9, help="People to a prompt.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many people may answer the same prompt."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        queueing.set_overlap(session, actor, project, people_to_a_prompt)
    emit({"project": slug, "overlap": people_to_a_prompt}, as_json, [f"People to a prompt: {people_to_a_prompt}."])


def _document(session: Session, example: Example) -> dict[str, Any]:
    return example_document(example, queries.head_revision(session, example))


def _until(example: Example) -> dict[str, Any]:
    return {"claimed_until": example.claimed_until.isoformat() if example.claimed_until else None}
