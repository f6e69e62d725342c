"""What a list of examples may be narrowed to besides what is counted by: flags, authors' groups, translations."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import aliased

from app.examples.models import Example, ExampleState
from app.projects.models import AuthorGroup


class Also(StrEnum):
    """What else an example is."""

    SENSITIVE = "sensitive"
    FORMAT_CONSTRAINT = "format_constraint"
    ACKNOWLEDGES_FIRST = "acknowledges_first"
    GROUP_A = "group_a"
    GROUP_B = "group_b"
    TRANSLATIONS = "translations"
    BEHIND = "behind"
    TRANSLATED = "translated"
    UNTRANSLATED = "untranslated"


GROUPS = {Also.GROUP_A: AuthorGroup.A, Also.GROUP_B: AuthorGroup.B}
FLAGS = (Also.SENSITIVE, Also.FORMAT_CONSTRAINT, Also.ACKNOWLEDGES_FIRST)


def also(wanted: Also | None) -> list[ColumnElement[bool]]:
    """The conditions of a list; none where nothing is asked for.

    They name the few by number: a list is walked from the latest change on, which is long where few rows fit.
    """
    if wanted is None:
        return []
    if wanted is Also.UNTRANSLATED:
        return [and_(Example.translation_of_id.is_(None), Example.id.not_in(_translated()))]
    return [Example.id.in_(_translated() if wanted is Also.TRANSLATED else _few(wanted))]


def _few(wanted: Also) -> Select[Any]:
    few, original = aliased(Example), aliased(Example)
    if wanted in FLAGS:
        return select(few.id).where(getattr(few, wanted.value))
    if wanted in GROUPS:
        return select(few.id).where(few.author_group == GROUPS[wanted])
    translations = select(few.id).where(few.translation_of_id.is_not(None))
    if wanted is Also.TRANSLATIONS:
        return translations
    now = func.coalesce(original.approved_number, original.revision_number)
    behind = translations.join(original, original.id == few.translation_of_id)
    return behind.where(now > func.coalesce(few.translation_seen, 0))


def _translated() -> Select[Any]:
    """The originals of translations in their own project."""
    few, original = aliased(Example), aliased(Example)
    pairs = select(few.translation_of_id).join(original, original.id == few.translation_of_id)
    return pairs.where(original.project_id == few.project_id, few.state != ExampleState.REJECTED)
