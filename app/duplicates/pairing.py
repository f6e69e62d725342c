"""From groups of equal texts and near matches to the pairs that people are shown: few, and no leak missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.duplicates.matching import Pairs
from app.duplicates.models import Method, On
from app.duplicates.texts import Text
from app.projects.models import Split

Group = Sequence[int]


@dataclass(frozen=True)
class Found:
    """Two texts by their positions, left before right; the score is that of its method, 1 where they are equal."""

    left: int
    right: int
    method: Method
    score: float
    leak: bool


@dataclass(frozen=True)
class Pairing:
    """The rules of pairing over texts in their order: which may be a pair, and which pair is a leak."""

    texts: Sequence[Text]
    on: On

    def allowed(self, left: int, right: int) -> bool:
        """Whether two texts may be duplicates: answers to one question have its prompt in common by nature.

        Translations say the same on purpose; to train on one and hold the other out is a leak all the same.
        """
        if left == right:
            return False
        one, other = self.texts[left], self.texts[right]
        if one.says is not None and one.says == other.says:
            return self.leak(left, right)
        return not (self.on is On.PROMPT and one.thread is not None and one.thread == other.thread)

    def leak(self, left: int, right: int) -> bool:
        """Whether one is trained on and the other held out."""
        return self._trained(left) != self._trained(right)

    def _trained(self, position: int) -> bool:
        return self.texts[position].split == Split.TRAIN

    def equal_pairs(self, groups: Iterable[Group], method: Method) -> Iterator[Found]:
        """Give a star for each group of equal texts: a thousand copies are 999 pairs, not half a million.

        Each member is paired with the first that it may be paired with, and with the first across the splits.
        """
        for group in groups:
            contacts = self.contacts(group)
            chosen = {pair for member in group for pair in self._chosen([member], contacts)}
            yield from (self._found(left, right, method, 1.0) for left, right in sorted(chosen))

    def near_pairs(self, near: Pairs, groups: Sequence[Group], method: Method) -> Iterator[Found]:
        """Give for each match between two groups the first pair allowed and, if there is one, the first leak."""
        for match in near:
            left, right = groups[int(match["left"])], groups[int(match["right"])]
            score = round(float(match["score"]), 6)
            for pair in sorted(set(self._chosen(self.contacts(left), self.contacts(right)))):
                yield self._found(*pair, method, score)

    def contacts(self, group: Group) -> list[int]:
        """Give those who stand for a group, at most four: of each side the first, and the first of another question.

        Whatever any member may be paired with, or leak to, one of them may as well.
        """
        if len(group) == 1:
            return list(group)
        chosen = []
        for side in (True, False):
            members = [position for position in group if self._trained(position) is side]
            if members:
                chosen.append(members[0])
                chosen += [other for other in members if self.allowed(members[0], other)][:1]
        return sorted(chosen)

    def _chosen(self, left: Iterable[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
        pairs = [(min(a, b), max(a, b)) for a in left for b in right if self.allowed(a, b)]
        yield from pairs[:1]
        yield from [pair for pair in pairs if self.leak(*pair)][:1]

    def _found(self, left: int, right: int, method: Method, score: float) -> Found:
        return Found(left, right, method, score, self.leak(left, right))


AnyFound = TypeVar("AnyFound", bound=Found)


def united(found: Iterable[AnyFound], thresholds: Mapping[Method, float]) -> list[AnyFound]:
    """Give each pair once, by the method that says most about it, in the order of the texts.

    Exact says most; of the others the one whose score is furthest on the way from its own threshold to 1.
    """
    best: dict[tuple[int, int], AnyFound] = {}
    for one in found:
        other = best.get((one.left, one.right))
        if other is None or _say(one, thresholds) > _say(other, thresholds):
            best[one.left, one.right] = one
    return [best[pair] for pair in sorted(best)]


def _say(one: Found, thresholds: Mapping[Method, float]) -> float:
    if one.method is Method.EXACT:
        return 2.0
    least = thresholds[one.method]
    return 1.0 if least >= 1 else (one.score - least) / (1 - least)
