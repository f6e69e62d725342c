"""Translations: an example that says in another language what its original says.

A translation is an example of its own, with its own history, claim and review. It remembers which revision of the
original its writer has seen, so that it can say what has changed there since. The original may lie in the project
that this one follows; it is then read only by who may read it there.
"""

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import AliasedClass

from app.accounts.audit import record
from app.accounts.models import User
from app.errors import Conflict, Gone, NotFound, Refusal
from app.examples import claims, queries
from app.examples.models import Example, ExampleState, Revision
from app.examples.operations import create_example
from app.examples.roles import roles_of
from app.examples.sight import as_seen_by
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.projects.queries import role_in
from app.text.languages import name_of

NOTE = "translation of example {number} into {language}"
NOT_FOLLOWED = "There is no such example in a project that this one follows; nothing was changed."


class SameLanguage(Refusal):
    """Example {number} is in {language} already, so there is nothing to translate; nothing was made."""


class KeptFromSight(Conflict):
    """Example {number} is a test prompt that its project keeps out of sight, and this project shows its test prompts.

    Keep them out of sight here first (Settings, Test prompts); nothing was made.
    """

    title = "Kept out of sight"


class NoTranslation(Conflict):
    """This example is the translation of no other; nothing was changed."""


class OriginalGone(Gone):
    """The original is not there any more, or not yours to read; nothing was changed. Your text is as it was."""

    title = "No original"


def standing_number(example: Example) -> int:
    """The revision that a translator works from: the approved one, or the newest while none was ever approved."""
    return example.approved_number or example.revision_number


def standing(original: type[Example] | AliasedClass[Example] = Example) -> ColumnElement[int]:
    """The same as a part of a statement."""
    return func.coalesce(original.approved_number, original.revision_number)


def translate(session: Session, actor: User, project: Project, original: Example, language: str) -> Example:
    """The translation of an example into a language, here: made empty and claimed, or the one that is there already.

    Of what is itself a translation, its original is translated, so that there is no chain. Whoever calls has made sure
    that the person may read the example.
    """
    require_open(project)
    if original.translation_of_id is not None:
        above = original_of(session, actor, original)
        if above is None:
            raise OriginalGone
        original = above
    if original.language == language:
        raise SameLanguage(number=original.id, language=name_of(language))
    there = session.scalar(translations_of(original, project.id).where(Example.language == language))
    if there is not None:
        return there
    if not project.tests_hidden and original.project_id != project.id and _is_hidden(session, original):
        raise KeptFromSight(number=original.id)
    # Those that were made before and are rejected or unlinked are counted, so that after them there may be another; a
    # click that is repeated makes one.
    key = f"translation-{original.id}-{language}-"
    before = select(func.count(Example.id)).where(
        Example.project_id == project.id, Example.creation_key.startswith(key, autoescape=True)
    )
    made = create_example(
        session,
        actor,
        project,
        split=original.split,
        source=original.source,
        language=language,
        flags=original.flags,
        licence=original.licence,
        attribution=original.attribution,
        note=NOTE.format(number=original.id, language=name_of(language)),
        creation_key=f"{key}{session.scalar(before)}",
    )
    if made.translation_of_id is None:
        made.translation_of_id, made.translation_seen = original.id, standing_number(original)
        for name, value in vars(roles_of(original)).items():
            setattr(made, name, value)
        # Lists show the first line of the prompt, and there is none yet. Not the original's: not everybody may read it.
        first = queries.head_revision(session, made)
        first.title = f"Translation of example {original.id} into {name_of(language)}"
        claims.renew(session, actor, made)
        session.flush()
    return made


def _is_hidden(session: Session, original: Example) -> bool:
    return original.split is Split.TEST and session.get_one(Project, original.project_id).tests_hidden


def translations_of(original: Example, project_id: int) -> Select[Example]:
    """The translations of an example in a project, by language; rejected ones are none."""
    here = (Example.translation_of_id == original.id, Example.project_id == project_id)
    query = select(Example).where(*here, Example.state != ExampleState.REJECTED)
    return query.order_by(Example.language, Example.id)


def original_of(session: Session, actor: User, example: Example) -> Example | None:
    """The example that this one translates, if it is there and this person may read it where it is."""
    if example.translation_of_id is None:
        return None
    with as_seen_by(session, actor):
        wanted = select(Example).where(Example.id == example.translation_of_id, queries.arrived())
        original = session.scalar(wanted)
    if original is None or original.project_id == example.project_id:
        return original
    project = session.get_one(Project, original.project_id)
    return original if role_in(session, project, actor) is not None else None


def text_of(session: Session, actor: User, original: Example, number: int) -> Revision | None:
    """A revision of an original that the person may read, be it of another project."""
    with as_seen_by(session, actor):
        return queries.revision(session, original, number)


def is_behind(example: Example, original: Example) -> bool:
    """Whether the original says something else than its translator has seen."""
    return standing_number(original) > (example.translation_seen or 0)


def mark_seen(session: Session, actor: User, example: Example, number: int) -> None:
    """Say that the translation fits that revision of its original; twice, or of an older one, changes nothing."""
    require_open(session.get_one(Project, example.project_id))
    if example.translation_of_id is None:
        raise NoTranslation
    original = original_of(session, actor, example)
    if original is None:
        raise OriginalGone
    if number > original.revision_number:
        raise NotFound("The original has no such revision; nothing was changed.")
    if number <= (example.translation_seen or 0):
        return
    example.translation_seen = number
    session.flush()
    record(
        session, actor, "see original", f"example:{example.id}",
        project_id=example.project_id, original=original.id, revision=number,
    )  # fmt: skip


# --- a project that follows another ---------------------------------------------------------------------------------

Original = aliased(Example)
Translation = aliased(Example)


def untranslated(project: Project) -> Select[Example]:
    """What is approved in the project that this one follows and has no translation here, the oldest first.

    Test prompts that are kept out of sight there are none of it where this project shows its own.
    """
    here = (Translation.project_id == project.id, Translation.translation_of_id == Example.id)
    theirs = (Translation.language == project.follows_language, Translation.state != ExampleState.REJECTED)
    query = select(Example).where(
        Example.project_id == project.follows_id,
        Example.state == ExampleState.APPROVED,
        Example.language != project.follows_language,
        queries.arrived(),
        ~select(Translation.id).where(*here, *theirs).exists(),
    )
    kept = select(Project.id).where(Project.id == Example.project_id, Project.tests_hidden).exists()
    hidden = and_(Example.split == Split.TEST, kept)
    return (query if project.tests_hidden else query.where(~hidden)).order_by(Example.id)


def behind(project: Project) -> Select[Example, Example]:
    """Translations here whose original says something else now, each with it, the oldest first."""
    query = _with_original(project).where(
        Original.state != ExampleState.REJECTED, standing(Original) > func.coalesce(Example.translation_seen, 0)
    )
    return query.order_by(Example.id)


def withdrawn(project: Project) -> Select[Example]:
    """Translations here whose original was rejected there, or is gone, the oldest first."""
    # By the table: an original that this person may not read is there all the same.
    table = Example.__table__.alias("original")
    there = exists().where(table.c.id == Example.translation_of_id)
    rejected = exists().where(
        table.c.id == Example.translation_of_id,
        table.c.project_id == project.follows_id,
        table.c.state == ExampleState.REJECTED,
    )
    ours = _ours(project), Example.translation_of_id.is_not(None)
    return select(Example).where(*ours, or_(~there, rejected)).order_by(Example.id)


def _with_original(project: Project) -> Select[Example, Example]:
    pair = and_(Original.id == Example.translation_of_id, Original.project_id == project.follows_id)
    return select(Example, Original).join(Original, pair).where(_ours(project))


def settled(project: Project) -> Select[Example]:
    """Translations here that fit what their originals say, by number."""
    query = _with_original(project).with_only_columns(Example)
    up_to_date = standing(Original) <= func.coalesce(Example.translation_seen, 0)
    return query.where(Original.state != ExampleState.REJECTED, up_to_date).order_by(Example.id)


def lists_of(session: Session, actor: User, project: Project) -> dict[str, list[int]]:
    """The numbers of what is new there, and of what is changed, withdrawn and settled here, for who may read both."""
    lists = {
        "new": untranslated(project),
        "changed": behind(project),
        "withdrawn": withdrawn(project),
        "settled": settled(project),
    }
    with as_seen_by(session, actor):
        return {name: list(session.scalars(found.with_only_columns(Example.id))) for name, found in lists.items()}


def _ours(project: Project) -> ColumnElement[bool]:
    return and_(Example.project_id == project.id, Example.state != ExampleState.REJECTED, queries.arrived())


def followed_example(session: Session, actor: User, project: Project, number: int) -> Example:
    """An approved example of the project that this one follows, if the person may read it there; else NotFound."""
    followed = session.get(Project, project.follows_id) if project.follows_id is not None else None
    if followed is None or role_in(session, followed, actor) is None:
        raise NotFound(NOT_FOLLOWED)
    with as_seen_by(session, actor):
        wanted = select(Example).where(Example.id == number, Example.project_id == followed.id, queries.arrived())
        original = session.scalar(wanted.where(Example.state == ExampleState.APPROVED))
    if original is None:
        raise NotFound("There is no such approved example in the project that this one follows; nothing was changed.")
    return original
