"""The seeded rule that draws dev and test from train and keeps together what says nearly the same. Pure.

The same examples, links and seed give the same splits on any database: the order of the draw is that of a hash of the
seed and the words, and never that of numbers or times.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.duplicates.clusters import clusters
from app.text.canonical import content_hash

TRAIN, DEV, TEST = "train", "dev", "test"
# What is asked last is drawn first: the choice for the test is the freest.
DRAWN = (TEST, DEV)
# Two examples, or an example and what it shares with others: ("example", 7), ("prompt", its normal form), …
Node = tuple[str, Any]
Link = tuple[Node, Node]


@dataclass(frozen=True)
class Asked:
    """How many approved examples dev and test are to have in all; `redraw` moves what stands in them already as well.

    With `by_source` each source gives its share, without it chance decides.
    """

    dev: int
    test: int
    seed: int
    by_source: bool = True
    redraw: bool = False


@dataclass(frozen=True)
class Member:
    """An example as the rule sees it: the hash of its words, where it may stand, whether it counts (is approved)."""

    id: int
    sha256: str
    source: str
    split: str
    counts: bool = True
    may: frozenset[str] = frozenset({TRAIN, DEV, TEST})


@dataclass(frozen=True)
class Move:
    """An example that goes to another split; `follows` one that stands there already."""

    id: int
    before: str
    after: str
    follows: bool = False


@dataclass(frozen=True)
class Group:
    """Examples that are kept together, in the order of their words' hashes; alone, it is a group of one."""

    members: tuple[Member, ...]

    @property
    def weight(self) -> int:
        """How many of them count."""
        return sum(member.counts for member in self.members)

    @property
    def by_source(self) -> Counter[str]:
        """How many count, by source."""
        return Counter(member.source for member in self.members if member.counts)

    @property
    def may(self) -> frozenset[str]:
        """Where all of them may stand."""
        return frozenset.intersection(*(member.may for member in self.members))

    def place(self, seed: int) -> str:
        """Where the group stands in the order of the draw."""
        words = "\n".join([str(seed), *sorted(member.sha256 for member in self.members if member.counts)])
        return hashlib.sha256(words.encode()).hexdigest()


@dataclass(frozen=True)
class Drawn:
    """What the rule would do: moves by their splits and words, and the groups that it could not keep together or fit.

    `torn` are groups that stand in two splits and stay so, `too_big` those that no split has room for.
    """

    asked: Asked
    moves: tuple[Move, ...]
    together: tuple[Group, ...]
    torn: tuple[Group, ...]
    too_big: tuple[Group, ...]
    # Examples that count by (source, split), and the source of every example.
    before: Mapping[tuple[str, str], int]
    after: Mapping[tuple[str, str], int]
    sources: Mapping[int, str]

    @property
    def fingerprint(self) -> str:
        """A hash of the moves, by which an application is the one that was shown."""
        return content_hash([[move.id, move.before, move.after] for move in self.moves])

    def total(self, split: str, *, after: bool) -> int:
        """How many examples that count stand in a split, before or afterwards."""
        counts = self.after if after else self.before
        return sum(count for (_, of), count in counts.items() if of == split)


def draw(asked: Asked, members: Sequence[Member], links: Iterable[Link]) -> Drawn:
    """Give the moves for what is asked; nothing moves out of dev or test unless `redraw` says so."""
    groups = _groups(members, links)
    rule = _Rule(asked, groups)
    after = {member.id: rule.to.get(member.id, member.split) for group in groups for member in group.members}
    moves = [
        Move(member.id, member.split, after[member.id], member.id in rule.followers)
        for group in groups
        for member in group.members
        if after[member.id] != member.split
    ]
    moved = {move.id for move in moves}
    together = [group for group in groups if len(group.members) > 1 and moved & {one.id for one in group.members}]
    return Drawn(
        asked,
        tuple(moves),
        tuple(together),
        tuple(group for group in groups if len({after[one.id] for one in group.members}) > 1),
        tuple(rule.too_big),
        Counter((one.source, one.split) for one in members if one.counts),
        Counter((one.source, after[one.id]) for one in members if one.counts),
        {one.id: one.source for one in members},
    )


def _groups(members: Sequence[Member], links: Iterable[Link]) -> list[Group]:
    """All groups in an order that depends on their words alone."""
    by_id = {member.id: member for member in members}
    found = [
        [by_id[number] for kind, number in cluster if kind == "example" and number in by_id]
        for cluster in clusters(links)
    ]
    linked = {member.id for group in found for member in group}
    found += [[member] for member in members if member.id not in linked]
    ordered = [sorted(group, key=lambda one: (one.sha256, one.source, one.id)) for group in found if group]
    ordered.sort(key=lambda group: [(one.sha256, one.source, one.id) for one in group])
    return [Group(tuple(group)) for group in ordered]


@dataclass
class _Rule:
    """One application: `to` is filled with where each example goes that goes anywhere."""

    asked: Asked
    groups: Sequence[Group]
    to: dict[int, str] = field(default_factory=dict)
    followers: set[int] = field(default_factory=set)
    too_big: list[Group] = field(default_factory=list)

    def __post_init__(self) -> None:
        """First what stands fast and draws its like after it, then the draw, test before dev."""
        free = [group for group in self.groups if not self._stands_fast(group)]
        # Who may not be trained on has the first choice; then the order is that of the hash.
        free.sort(key=lambda group: (TRAIN in group.may, group.place(self.asked.seed)))
        rooms = {split: max(0, wanted - self._standing(split)) for split, wanted in self._wanted().items()}
        self.too_big = [one for one in free if len(one.members) > 1 and 0 < max(rooms.values()) < one.weight]
        for split in DRAWN:
            free = self._draw(split, rooms[split], free)
        for group in free if self.asked.redraw else ():
            if TRAIN in group.may:
                self.to |= {member.id: TRAIN for member in group.members}

    def _wanted(self) -> dict[str, int]:
        return {TEST: self.asked.test, DEV: self.asked.dev}

    def _stands_fast(self, group: Group) -> bool:
        """Whether a member is in dev or test already and stays there; the others follow where they may."""
        held = {member.split for member in group.members} - {TRAIN}
        if self.asked.redraw or not held:
            return False
        if len(held) == 1:
            (split,) = held
            follow = [one.id for one in group.members if one.split == TRAIN and split in one.may]
            self.to |= dict.fromkeys(follow, split)
            self.followers |= set(follow)
        return True

    def _standing(self, split: str) -> int:
        """How many that count stand in the split before anything is drawn."""
        if self.asked.redraw:
            return 0
        members = (member for group in self.groups for member in group.members if member.counts)
        return sum(self.to.get(member.id, member.split) == split for member in members)

    def _draw(self, split: str, room: int, free: list[Group]) -> list[Group]:
        """Fill a split; the groups that are left. Each source gives its share first, what is left over anybody."""
        left = Counter(self._quotas(room, free)) if self.asked.by_source else None
        taken: set[int] = set()
        for quotas in (left, None) if left is not None else (None,):
            for at, group in enumerate(free):
                if at in taken or split not in group.may or not 0 < group.weight <= room:
                    continue
                if quotas is not None:
                    if any(quotas[source] < count for source, count in group.by_source.items()):
                        continue
                    quotas.subtract(group.by_source)
                taken.add(at)
                room -= group.weight
                self.to |= {member.id: split for member in group.members}
        return [group for at, group in enumerate(free) if at not in taken]

    def _quotas(self, room: int, free: Sequence[Group]) -> dict[str, int]:
        """Divide the room in proportion to what each source has, by the largest remainder."""
        sizes = sum((group.by_source for group in free), Counter[str]())
        total = sizes.total() or 1
        quotas = {source: room * size // total for source, size in sizes.items()}
        rest = sorted(sizes, key=lambda source: (-(room * sizes[source] % total), source))
        for source in rest[: max(0, room - sum(quotas.values()))]:
            quotas[source] += 1
        return quotas
