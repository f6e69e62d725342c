"""What a threshold would find and miss, from pairs that people judged: shares with the intervals that belong to them.

A judged pair stands for all pairs of its stratum (two hundredths of the score) that the scan counted, so that it does
not matter where on the scale people judged most. Shares have Wilson's interval at 95 %, by the number of equal
judgements that the unequal ones are worth (Kish).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.duplicates.standing import BINS, STRATUM, bin_of

Z = 1.959964


@dataclass(frozen=True)
class Judged:
    """A pair that somebody settled or judged."""

    score: float
    same: bool


@dataclass(frozen=True)
class Share:
    """A share with its interval; none where nothing was judged that could tell it."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Reading:
    """What a threshold (in percent) finds: how many pairs, the share of these that are the same, and of the same."""

    at: int
    pairs: int
    precision: Share | None
    recall: Share | None
    links: Share | None


def wilson(share: float, count: float) -> Share | None:
    """Wilson's interval of a share of so many equal observations; None of none."""
    if count <= 0:
        return None
    across = 1 + Z * Z / count
    middle = (share + Z * Z / (2 * count)) / across
    half = Z / across * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count))
    return Share(share, max(0.0, middle - half), min(1.0, middle + half))


def read(at: int, counts: Sequence[int], judged: Sequence[Judged], links: Sequence[float]) -> Reading:
    """Read one threshold from the counts by hundredths, from judged pairs, and from the scores of known copies."""
    weights = _weights(counts, judged)
    at = min(at, BINS - 1)
    reaching = [bin_of(one.score) >= at for one in judged]
    found = [(weight, one.same) for one, weight, here in zip(judged, weights, reaching, strict=True) if here]
    same = [(weight, here) for one, weight, here in zip(judged, weights, reaching, strict=True) if one.same]
    return Reading(
        at,
        sum(counts[at:]),
        _share(found),
        _share(same),
        _share([(1.0, bin_of(score) >= at) for score in links]),
    )


def _weights(counts: Sequence[int], judged: Sequence[Judged]) -> list[float]:
    """How many counted pairs each judged one stands for; one that no scan counted stands for itself."""
    of = [bin_of(one.score) // STRATUM for one in judged]
    number = Counter(of)
    total = {stratum: sum(counts[stratum * STRATUM : (stratum + 1) * STRATUM]) for stratum in number}
    return [max(1.0, total[stratum] / number[stratum]) for stratum in of]


def _share(observed: Sequence[tuple[float, bool]]) -> Share | None:
    weight = sum(one for one, _ in observed)
    if not weight:
        return None
    worth = weight * weight / sum(one * one for one, _ in observed)
    return wilson(sum(one for one, yes in observed if yes) / weight, worth)


def share_words(share: Share | None) -> str:
    """.93 (.85 to .97); empty where nothing tells it."""
    return f"{_two(share.share)} ({_two(share.low)} to {_two(share.high)})" if share else ""


def _two(share: float) -> str:
    return f"{share:.2f}".removeprefix("0")
