"""Clusters of texts that pairs hold together."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar


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


def _root(above: dict[Item, Item], item: Item) -> Item:
    """Climb to the item that stands for its cluster, shortening the way for the next climb."""
    above.setdefault(item, item)
    while above[item] != item:
        above[item] = above[above[item]]
        item = above[item]
    return item
