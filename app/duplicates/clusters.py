"""Clusters of texts that pairs hold together: whatever is connected, or stars, in which all are alike to one."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Ordered(Protocol):
    """What can be a key and be sorted: a row number, or a pair of kind and id."""

    def __hash__(self) -> int:
        """Needed of a key."""

    def __lt__(self, other: Any, /) -> bool:
        """Needed of what is sorted."""


Item = TypeVar("Item", bound=Ordered)


def clusters(pairs: Iterable[tuple[Item, Item]]) -> list[tuple[Item, ...]]:
    """Join whatever pairs connect: each cluster ascending, clusters by their first item.

    The answer depends on the set of pairs alone, not on their order or direction. An item without a pair
    is in no cluster.
    """
    above: dict[Item, Item] = {}
    for left, right in pairs:
        first, second = _root(above, left), _root(above, right)
        if first != second:
            above[second] = first
    gathered: dict[Item, list[Item]] = {}
    for item in sorted(above):
        gathered.setdefault(_root(above, item), []).append(item)
    return [tuple(members) for members in gathered.values() if len(members) > 1]


@dataclass(frozen=True)
class Star(Generic[Item]):
    """A text and those that are each paired with it: no chain leads to a text that is unlike it."""

    centre: Item
    others: tuple[Item, ...]

    @property
    def members(self) -> tuple[Item, ...]:
        """All of them, the centre first."""
        return self.centre, *self.others


def stars(pairs: Iterable[tuple[Item, Item]]) -> list[Star[Item]]:
    """Part the texts into stars: again and again the text with most pairs takes those it is paired with.

    Of as many the first takes. Every text of a star is paired with its centre, and a text is in one star at most; a
    pair between two stars belongs to neither. The answer depends on the set of pairs alone.
    """
    beside: dict[Item, set[Item]] = {}
    for left, right in pairs:
        if left != right:
            beside.setdefault(left, set()).add(right)
            beside.setdefault(right, set()).add(left)
    waiting = [(-len(others), item) for item, others in beside.items()]
    heapq.heapify(waiting)
    found: list[Star[Item]] = []
    while waiting:
        count, item = heapq.heappop(waiting)
        others = beside.get(item)
        if not others:
            continue
        if len(others) < -count:  # some of them are in a star by now
            heapq.heappush(waiting, (-len(others), item))
            continue
        found.append(Star(item, tuple(sorted(others))))
        _take(beside, {item, *others})
    return sorted(found, key=lambda star: star.centre)


def _take(beside: dict[Item, set[Item]], taken: set[Item]) -> None:
    for item in taken:
        for other in beside.pop(item):
            if other not in taken and other in beside:
                beside[other].discard(item)


def _root(above: dict[Item, Item], item: Item) -> Item:
    """Climb to the item that stands for its cluster, shortening the way for the next climb."""
    above.setdefault(item, item)
    while above[item] != item:
        above[item] = above[above[item]]
        item = above[item]
    return item
