"""/api/v1: group and flags of an example, translations, and what a followed project has."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.examples import linking, queries, roles, translations
from app.examples.api import ExampleOut
from app.examples.documents import example_document
from app.examples.models import Example
from app.examples.role_forms import LinkForm, RolesIn, SeenForm, TranslateForm
from app.examples.translation_pages import (
    TranslationRow,
    followed_for,
    following_page,
    original_for,
    original_to_link,
)
from app.projects.access import Annotator, ProjectAccess
from app.web.paging import PageNumber
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["examples"], responses=REFUSALS)


class OriginalOut(BaseModel):
    """The original of a translation, at the revision that a translator works from."""

    example: int
    language: str
    revision: int
    seen: int | None
    behind: bool = Field(description="Whether the original says something else than the translator has seen.")
    messages: list[dict[str, Any]]


class TranslationsOut(BaseModel):
    """The translations of an example in its own project."""

    translations: list[ExampleOut]


class FollowingOut(BaseModel):
    """What is new, changed, withdrawn and settled in the project that this one translates; one page of one list."""

    project: str | None = Field(description="Null where this project follows none, or one that is not yours to read.")
    language: str
    counts: dict[str, int]
    show: str
    page: int
    rows: list[TranslationRow]


@router.put("/examples/{example_id}/roles", name="api:set_roles")
def set_roles(session: SessionDep, access: Annotator, example_id: int, body: RolesIn) -> ExampleOut:
    """Say which group wrote the prompt and what it is; it reopens nothing."""
    example = _example(session, access, example_id)
    roles.set_roles(session, access.user, example, roles.changed(roles.roles_of(example), body.said))
    return _shown(session, example)


@router.get("/examples/{example_id}/translations", name="api:translations")
def translations_of(session: SessionDep, access: Annotator, example_id: int) -> TranslationsOut:
    """The translations of an example."""
    example = _example(session, access, example_id)
    found = session.scalars(translations.translations_of(example, access.project.id))
    return TranslationsOut(translations=[_shown(session, one) for one in found])


@router.post("/examples/{example_id}/translations", name="api:translate", status_code=201)
def translate(session: SessionDep, access: Annotator, example_id: int, body: TranslateForm) -> ExampleOut:
    """Make an empty translation, claimed by this person; in a language that is there already, that one."""
    example = _example(session, access, example_id)
    made = translations.translate(session, access.user, access.project, example, body.language)
    return _shown(session, made)


@router.get("/examples/{example_id}/original", name="api:original")
def original(session: SessionDep, access: Annotator, example_id: int) -> OriginalOut:
    """What a translation translates; 410 where that is gone or not this person's to read."""
    example = _example(session, access, example_id)
    if example.translation_of_id is None:
        raise translations.NoTranslation
    found = original_for(session, access, example)
    number = translations.standing_number(found) if found else 0
    text = translations.text_of(session, access.user, found, number) if found else None
    if found is None or text is None:
        raise translations.OriginalGone
    return OriginalOut(
        example=found.id, language=found.language, revision=number, seen=example.translation_seen,
        behind=translations.is_behind(example, found), messages=text.messages,
    )  # fmt: skip


@router.put("/examples/{example_id}/original", name="api:original_seen")
def seen(session: SessionDep, access: Annotator, example_id: int, body: SeenForm) -> OriginalOut:
    """Say that the translation fits that revision of its original."""
    translations.mark_seen(session, access.user, _example(session, access, example_id), body.revision)
    return original(session, access, example_id)


@router.post("/examples/{example_id}/original", name="api:link", status_code=201)
def link(session: SessionDep, access: Annotator, example_id: int, body: LinkForm) -> OriginalOut:
    """Say that an example translates another one that is there already, here or in the project that is followed."""
    found = original_to_link(session, access, body.example)
    linking.link(session, access.user, _example(session, access, example_id), found, body.revision)
    return original(session, access, example_id)


@router.delete("/examples/{example_id}/original", name="api:unlink")
def unlink(session: SessionDep, access: Annotator, example_id: int) -> ExampleOut:
    """Say that an example is no translation; its words stay as they are."""
    example = _example(session, access, example_id)
    linking.unlink(session, access.user, example)
    return _shown(session, example)


@router.get("/followed", name="api:followed")
def followed(
    session: SessionDep,
    access: Annotator,
    show: Annotated[Literal["new", "changed", "withdrawn", "settled"], Query()] = "new",
    page: PageNumber = 1,
) -> FollowingOut:
    """What the followed project has."""
    shown = following_page(session, access, show, page)
    return FollowingOut(
        project=shown.followed_slug or None, language=shown.language, counts=dict(shown.counts), show=show,
        page=shown.pager.number, rows=list(shown.rows),
    )  # fmt: skip


@router.post("/followed/{original_id}/translation", name="api:translate_followed", status_code=201)
def translate_followed(session: SessionDep, access: Annotator, original_id: int) -> ExampleOut:
    """Make the translation of one example of the followed project, claimed by this person."""
    found = followed_for(session, access, original_id)
    made = translations.translate(session, access.user, access.project, found, access.project.follows_language or "")
    return _shown(session, made)


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)


def _shown(session: Session, example: Example) -> ExampleOut:
    return ExampleOut.model_validate(example_document(example, queries.head_revision(session, example)))
