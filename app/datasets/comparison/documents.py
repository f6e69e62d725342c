"""A comparison in words and as JSON: what page, command line, API and release notes say alike."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.datasets.comparison.comparing import Change, Comparison, Kind, Row
from app.datasets.comparison.comparisons import Side
from app.datasets.comparison.reworded import turns_of
from app.datasets.material import first_question
from app.examples.messages import title_of
from app.examples.sight import hidden_from, kept_person
from app.projects.models import Split
from app.web.paging import Pager
from app.web.words import plural

# How each kind is said of a number of rows, in the order of the sentence.
_SAID = {
    Kind.ADDED: "added",
    Kind.REMOVED: "removed",
    Kind.REWORDED: "reworded",
    Kind.MOVED: "moved between splits",
}
_BESIDE = (Kind.LICENCE, Kind.SOURCE, Kind.ATTRIBUTION, Kind.GROUP, Kind.FLAGS, Kind.OTHER)
COUNTED = (Kind.ADDED, Kind.REMOVED, Kind.REWORDED, Kind.MOVED, Kind.UNCHANGED)


def in_words(comparison: Comparison) -> str:
    """Say what changed in one sentence, such as: 12 added, 3 reworded (1 only in form), 2 changed in licence."""
    counts = comparison.counts
    parts = [f"{counts[kind]:,} {words}" for kind, words in _SAID.items() if counts[kind]]
    if form := counts[Kind.FORM]:
        parts = [f"{part} ({form:,} only in form)" if part.endswith("reworded") else part for part in parts]
    beside = [kind.value for kind in _BESIDE if counts[kind]]
    if beside:
        rows = sum(1 for change in comparison.changes if not {*_BESIDE}.isdisjoint(change.kinds))
        parts.append(f"{rows:,} changed in {joined(beside, 'or')}")
    return ", ".join(parts) + "." if parts else "Nothing changed."


def joined(words: Sequence[str], last: str = "and") -> str:
    """Give a, b and c."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


@dataclass(frozen=True)
class Pair:
    """A change with what both lines say; a side that has no row has no line.

    `version` is the one that holds `change.row`; None for the next one.
    """

    change: Change
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    version: str | None

    @property
    def example(self) -> Mapping[str, Any]:
        """What the new line says, or the old one where there is no new one."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def title(self) -> str:
        """The first line of the first prompt."""
        return title_of(self.example["messages"]) or " ".join(first_question(self.example["messages"]).split())


def pairs_of(old: Side, new: Side, changes: Sequence[Change]) -> list[Pair]:
    """Read the lines of these changes: one statement a side."""
    left = old.lines([change.old for change in changes if change.old])
    right = new.lines([change.new for change in changes if change.new])
    return [
        Pair(change, _line(left, change.old), _line(right, change.new), _version(new if change.new else old))
        for change in changes
    ]


def _version(side: Side) -> str | None:
    return side.name if side.id else None


def _line(lines: Mapping[int, str], row: Row | None) -> Mapping[str, Any] | None:
    return json.loads(lines[row.position]) if row else None


def readable(session: Session) -> Callable[[Change], bool]:
    """Whether the acting person may read a change: not where it has words of a test prompt that is kept from them."""
    person = kept_person(session)
    if person is None:
        return lambda _: True
    hidden = set(session.scalars(hidden_from(person)))
    return lambda change: (
        not change.in_split(Split.TEST) and hidden.isdisjoint(row.example_id for row in (change.old, change.new) if row)
    )


@dataclass(frozen=True)
class Listed:
    """One page of changes that the acting person may read, and how many there are that they may not."""

    pairs: Sequence[Pair]
    pager: Pager
    kept_out: int


def listed_changes(session: Session, old: Side, new: Side, wanted: Sequence[Change], number: int, size: int) -> Listed:
    """Give a page of these changes with their words; page numbers beyond the end give the last one."""
    may_read = readable(session)
    shown = [change for change in wanted if may_read(change)]
    pager = Pager(min(number, max(1, -(-len(shown) // size))), len(shown), size)
    pairs = pairs_of(old, new, shown[max(0, pager.first - 1) : pager.last])
    return Listed(pairs, pager, len(wanted) - len(shown))


def comparison_document(old: Side, new: Side, comparison: Comparison) -> dict[str, Any]:
    """All numbers; `added` to `unchanged` come first, and what else may have changed follows where it did."""
    counts = comparison.counts
    others = [kind for kind in Kind if kind not in COUNTED and counts[kind]]
    return {
        "old": _side(old),
        "new": _side(new),
        **{kind.value: counts[kind] for kind in (*COUNTED, *others)},
        "sources": [
            {
                "source": source,
                "before": comparison.before.get(source, 0),
                "after": comparison.after.get(source, 0),
                **{kind.value: found[kind] for kind in Kind if found[kind]},
            }
            for source, found in comparison.by_source.items()
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"version": side.name, "id": side.id, "examples": dict(side.splits)}


def item_document(pair: Pair) -> dict[str, Any]:
    """One change: what happened, both rows, and what differs; reworded turns as segments that join to both texts."""
    change = pair.change
    found: dict[str, Any] = {
        "kinds": [kind.value for kind in change.kinds],
        "title": pair.title,
        "old": _row(change.old),
        "new": _row(change.new),
    }
    if pair.old is None or pair.new is None:
        return found | {"messages": pair.example["messages"]}
    names = {Kind.LICENCE: "licence", Kind.ATTRIBUTION: "attribution", Kind.GROUP: "group", Kind.FLAGS: "flags"}
    differing = {
        names[kind]: [pair.old.get(names[kind]), pair.new.get(names[kind])] for kind in change.kinds if kind in names
    }
    found |= {"match": change.match.value, "ways": [way.value for way in change.ways], **differing}
    if Kind.REWORDED in change.kinds:
        turns = [turn for turn in turns_of(pair.old["messages"], pair.new["messages"]) if turn.changed]
        found["turns"] = [
            {"title": turn.title, "segments": [{"kind": part.kind, "text": part.text} for part in turn.segments]}
            for turn in turns
        ]
    return found


def _row(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "row": row.position + 1, "example": row.example_id, "revision": row.revision, "split": str(row.split),
        "source": row.source, "sha256": row.sha256,
    }  # fmt: skip


def kept_out_words(count: int) -> str:
    """What is said where changes of test prompts are not shown."""
    verb = "is" if count == 1 else "are"
    return f"{plural(count, 'change')} of test prompts {verb} kept out of sight." if count else ""
