"""Finding the example that another one translates, or that translates it: by words, or by its number."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.examples import linking, queries
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import ExampleFilter
from app.examples.searching import patience, told
from app.examples.sight import as_seen_by
from app.projects.access import ProjectAccess, may_read
from app.projects.models import Project
from app.projects.roles import followed_project
from app.text.search import Piece, parse

SHOWN = 10


@dataclass(frozen=True)
class LinkHit:
    """An example in another language; `project` names the followed one that it lies in, empty for this one."""

    id: int
    slug: str
    project: str
    title: Sequence[Piece]
    passage: Sequence[Piece]
    language: str
    state: str
    split: str
    may_be_original: bool
    may_be_translation: bool


@dataclass(frozen=True)
class LinkFinder:
    """What was typed and what was found. `is_original`: it has translations, so it can only get another one."""

    typed: str
    hits: Sequence[LinkHit]
    is_original: bool
    followed: str


def link_finder(session: Session, access: ProjectAccess, example: Example, typed: str) -> LinkFinder:
    """The first few that fit, those of a followed project after those of this one."""
    is_original = bool(linking.with_translations(session, [example.id]))
    followed = followed_project(session, access.project)
    readable = followed is not None and not is_original and may_read(session, access, followed)
    found = _here(session, access.project, example, typed, is_original=is_original) if typed.strip() else []
    if followed is not None and readable and typed.strip():
        with as_seen_by(session, access.user):
            found += _followed(session, followed, example, typed)
    return LinkFinder(typed, found, is_original, followed.name if followed is not None and readable else "")


def _here(session: Session, project: Project, example: Example, typed: str, *, is_original: bool) -> list[LinkHit]:
    heads = _heads(session, project, example, typed, ExampleFilter(words=typed))
    originals = linking.with_translations(session, [head.example_id for head in heads])
    return [
        _hit(head, project, typed, "", original=not is_original, translation=head.example_id not in originals)
        for head in heads
    ]


def _followed(session: Session, project: Project, example: Example, typed: str) -> list[LinkHit]:
    approved = ExampleFilter(words=typed, state=ExampleState.APPROVED)
    heads = _heads(session, project, example, typed, approved)
    return [_hit(head, project, typed, project.name, original=True, translation=False) for head in heads]


def _heads(
    session: Session, project: Project, example: Example, typed: str, wanted: ExampleFilter
) -> Sequence[Revision]:
    fit = linking.could_be_linked(example)
    with patience(session, wanted):
        ids = list(session.scalars(queries.ids_of(project.id, wanted).where(*fit).limit(SHOWN)))
    if (number := typed.strip().removeprefix("#")).isdecimal() and len(number) <= 9:
        named = queries.ids_of(project.id, ExampleFilter(state=wanted.state)).where(*fit, Example.id == int(number))
        ids += session.scalars(named)
    return session.scalars(queries.heads_by_id(ids)).all()


def _hit(head: Revision, project: Project, typed: str, name: str, *, original: bool, translation: bool) -> LinkHit:
    title, passage = told(head, parse(typed))
    example = head.example
    return LinkHit(
        example.id, project.slug, name, title, passage, example.language, example.state.value, example.split.value,
        original, translation,
    )  # fmt: skip
