"""Each change of a comparison as it is listed: what happened to which example, what changed, by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets.comparison.comparing import TITLES, Change, Kind, Match
from app.datasets.comparison.comparisons import Side
from app.datasets.comparison.documents import Pair, joined
from app.datasets.comparison.meaning import Way
from app.datasets.comparison.reworded import Part, folded, opening_of, parts_of, turns_of
from app.datasets.sourcenames import labels_of
from app.examples.credit import MERGED
from app.examples.labels import SourceLabels, shown_text, turn_title
from app.examples.models import Example, Revision
from app.reviews.models import Review, ReviewVerdict
from app.reviews.queries import APPROVING
from app.text.licences import key_of

_APPROVED = {ReviewVerdict.APPROVED: "approved", ReviewVerdict.IMPORTED: "approved elsewhere, let in"}
# What made a pair of two rows of different examples.
_MATCHED = {
    Match.EXAMPLE: "",
    Match.LINE: "with the same words",
    Match.MESSAGES: "with the same words",
    Match.PROMPT: "with the same prompt",
    Match.RESPONSE: "with the same response",
}


@dataclass(frozen=True)
class EntryTurn:
    """A message of a change: its heading, what is shown of it, and "added" or "removed" where it was as a whole."""

    title: str
    parts: tuple[Part, ...]
    change: str

    @property
    def whole(self) -> Part | None:
        """Its only part, where all of it is the same and folded."""
        return self.parts[0] if len(self.parts) == 1 and self.parts[0].kind == "fold" else None


@dataclass(frozen=True)
class Entry:
    """A change as it is listed.

    `there` says whether its example can be opened, `row` and `version` where it stands (nowhere yet in the next
    version), `was_example` the number of the old one where it is another. `facts` are (what, before, after); `ways`
    says in which ways alone the words differ.
    """

    number: int
    signs: tuple[tuple[str, str], ...]
    title: str
    example_id: int
    there: bool
    row: int
    version: str | None
    was_example: int | None
    matched: str
    revisions: tuple[int, int] | None
    source: str
    colour: int
    split: str
    facts: tuple[tuple[str, str, str], ...]
    ways: str
    turns: tuple[EntryTurn, ...]
    by: str
    approved: str


def labels_between(old: Side, new: Side) -> SourceLabels:
    """How sources are called and coloured: as the newer side's target has them, then as the older one's."""
    return labels_of([*new.composition, *old.composition])


def entries_of(session: Session, pairs: Sequence[Pair], start: int, titles: SourceLabels) -> tuple[Entry, ...]:
    """Each change as it is listed, numbered on from `start`: three statements for all of them."""
    numbers = {pair.change.row.example_id for pair in pairs}
    there = set(session.scalars(select(Example.id).where(Example.id.in_(numbers))))
    people = _people(session, pairs)
    return tuple(_entry(pair, start + place, titles, there, people) for place, pair in enumerate(pairs, 1))


# By example and number of the revision.
Names = Mapping[tuple[int, int], str]


def _people(session: Session, pairs: Sequence[Pair]) -> tuple[Names, Names]:
    """Who wrote each revision, and by whom it was approved last; people, revisions and reviews may be gone."""
    numbers = {pair.change.row.example_id for pair in pairs}
    wrote = select(Revision.example_id, Revision.number, User.name).join(User, User.id == Revision.author_id)
    read = (
        select(Review.example_id, Review.revision_number, Review.verdict, User.name)
        .join(User, User.id == Review.reviewer_id)
        .where(Review.verdict.in_(APPROVING))
        .order_by(Review.id)
    )
    writers = session.execute(wrote.where(Revision.example_id.in_(numbers)))
    approvers = session.execute(read.where(Review.example_id.in_(numbers)))
    return (
        {(example_id, number): name for example_id, number, name in writers},
        {(example_id, number): f"{_APPROVED[said]} by {name}" for example_id, number, said, name in approvers},
    )


def _entry(pair: Pair, number: int, titles: SourceLabels, there: set[int], people: tuple[Names, Names]) -> Entry:
    change, row = pair.change, pair.change.row
    other = change.old if change.old and change.new and change.old.example_id != change.new.example_id else None
    revisions = change.old and change.new and (change.old.revision, change.new.revision)
    label = titles.of(row.source)
    return Entry(
        number=number,
        signs=_signs(change),
        title=shown_text(pair.title) or "No prompt",
        example_id=row.example_id, there=row.example_id in there,
        row=row.position + 1, version=pair.version,
        was_example=other.example_id if other else None,
        matched=_MATCHED[change.match] if other else "",
        revisions=revisions if revisions and not other and revisions[0] != revisions[1] else None,
        source=label.short, colour=label.number, split=str(row.split),
        facts=tuple(facts_of(pair, titles)),
        ways=joined(change.ways),
        turns=tuple(_turns(pair)),
        by=people[0].get((row.example_id, row.revision), ""),
        approved=people[1].get((row.example_id, row.revision), ""),
    )  # fmt: skip


def _signs(change: Change) -> tuple[tuple[str, str], ...]:
    """The kinds as they are told; that words changed only in form is said instead of that they changed."""
    left_out = Kind.REWORDED if Kind.FORM in change.kinds else None
    titles = {**TITLES, Kind.FORM: "Only form"}
    return tuple((kind.value, titles[kind]) for kind in titles if kind in change.kinds and kind is not left_out)


def facts_of(pair: Pair, titles: SourceLabels) -> list[tuple[str, str, str]]:
    """What both lines say otherwise besides their words: (what, before, after)."""
    old, new = pair.old, pair.new
    if old is None or new is None:
        return []
    found = []
    if old["split"] != new["split"]:
        found.append(("Split", old["split"], new["split"]))
    if old["source"] != new["source"]:
        found.append(("Source", titles.of(old["source"]).short, titles.of(new["source"]).short))
    if old["licence"] != new["licence"]:
        title = "Licence" if key_of(old["licence"]) != key_of(new["licence"]) else "The same licence, written"
        found.append((title, old["licence"] or "not stated", new["licence"] or "not stated"))
    before, after = old["attribution"], new["attribution"]
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    found += [(_FACTS.get(name, name), _told(before.get(name)), _told(after.get(name))) for name in names]
    if old.get("group") != new.get("group"):
        found.append(("Group", old.get("group") or "none", new.get("group") or "none"))
    before, after = (", ".join(side.get("flags", ())).replace("_", " ") or "none" for side in (old, new))
    if before != after:
        found.append(("Flags", before, after))
    return [(title, shown_text(str(one)), shown_text(str(other))) for title, one, other in found]


_FACTS = {
    "author": "Author", "author_url": "Author’s page", "url": "Link", "site": "Site", "date": "Date",
    "question_author": "Asked by", "question_author_url": "Asker’s page", "question_url": "Question",
    "question_licence": "Question’s licence", "licence": "Its own licence", MERGED: "Merged with",
}  # fmt: skip


def _told(value: Any) -> str:
    """A part of a credit; of what was merged with the text, who wrote it, where it stands and its licence."""
    if not isinstance(value, list):
        return str(value or "none")
    parts = (", ".join(str(one[key]) for key in ("author", "url", "licence") if one.get(key)) for one in value)
    return "; ".join(part or "a text that names nobody" for part in parts)


def _turns(pair: Pair) -> list[EntryTurn]:
    """What changed of the words; of a row that only one side has how it begins; words that are the same are folded."""
    old, new = pair.old, pair.new
    if Kind.UNCHANGED in pair.change.kinds:
        return []
    if old is not None and new is not None and old["messages"] != new["messages"]:
        spelt = Way.UNICODE in pair.change.ways
        turns = [turn for turn in turns_of(old["messages"], new["messages"]) if turn.changed]
        return [EntryTurn(turn.title, parts_of(turn.segments, spelt=spelt), turn.change) for turn in turns]
    said = pair.example["messages"]
    show = folded if old is not None and new is not None else opening_of
    return [
        EntryTurn(turn_title(said, place), show(message["content"]), "")
        for place, message in enumerate(said)
        if message["content"].strip() != pair.title
    ]
