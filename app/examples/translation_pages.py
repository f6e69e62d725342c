"""A translation beside its original, turn by turn; the translations of an example; what a followed project has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.examples import linking, queries, translations
from app.examples.desk import DeskPage, typed_desk
from app.examples.kept import opened_desk
from app.examples.labels import MessageDiff, diff_messages, shown_title, turn_title
from app.examples.linking_pages import LinkFinder, link_finder
from app.examples.messages import Message
from app.examples.models import Example, Revision
from app.examples.sight import as_seen_by
from app.projects.access import ProjectAccess, may_read
from app.projects.models import Project
from app.projects.roles import followed_project
from app.web.paging import Pager, page_of


@dataclass(frozen=True)
class Side:
    """One text of the original and the field that its translation is written into; `number` 0 is the system message."""

    number: int
    title: str
    original: str
    text: str
    prompt: bool


@dataclass(frozen=True)
class OriginalView:
    """The original: `revision` is the one that is shown, `seen` the one that the translation was made from."""

    id: int
    slug: str
    project: str
    language: str
    state: str
    title: str
    revision: int
    seen: int
    behind: bool
    changes: Sequence[MessageDiff]


@dataclass(frozen=True)
class TranslationPage:
    """A translation on its desk; `linked` without an original where that is gone or not this person's to read."""

    desk: DeskPage
    linked: bool
    original: OriginalView | None
    sides: Sequence[Side]
    problem: str = ""
    stale: int | None = None


@dataclass(frozen=True)
class TranslationRow:
    """An example that is or wants to be a translation: `example_id` is the translation, `original_id` its original."""

    original_id: int
    title: str
    example_id: int | None
    language: str
    state: str
    behind: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class TranslationsPage:
    """The translations of one example, the form for another, and a search for one that is there already.

    Of what is itself a translation `original` is the number, and there is nothing to search for.
    """

    slug: str
    example_id: int
    title: str
    language: str
    original: int | None
    rows: Sequence[TranslationRow]
    finder: LinkFinder | None
    open: bool
    typed: str = ""
    problem: str = ""
    not_linked: str = ""


@dataclass(frozen=True)
class FollowingPage:
    """What is new, changed and withdrawn in the project that this one translates; nothing where one may not read it."""

    slug: str
    followed: str
    followed_slug: str
    language: str
    readable: bool
    open: bool
    # Whether test prompts are left out because they are kept out of sight there and would not be here.
    left_out: bool
    show: str
    counts: Mapping[str, int]
    rows: Sequence[TranslationRow]
    pager: Pager


def original_for(session: Session, access: ProjectAccess, example: Example) -> Example | None:
    """The original of a translation, if it is there and this access reaches it."""
    original = translations.original_of(session, access.user, example)
    if original is None or original.project_id == access.project.id:
        return original
    return original if may_read(session, access, session.get_one(Project, original.project_id)) else None


def followed_for(session: Session, access: ProjectAccess, number: int) -> Example:
    """An approved example of the project that this one follows, if this access reaches it; else NotFound."""
    followed = followed_project(session, access.project)
    if followed is None or not may_read(session, access, followed):
        raise NotFound(translations.NOT_FOLLOWED)
    return translations.followed_example(session, access.user, access.project, number)


def translation_page(
    session: Session, access: ProjectAccess, example: Example, typed: Mapping[str, str] | None = None, problem: str = ""
) -> TranslationPage:
    """The translation as it stands, or as it was typed where that could not be saved."""
    desk = opened_desk(session, access, example)
    desk = desk if typed is None else typed_desk(desk, typed)
    found, linked = original_beside(session, access, example), example.translation_of_id is not None
    if found is None:
        return TranslationPage(desk, linked, None, _sides((), desk), problem)
    view, said = found
    return TranslationPage(desk, linked, view, _sides(said, desk), problem)


def original_beside(
    session: Session, access: ProjectAccess, example: Example
) -> tuple[OriginalView, Sequence[Message]] | None:
    """The original of a translation and what it says, if it is there and this access reaches it."""
    original = original_for(session, access, example)
    if original is None:
        return None
    number = translations.standing_number(original)
    now, seen = (
        translations.text_of(session, access.user, original, one) for one in (number, example.translation_seen or 1)
    )
    return _view(session, example, original, now, seen), now.messages if now else ()


def _view(
    session: Session, example: Example, original: Example, now: Revision | None, seen: Revision | None
) -> OriginalView:
    project = session.get_one(Project, original.project_id)
    behind = translations.is_behind(example, original) and now is not None
    before = seen.messages if seen else ()
    return OriginalView(
        id=original.id,
        slug=project.slug,
        project="" if project.id == example.project_id else project.name,
        language=original.language,
        state=original.state.value,
        title=shown_title(now.title if now else ""),
        revision=translations.standing_number(original),
        seen=example.translation_seen or 1,
        behind=behind,
        changes=diff_messages(before, now.messages) if behind and now else (),
    )


def _sides(original: Sequence[Message], desk: DeskPage) -> list[Side]:
    system = str(original[0]["content"]) if original and original[0]["role"] == "system" else ""
    spoken = [message for message in original if message["role"] != "system"]
    texts = [turn.text for turn in desk.turns]
    sides = [Side(0, "System message", system, desk.system, prompt=False)] if system or desk.system else []
    for place in range(max(len(spoken), len(texts), 1)):
        words = str(spoken[place]["content"]) if place < len(spoken) else ""
        own = texts[place] if place < len(texts) else ""
        if words or own or place < 1:
            title = turn_title(spoken, place) if place < len(spoken) else desk.turns[place].title
            sides.append(Side(place + 1, title, words, own, prompt=place % 2 == 0))
    return sides


def original_to_link(session: Session, access: ProjectAccess, number: int) -> Example:
    """The example of that number here, or in the project that this one follows, if this access reaches it."""
    followed = followed_project(session, access.project)
    if followed is None or may_read(session, access, followed):
        return linking.original_named(session, access.user, access.project, number)
    return queries.example_in(session, access.project.id, number)


def translations_page(
    session: Session, access: ProjectAccess, example: Example, words: str = "", **said: str
) -> TranslationsPage:
    """The translations of an example in its own project; `said` is what was typed or is wrong with it."""
    found = session.scalars(translations.translations_of(example, access.project.id)).all()
    head = queries.head_revision(session, example)
    return TranslationsPage(
        slug=access.project.slug,
        example_id=example.id,
        title=shown_title(head.title),
        language=example.language,
        original=example.translation_of_id,
        rows=[_translation_row(one, example, head.title) for one in found],
        finder=link_finder(session, access, example, words) if example.translation_of_id is None else None,
        open=access.project.archived_at is None,
        **said,
    )


def _translation_row(translation: Example, original: Example, title: str) -> TranslationRow:
    return TranslationRow(
        original.id, shown_title(title), translation.id, translation.language, translation.state.value,
        translations.is_behind(translation, original), translation.changed_at,
    )  # fmt: skip


SHOWS = ("new", "changed", "withdrawn", "settled")


def following_page(session: Session, access: ProjectAccess, show: str, number: int) -> FollowingPage:
    """A constant number of queries; nothing of a project that this person may not read."""
    project = access.project
    followed = followed_project(session, project)
    page = FollowingPage(
        slug=project.slug, followed="", followed_slug="", language=project.follows_language or "",
        readable=False, open=project.archived_at is None, left_out=False, show=show, counts={}, rows=(),
        pager=Pager(1, 0),
    )  # fmt: skip
    if followed is None or not may_read(session, access, followed):
        return replace(page, followed="another project" if followed else "")
    left_out = followed.tests_hidden and not project.tests_hidden
    page = replace(page, followed=followed.name, followed_slug=followed.slug, readable=True, left_out=left_out)
    with as_seen_by(session, access.user):
        return _with_rows(session, project, page, show, number)


def _with_rows(session: Session, project: Project, page: FollowingPage, show: str, number: int) -> FollowingPage:
    lists: dict[str, Select[Example]] = {
        "new": translations.untranslated(project),
        "changed": translations.behind(project).with_only_columns(Example),
        "withdrawn": translations.withdrawn(project),
        "settled": translations.settled(project),
    }
    counts = {name: _count(session, wanted) for name, wanted in lists.items()}
    found, pager = page_of(session, lists[show], number, total=counts[show])
    titles = _titles(session, [one.id if show == "new" else one.translation_of_id or 0 for one in found])
    own = _titles(session, [one.id for one in found])
    rows = [_following_row(one, titles, own, new=show == "new", behind=show == "changed") for one in found]
    return replace(page, counts=counts, rows=rows, pager=pager)


def _count(session: Session, wanted: Select[Example]) -> int:
    ids = wanted.with_only_columns(Example.id).order_by(None)
    return session.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _titles(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """The titles of these examples, at the revision that a translator works from."""
    query = select(Example.id, Revision.title).join(Revision, Revision.example_id == Example.id)
    rows = session.execute(query.where(Example.id.in_(ids), Revision.number == translations.standing()))
    return {row[0]: row[1] for row in rows}


def _following_row(
    found: Example, titles: Mapping[int, str], own: Mapping[int, str], *, new: bool, behind: bool
) -> TranslationRow:
    original = found.id if new else found.translation_of_id or 0
    title = titles.get(original) or own.get(found.id) or ""
    return TranslationRow(
        original, shown_title(title), None if new else found.id, found.language, found.state.value, behind,
        found.changed_at,
    )  # fmt: skip
