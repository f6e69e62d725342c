"""What the desk shows of words that are kept and not saved, and of two people's words that meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.examples import queries, working_copies
from app.examples.copy_forms import ChangeForm
from app.examples.describing import purpose_in
from app.examples.desk import DeskPage, KeptCopy, Stale, Unmade, desk_page, typed_desk, with_words
from app.examples.forms import Joining, messages_of, new_key
from app.examples.labels import MessageDiff, diff_messages, shown_title
from app.examples.merging import Merge, Turns, choose_again, keep_both, merge_turns, turns_of
from app.examples.messages import title_of
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.roles import FLAGS
from app.examples.working_copies import Desk
from app.projects.access import ProjectAccess
from app.text.languages import code_of
from app.web.paging import page_of

MOST_OFFERED = 20
LETTERS = {"mine": "m", "theirs": "t", "both": "b"}


def opened_desk(session: Session, access: ProjectAccess, example: Example, *, take: bool = False) -> DeskPage:
    """An example as somebody left it: their own kept words are on the desk, if nobody has saved since.

    Otherwise they are offered; `take` joins them with what was saved.
    """
    page = desk_page(session, access, example)
    copy = working_copies.copy_on(session, Desk(access.user, access.project, example))
    if copy is None:
        return page
    mine = turns_of(copy.messages)
    shown = copy.based_on >= page.based_on
    if shown or take or _says_the_same(page, copy, mine):
        page = replace(page, counter=copy.counter, copy_key=copy.key)
    if _says_the_same(page, copy, mine):
        return page
    if take and copy.based_on < page.based_on:
        return stale_desk(session, _described(page, copy), example, mine, copy.based_on)
    # A copy that is only offered is not what this page follows: whoever writes on without it keeps both.
    saved, own = page.messages, messages_of(mine.system, mine.spoken)
    page = replace(page, kept=KeptCopy(copy.changed_at, shown, diff_messages(saved, own), copy.counter))
    return with_words(_described(page, copy), mine) if shown else page


def _says_the_same(page: DeskPage, copy: WorkingCopy, mine: Turns) -> bool:
    same = mine.texts == turns_of(page.messages).texts or _trimmed(mine) == _trimmed(turns_of(page.messages))
    told = {"split": page.split, "source": page.source_key, "language": page.language, "flags": page.flags}
    told |= {"note": page.note}
    shown = purpose_in(copy.description.get("was", ""))
    left = shown.texts if shown else {}  # what nobody touched is no wish: it says nothing against what it is for now
    return same and all(
        value in (told.get(name, value), left.get(name))
        for name, value in copy.description.items()
        if value or name == "flags"
    )


def _trimmed(turns: Turns) -> tuple[str, ...]:
    kept = list(turns.texts)
    while kept and not kept[-1].strip():
        kept.pop()
    return tuple(kept)


def _described(page: DeskPage, copy: WorkingCopy) -> DeskPage:
    told = {name: value for name, value in copy.description.items() if value}
    return replace(
        page,
        split=told.get("split", page.split),
        source_key=told.get("source", page.source_key),
        language=code_of(told.get("language", page.language)),
        flags=copy.description.get("flags", page.flags),
        note=told.get("note", page.note),
        was=told.get("was", ""),
        ticked=[flag for flag in FLAGS if flag in told],
    )


def new_desk(session: Session, access: ProjectAccess, key: str, begun: int = 1) -> DeskPage:
    """An empty desk that offers a page of what was begun and never saved; with such a key, what it is about."""
    page = desk_page(session, access, None)
    wanted = working_copies.copy_on(session, Desk(access.user, access.project, creation_key=key)) if key else None
    others = working_copies.unmade(access.user, access.project, but=wanted)
    found, pager = page_of(session, others, begun, MOST_OFFERED)
    page = replace(page, unmade=[_unmade(copy) for copy in found], begun=pager, key=key or page.key)
    if wanted is None:
        return page
    desk = with_words(_described(page, wanted), turns_of(wanted.messages))
    kept = KeptCopy(wanted.changed_at, True, ())
    return replace(desk, counter=wanted.counter, copy_key=wanted.key, kept=kept)


@dataclass(frozen=True)
class Difference:
    """What some texts would change in others, turn by turn."""

    diffs: Sequence[MessageDiff]


def difference(
    session: Session, access: ProjectAccess, example: Example | None, typed: Mapping[str, str]
) -> Difference:
    """What the typed texts would change in what the server has of that person's desk: the copy, else what is saved."""
    key = typed.get("key", "")
    page = opened_desk(session, access, example) if example else new_desk(session, access, key)
    return Difference(diff_messages(page.messages, typed_desk(page, typed).messages))


@dataclass(frozen=True)
class Joined:
    """The texts of a desk after a change was brought in, and the places where both now stand."""

    system: str
    turns: Sequence[str]
    both: int


def joined_change(session: Session, example: Example | None, change: ChangeForm) -> Joined:
    """The words of the desk with what one text changed in another; nothing is saved, nothing goes unseen."""

    def side(number: int, system: str, turns: tuple[str, ...]) -> Turns:
        found = queries.revision(session, example, number) if example and number else None
        return turns_of(found.messages) if found else Turns(system, turns)

    base = side(change.base_revision, change.base_system, change.base)
    mine = side(change.mine_revision, change.mine_system, change.mine)
    turns, both = keep_both(base, mine, Turns(change.system, change.turns))
    return Joined(turns.system, turns.spoken, both)


def _unmade(copy: WorkingCopy) -> Unmade:
    title = title_of(copy.messages) or next((str(one["content"]) for one in copy.messages if one["content"]), "")
    short = title.strip() if len(title.strip()) <= 120 else f"{title[:120].rsplit(maxsplit=1)[0]}…"
    return Unmade(copy.creation_key or "", shown_title(short), copy.changed_at, copy.counter)


def stale_desk(
    session: Session, page: DeskPage, example: Example, mine: Turns, based_on: int, *, seen: bool = True
) -> DeskPage:
    """The desk with both people's words joined, and what cannot be joined to choose from.

    Once the other's words are `seen`, the next save is based on them; until then it is refused again.
    """
    current = queries.head_revision(session, example)
    merged = _merged(session, example, based_on, current, mine)
    on_desk = merged.with_choices({}) if seen else mine
    stale = _stale(page.person, current, merged, mine, on_desk, based_on, {})
    desk = replace(with_words(page, on_desk), stale=replace(stale, seen=seen))
    return replace(desk, based_on=current.number, key=new_key()) if seen else desk


def joined_desk(session: Session, page: DeskPage, example: Example, joining: Joining, typed: Turns) -> DeskPage:
    """The desk after a choice: what was typed into the joined texts stays."""
    theirs = queries.revision(session, example, joining.theirs) or queries.head_revision(session, example)
    mine = Turns(joining.system, joining.mine)
    merged = _merged(session, example, joining.base, theirs, mine)
    on_desk = choose_again(merged, joining.taken_before, joining.takes, typed)
    stale = _stale(page.person, theirs, merged, mine, on_desk, joining.base, joining.takes)
    return replace(with_words(page, on_desk), stale=stale)


def _merged(session: Session, example: Example, based_on: int, theirs: Revision, mine: Turns) -> Merge:
    began = queries.revision(session, example, based_on) if based_on else None
    # Without a revision that both began from, whatever differs is a conflict.
    base = turns_of(began.messages) if began else Turns("", ())
    return merge_turns(base, mine, turns_of(theirs.messages))


def _stale(
    person: int, theirs: Revision, merged: Merge, mine: Turns, on_desk: Turns, base: int, takes: Mapping[int, str]
) -> Stale:
    own = theirs.author_id == person
    by = "You" if own else theirs.author.name if theirs.author else "somebody"
    diffs = diff_messages(theirs.messages, messages_of(on_desk.system, on_desk.spoken))
    taken = "".join(LETTERS[takes.get(conflict.number, "mine")] for conflict in merged.conflicts)
    return Stale(
        number=theirs.number, by=by, at=theirs.created_at, diffs=diffs, seen=True, base=base, mine=mine,
        conflicts=merged.conflicts, taken=taken, joined=_trimmed(on_desk) != _trimmed(mine), own=own,
    )  # fmt: skip
