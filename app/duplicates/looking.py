"""What a scan looks at and what it has found so far."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.duplicates.clusters import stars
from app.duplicates.links import Link, linked
from app.duplicates.matching import MOST_PAIRS, Pairs, PairsTooMany, reaching
from app.duplicates.models import Method, On
from app.duplicates.pairing import Found, Group, Pairing
from app.duplicates.standing import standing
from app.duplicates.texts import Text

# What a result counts; a method that was not asked for counts 0, "methods" says which were.
COUNTED = (Method.EXACT, Method.LEXICAL, Method.EMBEDDING)
# Pairs are counted from here on, so that a lower threshold can be read before anybody looks by it; where there are
# more of them than so many, only from the threshold itself on.
FLOORS = {Method.EMBEDDING: 0.7, Method.LEXICAL: 0.5}
MOST_COUNTED = 500_000

Matcher = Callable[[float, int], Pairs]
Likeness = Callable[[int, int], float]


@dataclass
class Looking:
    """What a scan has found so far, and how long it took; `links` are questions that their site took for copies."""

    texts: Sequence[Text]
    on: On
    methods: Sequence[str]
    thresholds: Mapping[Method, float]
    links: Sequence[Link] = ()
    found: list[Found] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"encode": 0.0, "match": 0.0})
    standing: dict[str, Any] = field(default_factory=dict)
    # The key of the encoder, if one was needed.
    model: str = ""

    def document(self) -> dict[str, Any]:
        """Give the result as the command line and the API print it, and under "standing" what they do not print."""
        counts = dict.fromkeys(COUNTED, 0)
        for pair in self.found:
            counts[pair.method] += 1
        return {
            "texts": len(self.texts),
            "pairs": {method.value: count for method, count in counts.items()},
            "clusters": len(stars((pair.left, pair.right) for pair in self.found)),
            "leaks": sum(pair.leak for pair in self.found),
            "seconds": {part: round(spent, 3) for part, spent in self.seconds.items()},
            "methods": list(self.methods),
            "on": self.on.value,
            "threshold": self.thresholds[Method.EMBEDDING],
            "lexical_threshold": self.thresholds[Method.LEXICAL],
            "standing": self.standing | {"model": self.model},
        }

    def near(
        self, method: Method, pairing: Pairing, groups: Sequence[Group], matcher: Matcher, likeness: Likeness
    ) -> list[Found]:
        """The pairs of one method that reach its threshold; what lies below it is counted, and links are measured.

        `matcher` gives the matches of groups from a threshold on, `likeness` measures two groups.
        """
        threshold = self.thresholds[method]
        matches, floor = _from_the_floor(matcher, threshold, FLOORS[method])
        found = list(pairing.near_pairs(matches, groups, method))
        self.standing[method.value] = standing(self.texts, found, floor, threshold) | {
            "links": list(self._links(groups, likeness)) if self.on is On.PROMPT else []
        }
        kept = reaching(matches, threshold)
        return found if len(kept) == len(matches) else list(pairing.near_pairs(kept, groups, method))

    def _links(self, groups: Sequence[Group], likeness: Likeness) -> Iterator[list[Any]]:
        group_of = {position: number for number, group in enumerate(groups) for position in group}
        for left, right in linked(self.texts, self.links):
            one, other = group_of[left], group_of[right]
            score = 1.0 if one == other else round(likeness(one, other), 6)
            yield [self.texts[left].key, self.texts[right].key, score]


def _from_the_floor(matcher: Matcher, threshold: float, floor: float) -> tuple[Pairs, float]:
    """The matches from the floor on if they are not too many, else from the threshold on; and from where."""
    if floor < threshold:
        try:
            return matcher(floor, MOST_COUNTED), floor
        except PairsTooMany:
            pass
    return matcher(threshold, MOST_PAIRS), threshold
