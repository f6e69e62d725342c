"""`handpicked example list` and `example search`: examples by what they are, by their words, or by both."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.queries import user_by_email
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import NotFound
from app.examples.documents import found_document
from app.examples.models import ExampleState
from app.examples.narrowing import Also
from app.examples.queries import ExampleFilter
from app.examples.searching import some_examples
from app.projects.models import Split
from app.text.search import parse

StateOption = Annotated[ExampleState | None, typer.Option(help="Only those in this state.")]
SplitOption = Annotated[Split | None, typer.Option(help="Only those of this split.")]
SourceOption = Annotated[str | None, typer.Option(help="Only those of this source.")]
LanguageOption = Annotated[str | None, typer.Option(help="Only those in this language, such as en.")]
LicenceOption = Annotated[str | None, typer.Option(help="Only those under this licence.")]
AuthorOption = Annotated[
    str, typer.Option(metavar="EMAIL", help="Only those that this person made or wrote last; `me` is oneself.")
]
AlsoOption = Annotated[Also | None, typer.Option(help="Only those with this flag, of this group, so translated.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]


def register(examples: typer.Typer) -> None:
    """Add the commands."""
    examples.command("list")(list_examples)
    examples.command("search")(search)


def list_examples(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    state: StateOption = None,
    split: SplitOption = None,
    source: SourceOption = None,
    author: AuthorOption = "",
    language: LanguageOption = None,
    licence: LicenceOption = None,
    also: AlsoOption = None,
    words: Annotated[str, typer.Option(help="Only those with these words; as `example search`.")] = "",
    limit: LimitOption = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List examples, the latest change first, and say how many fit."""
    asked = ExampleFilter(
        state=state, split=split, source=source, language=language, licence=licence, words=words, also=also
    )
    _show(slug, asked, author, limit, as_email, as_json)


def search(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS…", help="Words that must all occur; “a phrase” in double quotes, -not (after --)."
        ),
    ],
    state: StateOption = None,
    split: SplitOption = None,
    source: SourceOption = None,
    author: AuthorOption = "",
    language: LanguageOption = None,
    licence: LicenceOption = None,
    also: AlsoOption = None,
    limit: LimitOption = 50,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search every text of the newest revisions; the latest change first."""
    typed = " ".join(words)
    asked = ExampleFilter(
        state=state, split=split, source=source, language=language, licence=licence, words=typed, also=also
    )
    _show(slug, asked, author, limit, as_email, as_json)


def _show(slug: str, asked: ExampleFilter, author: str, limit: int, as_email: str | None, as_json: bool) -> None:
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        listed = some_examples(session, project.id, _by(session, actor, asked, author), limit)
        documents = [found_document(head, parse(asked.words)) for head in listed.heads]
    document = {"total": listed.pager.total, "examples": documents}
    emit(document, as_json, _lines(documents, listed.pager.total, bool(asked.words)))


def _by(session: Session, actor: User, asked: ExampleFilter, author: str) -> ExampleFilter:
    if not author:
        return asked
    person = actor if author == "me" else user_by_email(session, author)
    if person is None:
        raise NotFound(f"Nobody here has the address {author}.")
    return replace(asked, author=person.id)


def _lines(documents: list[dict[str, Any]], total: int, searched: bool) -> list[str]:
    lines = []
    for one in documents:
        lines.append(f"{one['id']:>6}  {one['state']:<8}  {one['split']:<5}  {one['source']:<20}  {one['title']}")
        snippet = "".join(piece["text"] for piece in one["snippet"])
        if searched and snippet != one["title"]:
            lines.append(f"        {snippet}")
    if total > len(documents):
        lines.append(f"{total - len(documents):,} more fit; --limit N prints more of them.")
    return lines or ["No example fits."]
