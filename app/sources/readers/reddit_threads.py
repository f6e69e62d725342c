"""What one pass over a Reddit dump remembers: numbers, some 200 bytes a thread, and no text."""

from __future__ import annotations

from array import array

NO_SCORE = -(1 << 60)


class Threads:
    """For each post, found by its number: where it stands, and its best comment so far."""

    def __init__(self) -> None:
        """Start empty."""
        self._index: dict[int, int] = {}
        self._places, self._best = array("q"), array("q")
        self._scores, self._times = array("q"), array("q")

    def _slot(self, post: int) -> int:
        slot = self._index.setdefault(post, len(self._index))
        if slot == len(self._places):
            self._places.append(-1)
            self._best.append(-1)
            self._scores.append(NO_SCORE)
            self._times.append(0)
        return slot

    def found(self, post: int, place: int) -> None:
        """Remember where a post stands."""
        self._places[self._slot(post)] = place

    def answered(self, post: int, comment: int, score: int, created: int) -> None:
        """Let a comment compete: the higher score wins, the older one on a tie."""
        slot = self._slot(post)
        there = (self._scores[slot], -self._times[slot], -self._best[slot])
        if self._best[slot] < 0 or (score, -created, -comment) > there:
            self._best[slot], self._scores[slot], self._times[slot] = comment, score, created

    def best(self, post: int) -> int:
        """The number of the best comment, -1 where none competes."""
        slot = self._index.get(post)
        return -1 if slot is None else self._best[slot]

    def place(self, post: int) -> int:
        """Where a post stands, -1 for one that is not in the dump."""
        slot = self._index.get(post)
        return -1 if slot is None else self._places[slot]
