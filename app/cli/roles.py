"""What prompts are for: groups, flags, hidden tests; translations, and projects that follow another."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.errors import Refusal
from app.examples import linking, queries, translations
from app.examples.documents import example_document
from app.examples.models import Example
from app.examples.role_forms import TranslateForm
from app.projects import operations as projects
from app.projects import roles as project_roles
from app.projects.forms import FollowForm, LanguageForm
from app.web.forms import check


class Group(StrEnum):
    """The groups of authors, and none."""

    A = "A"
    B = "B"
    NONE = "none"

    @property
    def letter(self) -> str:
        """The group's letter, empty for none."""
        return "" if self is Group.NONE else self.value


class Sight(StrEnum):
    """What to do with the test prompts."""

    HIDE = "hide"
    SHOW = "show"


GroupOption = Annotated[Group | None, typer.Option("--group", help="The author's group; leads alone change it.")]
SensitiveOption = Annotated[
    bool | None, typer.Option("--sensitive/--not-sensitive", help="Ill intent, harm, refusals.")
]
FormatOption = Annotated[
    bool | None, typer.Option("--format-constraint/--no-format-constraint", help="It fixes the form of its answer.")
]
AcknowledgesOption = Annotated[
    bool | None,
    typer.Option("--acknowledges-first/--answers-at-once", help="The response takes up the question first."),
]
ExampleArgument = Annotated[int, typer.Argument(metavar="ID", help="The example's number; see `example list`.")]


def roles_said(
    group: Group | None, *, sensitive: bool | None, format_constraint: bool | None, acknowledges_first: bool | None
) -> dict[str, Any]:
    """What the options of a command say; empty where they say nothing."""
    letter = None if group is None else group.letter
    said = {
        "author_group": letter, "sensitive": sensitive, "format_constraint": format_constraint,
        "acknowledges_first": acknowledges_first,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def register(examples: typer.Typer) -> None:
    """Add the commands below `example`."""
    examples.command("translate")(translate)
    examples.command("original")(original)
    examples.command("link")(link)
    examples.command("unlink")(unlink)
    examples.command("followed")(followed)


def register_with_projects(parent: typer.Typer) -> None:
    """Add the commands below `project`."""
    parent.command("tests")(sight_of_tests)
    parent.command("language")(language_of_texts)
    parent.command("follow")(follow)


def translate(
    slug: SlugArgument,
    example_id: Annotated[int, typer.Argument(metavar="ID", help="Of this project, or with --followed of the other.")],
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="As in German, de or pt-BR.")] = "",
    of_followed: Annotated[
        bool, typer.Option("--followed", help="An example of the project that is followed.")
    ] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the translation of an example, empty and claimed, or name the one that is there."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        if of_followed:
            found = translations.followed_example(session, actor, project, example_id)
            into = project.follows_language or ""
        else:
            found = queries.example_in(session, project.id, example_id)
            into = _language(language)
        document = _document(session, translations.translate(session, actor, project, found, into))
    emit(document, as_json, [f"Example {document['id']} is the translation of example {example_id} into {into}."])


def _language(typed: str) -> str:
    form = check(TranslateForm, {"language": typed})
    if form.errors:
        raise Refusal("Name a language, such as German, or its code, as in en, de or pt-BR; nothing was made.")
    return form.value.language


def original(
    slug: SlugArgument,
    example_id: ExampleArgument,
    seen: Annotated[int | None, typer.Option(min=1, metavar="N", help="It fits revision N of the original.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a translation translates, and whether that has changed since."""
    with House(as_email).writing() as (session, actor):
        example = queries.example_in(session, project_for(session, actor, slug).id, example_id)
        if example.translation_of_id is None:
            raise translations.NoTranslation
        if seen is not None:
            translations.mark_seen(session, actor, example, seen)
        found = translations.original_of(session, actor, example)
        number = translations.standing_number(found) if found else 0
        text = translations.text_of(session, actor, found, number) if found else None
        if found is None or text is None:
            raise translations.OriginalGone
        document = {
            "example": found.id, "language": found.language, "revision": number, "seen": example.translation_seen,
            "behind": translations.is_behind(example, found), "messages": text.messages,
        }  # fmt: skip
    head = f"Example {document['example']}, revision {number}" + (", changed since" if document["behind"] else "")
    emit(document, as_json, [head, *(f"\n[{one['role']}]\n{one['content']}" for one in text.messages)])


def link(
    slug: SlugArgument,
    example_id: ExampleArgument,
    original_id: Annotated[int, typer.Argument(metavar="ORIGINAL", help="Here, or in the project that is followed.")],
    seen: Annotated[int | None, typer.Option(min=1, metavar="N", help="It fits revision N of the original.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that an example translates another one that is there already; neither text changes."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = queries.example_in(session, project.id, example_id)
        linking.link(session, actor, example, linking.original_named(session, actor, project, original_id), seen)
        document = _document(session, example)
    emit(document, as_json, [f"Example {example_id} is the translation of example {original_id}."])


def unlink(
    slug: SlugArgument, example_id: ExampleArgument, as_email: AsOption = None, as_json: JsonOption = False
) -> None:
    """Say that an example is no translation; its words stay as they are."""
    with House(as_email).writing() as (session, actor):
        example = queries.example_in(session, project_for(session, actor, slug).id, example_id)
        was = linking.unlink(session, actor, example)
        document = _document(session, example)
    emit(document, as_json, [f"Example {example_id} is no translation of example {was} any more."])


def followed(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Count what is new, changed and withdrawn in the project that this one translates, and name it."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        other = project_roles.followed_project(session, project)
        if other is None:
            raise Refusal(f"{slug} follows no project; `handpicked project follow` sets one.")
        project_for(session, actor, other.slug)
        lists = translations.lists_of(session, actor, project)
        document = {"project": other.slug, "language": project.follows_language, **lists}
    lines = [f"{name:<10} {len(ids):>6}  {' '.join(map(str, ids[:12]))}" for name, ids in lists.items()]
    emit(document, as_json, [f"{slug} translates {other.slug} into {project.follows_language}.", *lines])


def sight_of_tests(
    slug: SlugArgument,
    sight: Annotated[Sight, typer.Argument(help="hide: from those who may write training examples.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a project's test prompts out of sight of those who write, or show them again."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        project_roles.hide_tests(session, actor, project, hidden=sight is Sight.HIDE)
        document = {"slug": slug, "tests_hidden": project.tests_hidden}
    words = "kept out of sight" if document["tests_hidden"] else "shown to everybody there"
    emit(document, as_json, [f"The test prompts of {slug} are {words}."])


def language_of_texts(
    slug: SlugArgument,
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="As in German, de or pt-BR; or none.")],
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in which language a project's texts are that state none."""
    wanted = check(LanguageForm, {"language": "" if language == "none" else language})
    if wanted.errors:
        raise typer.BadParameter(" ".join(wanted.errors.values()))
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        project_roles.set_language(session, actor, project, wanted.value.language or None)
        document = {"slug": slug, "language": project.language}
    said = f"are in {document['language']}" if document["language"] else "have none"
    emit(document, as_json, [f"Texts of {slug} that state no language {said}."])


def follow(
    slug: SlugArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The project to follow; empty with --stop.")] = "",
    language: Annotated[str, typer.Option(help="Into which language it is translated, such as de.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Follow none.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project the translation of another; nothing is copied by that."""
    wanted = check(FollowForm, {"project": other, "language": language})
    if stop == bool(other) or wanted.errors:
        raise typer.BadParameter("name the other project and --language, or say --stop")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        if stop:
            project_roles.stop_following(session, actor, project)
        else:
            found = projects.named_project(session, actor, other)
            project_roles.follow_project(session, actor, project, found, wanted.value.language)
    document = {"slug": slug, "follows": other or None, "language": language or None}
    emit(document, as_json, [f"{slug} follows {f'{other} into {language}' if other else 'no other project'}."])


def _document(session: Session, example: Example) -> dict[str, Any]:
    return example_document(example, queries.head_revision(session, example))
