"""What an example is besides its split, as the desk shows it: group, flags, what its words suggest, translations."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples import hints, queries
from app.examples.messages import Message
from app.examples.models import Example
from app.examples.roles import WORDS, Roles, roles_of
from app.examples.sight import is_kept
from app.projects.access import ProjectAccess
from app.projects.models import Split


@dataclass(frozen=True)
class FlagChoice:
    """A flag to tick; `hint` says what it means, `found` what the words suggest, if they do."""

    name: str
    label: str
    on: bool
    hint: str
    found: str


@dataclass(frozen=True)
class RolesPanel:
    """The part of the desk: `said` are what it is in words, for its head."""

    slug: str
    example_id: int
    title: str
    group: str
    lead: bool
    choices: Sequence[FlagChoice]
    said: Sequence[str]
    hidden: bool
    open: bool
    language: str
    translation_of: int | None
    unfolded: bool


def roles_panel(session: Session, access: ProjectAccess, example: Example, *, unfolded: bool = True) -> RolesPanel:
    """Group and flags of an example, with what its newest words suggest."""
    head = queries.head_revision(session, example)
    roles = roles_of(example)
    return RolesPanel(
        slug=access.project.slug,
        example_id=example.id,
        title=head.title,
        group=roles.author_group.value if roles.author_group else "",
        lead=access.role is Role.ADMIN,
        choices=flag_choices(roles.flags, head.messages),
        said=_said(roles, example),
        hidden=example.split is Split.TEST and access.project.tests_hidden and not is_kept(session),
        open=access.project.archived_at is None,
        language=example.language,
        translation_of=example.translation_of_id,
        unfolded=unfolded,
    )


def flag_choices(ticked: Sequence[str], messages: Sequence[Message]) -> tuple[FlagChoice, ...]:
    """The flags, with what these words suggest."""
    form = hints.format_words(messages)
    acknowledges = "It opens with words of the prompt." if hints.opens_with_the_question(messages) else ""
    return (
        FlagChoice("sensitive", "Sensitive", "sensitive" in ticked,
            "Ill intent, harm, or what a refusal may be due to.", ""
        ),
        FlagChoice(
            "format_constraint", "Fixes the form of the answer", "format_constraint" in ticked,
            "Bullets, so many words, parts, a table: structure, not subject.",
            f"It says “{form}”." if form else "",
        ),
        FlagChoice(
            "acknowledges_first", "Takes up the question first", "acknowledges_first" in ticked,
            "The response says what was asked before it answers.", acknowledges,
        ),
    )  # fmt: skip


def _said(roles: Roles, example: Example) -> list[str]:
    group = [f"group {roles.author_group}"] if roles.author_group else []
    translation = [f"translation of example {example.translation_of_id}"] if example.translation_of_id else []
    return [*group, *(WORDS[flag] for flag in roles.flags), *translation]
