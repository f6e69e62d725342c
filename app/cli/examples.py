"""`handpicked example` and `handpicked pool`: write examples, and pick candidates for them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.cli import finding, history, near, queue
from app.cli import roles as role_commands
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.cli.messages import MessagesOption, messages_in
from app.cli.roles import AcknowledgesOption, FormatOption, GroupOption, SensitiveOption, roles_said
from app.cli.suggestions import suggest
from app.errors import Conflict, Refusal
from app.examples import operations, queries, roles
from app.examples.answers import keep_words
from app.examples.claims import HeldByAnother
from app.examples.documents import example_document
from app.examples.messages import Message
from app.examples.models import Example, ExampleState
from app.examples.queries import ExampleFilter
from app.projects.models import Project, Split

ExampleArgument = Annotated[int, typer.Argument(metavar="ID", help="The example's number; see `example list`.")]
PromptOption = Annotated[str | None, typer.Option(help="The prompt, in Markdown.")]
ResponseOption = Annotated[str | None, typer.Option(help="The response, in Markdown.")]
SystemOption = Annotated[str | None, typer.Option(help="A system message before the first prompt.")]
NoteOption = Annotated[str, typer.Option(help="A few words for the history.")]
LIMIT = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    examples = typer.Typer(no_args_is_help=True, help="Prompts and responses: written, revised, submitted.")
    examples.command("new")(new)
    examples.command("show")(show)
    finding.register(examples)
    examples.command("edit")(edit)
    examples.command("submit")(submit)
    examples.command("suggest")(suggest)
    history.register(examples)
    near.register(examples)
    queue.register(examples)
    role_commands.register(examples)
    app.add_typer(examples, name="example")


def new(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    source: Annotated[str, typer.Option(help="The row of the composition that it counts towards.")],
    split: Annotated[Split, typer.Option(help="What it is for.")] = Split.TRAIN,
    prompt: PromptOption = None,
    response: ResponseOption = None,
    system: SystemOption = None,
    messages: MessagesOption = None,
    language: Annotated[str | None, typer.Option(help="Its language.", show_default="the project's, else en")] = None,
    note: NoteOption = "",
    group: GroupOption = None,
    sensitive: SensitiveOption = None,
    format_constraint: FormatOption = None,
    acknowledges_first: AcknowledgesOption = None,
    not_duplicate: Annotated[
        list[int] | None,
        typer.Option(metavar="ID", help="An example that it is near to and no duplicate of; repeat it."),
    ] = None,
    because: Annotated[
        str, typer.Option(help="Why both may stay where one is trained on and the other held out.")
    ] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a new example; it is a draft until it is submitted."""
    words = _messages(prompt, response, system, messages)
    flags = {"format_constraint": format_constraint, "acknowledges_first": acknowledges_first}
    said = roles_said(group, sensitive=sensitive, **flags)
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        queries.require_source(session, project, source)
        example = operations.create_example(
            session, actor, project, split=split, source=source, language=language, messages=words, note=note,
            not_duplicates=dict.fromkeys(not_duplicate or (), because),
        )  # fmt: skip
        roles.set_roles(session, actor, example, roles.changed(roles.roles_of(example), said))
        document = _document(session, example)
    emit(document, as_json, [f"Example {document['id']} is a draft: {document['title']}"])


def _messages(prompt: str | None, response: str | None, system: str | None, file: Path | None) -> list[Message]:
    if file is not None:
        if (prompt, response, system) != (None, None, None):
            raise typer.BadParameter("--messages holds everything; leave --prompt, --response and --system out")
        return messages_in(file)
    if prompt is None:
        raise typer.BadParameter("say --prompt, or --messages for a conversation")
    said = (("system", system), ("user", prompt), ("assistant", response))
    return [{"role": role, "content": text} for role, text in said if text is not None]


def _document(session: Session, example: Example, number: int | None = None) -> dict[str, Any]:
    revision = queries.revision(session, example, number or example.revision_number)
    if revision is None:
        raise Refusal(f"Example {example.id} has no revision {number}; it has {example.revision_number}.")
    return example_document(example, revision)


def show(
    slug: SlugArgument,
    example_id: ExampleArgument,
    revision: Annotated[int | None, typer.Option(min=1, help="An older revision.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an example."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        document = _document(session, queries.example_in(session, project.id, example_id), revision)
    head = f"Example {document['id']}, {document['state']}, {document['split']}, {document['source']}"
    lines = [f"{head}, revision {document['revision']} of {document['head']}"]
    for message in document["messages"]:
        lines += ["", f"[{message['role']}]", message["content"]]
    emit(document, as_json, lines)


def edit(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    example_id: ExampleArgument,
    prompt: PromptOption = None,
    response: ResponseOption = None,
    messages: MessagesOption = None,
    based_on: Annotated[
        int | None, typer.Option(min=1, help="The revision you began from; somebody else's newer one refuses the save.")
    ] = None,
    note: NoteOption = "",
    group: GroupOption = None,
    sensitive: SensitiveOption = None,
    format_constraint: FormatOption = None,
    acknowledges_first: AcknowledgesOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save new words as a revision: the last prompt, the last response, or all messages; or what the prompt is.

    While somebody else writes on it they are kept as your own copy, and `example answer` makes a second answer of it.
    """
    flags = {"format_constraint": format_constraint, "acknowledges_first": acknowledges_first}
    said = roles_said(group, sensitive=sensitive, **flags)
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = queries.example_in(session, project.id, example_id)
        head = queries.head_revision(session, example)
        words = messages_in(messages) if messages else _edited(head.messages, prompt, response, same=bool(said))
        held, document = None, {}
        try:
            with session.begin_nested():
                saved = operations.save_revision(
                    session, actor, example, based_on=based_on or head.number, messages=words, note=note
                )
                roles.set_roles(session, actor, example, roles.changed(roles.roles_of(example), said))
                document = example_document(example, saved)
        except HeldByAnother as found:
            held = found
            keep_words(session, actor, project, example, words, based_on or head.number)
    if held is not None:
        # Raised when the copy is on the disk.
        raise Conflict(f"{held.message} Your text is kept as your own copy.")
    emit(document, as_json, [f"Example {example_id} stands at revision {document['revision']}, {document['state']}."])


def _edited(messages: list[Message], prompt: str | None, response: str | None, *, same: bool) -> list[Message]:
    if prompt is None and response is None and not same:
        raise typer.BadParameter("say --prompt, --response or --messages, or what the prompt is")
    words = [dict(message) for message in messages]
    for role, text in (("user", prompt), ("assistant", response)):
        if text is None:
            continue
        last = next((message for message in reversed(words) if message["role"] == role), None)
        if last is None:
            words.append({"role": role, "content": text})
        else:
            last["content"] = text
    return list(words)


def submit(
    slug: SlugArgument,
    example_ids: Annotated[list[int] | None, typer.Argument(metavar="ID…", help="Their numbers.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every draft of the project.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send drafts to review, all of them or none."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        chosen = _chosen(session, project, example_ids or [], every)
        _submit(session, actor, chosen)
        document = {"submitted": [example.id for example in chosen]}
    emit(document, as_json, [f"Submitted: {len(chosen):,}."])


def _chosen(session: Session, project: Project, ids: list[int], every: bool) -> list[Example]:
    if every == bool(ids):
        raise typer.BadParameter("name the examples, or say --all")
    if every:
        return list(session.scalars(queries.examples_of(project.id, ExampleFilter(state=ExampleState.DRAFT))))
    return [queries.example_in(session, project.id, example_id) for example_id in ids]


def _submit(session: Session, actor: User, examples: list[Example]) -> None:
    for example in examples:
        try:
            operations.submit_example(session, actor, example)
        except Refusal as refusal:
            # A plain one: what a kind of refusal is made from differs, and a terminal shows its words alone.
            raise Refusal(f"Example {example.id}: {refusal.message} Nothing was submitted.") from refusal
