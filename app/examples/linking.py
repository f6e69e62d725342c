"""Two examples that are there already, said to be original and translation, and that taken back.

An original that is linked to is no translation itself, so that no link makes a chain or a circle. Neither text changes,
and no verdict falls.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, NotFound, Refusal
from app.examples import queries, translations
from app.examples.models import Example, ExampleState
from app.examples.sight import everything
from app.projects.limits import require_open
from app.projects.models import Project
from app.text.languages import name_of


class LanguagesAlike(Refusal):
    """Both are in {language}, and a translation says the same in another language; nothing was linked."""


class LinkedAlready(Conflict):
    """Example {number} is the translation of example {original} already. Unlink it first; nothing was changed."""


class OriginalIsTranslation(Conflict):
    """Example {number} is itself a translation, so it cannot be an original. Link to its own; nothing was changed."""


class TranslationIsOriginal(Conflict):
    """Example {number} has translations itself, so it cannot be one. Unlink those first; nothing was changed."""


class TranslatedAlready(Conflict):
    """Example {number} has another translation into {language}. Unlink or reject that one; nothing was changed."""


def original_named(session: Session, actor: User, project: Project, number: int) -> Example:
    """The example of that number here, or an approved one of the project that this one follows; else NotFound."""
    here = select(Example).where(Example.id == number, Example.project_id == project.id, queries.arrived())
    found = session.scalar(here)
    if found is not None:
        return found
    if project.follows_id is None:
        raise NotFound("There is no such example here; nothing was changed.")
    return translations.followed_example(session, actor, project, number)


def link(session: Session, actor: User, example: Example, original: Example, seen: int | None = None) -> None:
    """Say that an example translates another one, at the revision `seen` or else at what stands there now.

    Whoever calls has made sure that the person may read the original. The same link twice is one.
    """
    project = session.get_one(Project, example.project_id)
    require_open(project)
    with everything(session):
        _hold(session, example, original)
        if example.translation_of_id == original.id:
            return
        _require_linkable(session, project, example, original)
    if seen is not None and not 1 <= seen <= original.revision_number:
        raise NotFound("The original has no such revision; nothing was changed.")
    example.translation_of_id, example.translation_seen = original.id, seen or translations.standing_number(original)
    _told(session, actor, "link translation", example, original.id)


def unlink(session: Session, actor: User, example: Example) -> int:
    """Make a translation an example like others again, with its words and its history; the number of its original."""
    require_open(session.get_one(Project, example.project_id))
    with everything(session):
        _hold(session, example)
    original = example.translation_of_id
    if original is None:
        raise translations.NoTranslation
    example.translation_of_id = example.translation_seen = None
    _told(session, actor, "unlink translation", example, original)
    return original


def _hold(session: Session, *examples: Example) -> None:
    """Read the rows as they are now; who links one of them at this moment comes first or waits."""
    ids = [one.id for one in examples]
    held = select(Example).where(Example.id.in_(ids)).order_by(Example.id).with_for_update(of=Example)
    session.scalars(held.execution_options(populate_existing=True)).all()


def _require_linkable(session: Session, project: Project, example: Example, original: Example) -> None:
    if original.project_id not in {project.id, project.follows_id}:
        raise NotFound("That example lies in a project that this one does not follow; nothing was changed.")
    if example.language == original.language:
        raise LanguagesAlike(language=name_of(example.language))
    if example.translation_of_id is not None:
        raise LinkedAlready(number=example.id, original=example.translation_of_id)
    if original.translation_of_id is not None:
        raise OriginalIsTranslation(number=original.id)
    if session.scalar(select(Example.id).where(Example.translation_of_id == example.id).limit(1)) is not None:
        raise TranslationIsOriginal(number=example.id)
    same = translations.translations_of(original, project.id).where(Example.language == example.language)
    if session.scalar(same.limit(1)) is not None:
        raise TranslatedAlready(number=original.id, language=name_of(example.language))


def _told(session: Session, actor: User, action: str, example: Example, original: int) -> None:
    example.changed_at = now()
    session.flush()
    record(session, actor, action, f"example:{example.id}", project_id=example.project_id, original=original)


def could_be_linked(example: Example) -> list[ColumnElement[bool]]:
    """What is true of every example that may be the original of this one, or its translation."""
    return [
        Example.id != example.id,
        Example.language != example.language,
        Example.translation_of_id.is_(None),
        Example.state != ExampleState.REJECTED,
    ]


def with_translations(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of these examples have a translation, be it here or in a project that follows."""
    with everything(session):
        found = session.scalars(select(Example.translation_of_id).where(Example.translation_of_id.in_(ids)))
        return {number for number in found if number is not None}
