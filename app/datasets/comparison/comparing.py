"""Two sets of rows compared by meaning: what was added, removed, reworded, moved; pure, and from hashes where it can.

Rows are paired by the example that they come from (within one project), then by the same line, the same messages, the
same prompt, the same long response. Only the lines of rows that differ are read.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from app.datasets.comparison.meaning import Way, sense, ways_of
from app.text.licences import key_of

# A response as short as "Yes." stands under many prompts, so that it pairs no two rows.
LEAST_RESPONSE = 80


class Kind(StrEnum):
    """What may have happened to a row; several may hold at once. In the order in which people are shown them."""

    MOVED = "moved"
    REWORDED = "reworded"
    # Reworded, but only in ways that change no meaning: see Way.
    FORM = "form"
    LICENCE = "licence"
    SOURCE = "source"
    ATTRIBUTION = "attribution"
    GROUP = "group"
    FLAGS = "flags"
    # Something else that a line says.
    OTHER = "other"
    ADDED = "added"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


TITLES = {
    Kind.ADDED: "Added",
    Kind.REMOVED: "Removed",
    Kind.REWORDED: "Reworded",
    Kind.FORM: "Of these only form",
    Kind.MOVED: "Moved",
    Kind.LICENCE: "Licence",
    Kind.SOURCE: "Other source",
    Kind.ATTRIBUTION: "Attribution",
    Kind.GROUP: "Group",
    Kind.FLAGS: "Flags",
    Kind.OTHER: "Other",
    Kind.UNCHANGED: "The same",
}


class Match(StrEnum):
    """What two rows have in common that made a pair of them."""

    EXAMPLE = "example"
    LINE = "line"
    MESSAGES = "messages"
    PROMPT = "prompt"
    RESPONSE = "response"


class Row(NamedTuple):
    """A row of a version without its words; `sha256` is that of its line, `position` its place, from 0."""

    position: int
    example_id: int
    revision: int
    split: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row on both sides, or on one; `characters` counts the words of each side, where they were read."""

    old: Row | None
    new: Row | None
    kinds: tuple[Kind, ...]
    ways: tuple[Way, ...] = ()
    match: Match = Match.EXAMPLE
    characters: tuple[int, int] = (0, 0)

    @property
    def row(self) -> Row:
        """The new row, or the old one where there is no new one."""
        row = self.new or self.old
        assert row is not None
        return row

    def belongs(self, source: str) -> bool:
        """Whether it is listed under that source: that of its row, and the one that it left."""
        left = self.old.source if self.old and Kind.SOURCE in self.kinds else None
        return source in (self.row.source, left)

    def in_split(self, split: str) -> bool:
        """Whether one of its sides is in that split."""
        return any(row is not None and row.split == split for row in (self.old, self.new))


@dataclass(frozen=True)
class Comparison:
    """All pairs of two sets, each row in exactly one of them, in an order that does not depend on that of the rows."""

    changes: tuple[Change, ...]
    same: tuple[Change, ...]
    # Rows by source on either side.
    before: Mapping[str, int]
    after: Mapping[str, int]

    @cached_property
    def counts(self) -> Counter[Kind]:
        """How often each kind holds."""
        return Counter(kind for change in (*self.changes, *self.same) for kind in change.kinds)

    @cached_property
    def by_source(self) -> Mapping[str, Counter[Kind]]:
        """The same by source; a row that changed its source is counted under both."""
        found: dict[str, Counter[Kind]] = {source: Counter() for source in sorted({*self.before, *self.after})}
        for change in (*self.changes, *self.same):
            for source in {change.row.source, (change.old or change.row).source}:
                if change.belongs(source):
                    found[source].update(change.kinds)
        return found

    def chosen(self, kind: Kind | None = None, source: str | None = None) -> tuple[Change, ...]:
        """The changes of a kind and of a source; without a kind all but what is the same."""
        all_of_it = self.same if kind is Kind.UNCHANGED else self.changes
        return tuple(
            change
            for change in all_of_it
            if (kind is None or kind in change.kinds) and (source is None or change.belongs(source))
        )


# Gives the lines of rows by position.
Lines = Callable[[Sequence[Row]], Mapping[int, str]]


def compare(
    old: Iterable[Row], new: Iterable[Row], old_lines: Lines, new_lines: Lines, *, same_project: bool = True
) -> Comparison:
    """Pair the rows of two sets and say what became of each; numbers of examples count within one project only."""
    before, after = list(old), list(new)
    sides = _Sides(before, after)
    if same_project:
        sides.pair(Match.EXAMPLE, lambda row: row.example_id, lambda row: row.example_id)
    sides.pair(Match.LINE, lambda row: row.sha256, lambda row: row.sha256)
    unequal = [pair for pair in sides.pairs if pair[0].sha256 != pair[1].sha256]
    left = _read(old_lines, [*(pair[0] for pair in unequal), *sides.old])
    right = _read(new_lines, [*(pair[1] for pair in unequal), *sides.new])
    for match, key in _KEYS:
        sides.pair(match, lambda row: key(left[row.position]), lambda row: key(right[row.position]))  # noqa: B023 - at once
    changes, same = [], []
    for one, other, match in sides.pairs:
        if one.sha256 == other.sha256:
            same.append(Change(one, other, (Kind.UNCHANGED,), match=match))
        else:
            changes.append(_changed(one, other, match, left[one.position], right[other.position]))
    changes += [Change(row, None, (Kind.REMOVED,), characters=(_size(left[row.position]), 0)) for row in sides.old]
    changes += [Change(None, row, (Kind.ADDED,), characters=(0, _size(right[row.position]))) for row in sides.new]
    return Comparison(
        tuple(sorted(changes, key=_order)), tuple(sorted(same, key=_order)),
        Counter(row.source for row in before), Counter(row.source for row in after),
    )  # fmt: skip


class _Sides:
    """What is not paired yet on either side, and the pairs so far."""

    def __init__(self, old: list[Row], new: list[Row]) -> None:
        self.old = old
        self.new = new
        self.pairs: list[tuple[Row, Row, Match]] = []

    def pair(self, match: Match, old_key: Callable[[Row], Hashable], new_key: Callable[[Row], Hashable]) -> None:
        """Pair rows with the same key, which None is not; of several the first with the first, by their hashes."""
        if not self.old or not self.new:
            return
        left, right = _grouped(self.old, old_key), _grouped(self.new, new_key)
        self.old, self.new = left.pop(None, []), right.pop(None, [])
        for key, group in left.items():
            rows, others = sorted(group, key=_fixed), sorted(right.pop(key, []), key=_fixed)
            self.pairs += [(one, other, match) for one, other in zip(rows, others, strict=False)]
            self.old += rows[len(others) :]
            self.new += others[len(rows) :]
        for rows in right.values():
            self.new += rows


def _grouped(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Hashable, list[Row]]:
    groups: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _fixed(row: Row) -> tuple[str, int]:
    return row.sha256, row.example_id


def _order(change: Change) -> tuple[int, str, int, str]:
    row = change.row
    return _PLACES[change.kinds[0]], row.source, row.example_id, row.sha256


_PLACES = {kind: place for place, kind in enumerate(Kind)}


def _read(lines: Lines, rows: Sequence[Row]) -> dict[int, Mapping[str, Any]]:
    return {position: json.loads(line) for position, line in lines(rows).items()} if rows else {}


def _size(example: Mapping[str, Any]) -> int:
    return sum(len(said["content"]) for said in example["messages"])


# What a line says besides its split and its words.
_FIELDS = {
    "licence": Kind.LICENCE,
    "source": Kind.SOURCE,
    "attribution": Kind.ATTRIBUTION,
    "group": Kind.GROUP,
    "flags": Kind.FLAGS,
}


def _changed(old: Row, new: Row, match: Match, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    ways: tuple[Way, ...] = ()
    told_otherwise = differing - {"split", "messages"}
    if "licence" in differing and key_of(before.get("licence")) == key_of(after.get("licence")):
        told_otherwise.discard("licence")  # one licence, written in two ways
    kinds = {_FIELDS.get(name, Kind.OTHER) for name in told_otherwise}
    if "split" in differing:
        kinds.add(Kind.MOVED)
    if "messages" in differing:
        ways = ways_of(before["messages"], after["messages"])
        kinds |= {Kind.REWORDED, Kind.FORM} if ways else {Kind.REWORDED}
    # Lines that differ in nothing they say were not written canonically: that is told and not hidden.
    told = tuple(sorted(kinds or {Kind.OTHER}, key=_PLACES.__getitem__))
    return Change(old, new, told, ways, match, (_size(before), _size(after)))


def _all_said(example: Mapping[str, Any]) -> Hashable:
    return tuple((said["role"], said["content"]) for said in example["messages"])


def _all_meant(example: Mapping[str, Any]) -> Hashable:
    return tuple((said["role"], sense(said["content"])) for said in example["messages"])


def _prompt(example: Mapping[str, Any]) -> Hashable:
    question = next((str(said["content"]) for said in example["messages"] if said["role"] == "user"), "")
    return sense(question) or None


def _response(example: Mapping[str, Any]) -> Hashable:
    said = sense("\n".join(str(said["content"]) for said in example["messages"] if said["role"] == "assistant"))
    return said if len(said) >= LEAST_RESPONSE else None


_KEYS: tuple[tuple[Match, Callable[[Mapping[str, Any]], Hashable]], ...] = (
    (Match.MESSAGES, _all_said),
    (Match.MESSAGES, _all_meant),
    (Match.PROMPT, _prompt),
    (Match.RESPONSE, _response),
)
