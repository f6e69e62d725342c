"""What a scan keeps of the pairs below its thresholds: how many have which score, and a few of each to judge.

So any threshold can be read without comparing again. Pairs with a test prompt are left out of it all: no count may
tell whoever is kept from the tests how near a prompt of theirs comes to one.
"""

import zlib
from collections.abc import Sequence
from typing import Any

from app.duplicates.pairing import Found
from app.duplicates.texts import Text
from app.projects.models import Split

# Scores are counted in hundredths, and a few pairs of every two hundredths below the threshold can be judged.
BINS = 100
STRATUM = 2
A_STRATUM = 6


def bin_of(score: float) -> int:
    """The hundredth that a score falls into; 1 falls into the last."""
    return max(0, min(BINS - 1, int(score * BINS + 1e-6)))


def standing(texts: Sequence[Text], found: Sequence[Found], floor: float, threshold: float) -> dict[str, Any]:
    """Count the pairs from the floor on and choose some below the threshold, the same again while they are there."""
    told = [one for one in found if not _with_a_test(texts, one)]
    counts = [0] * BINS
    for one in told:
        counts[bin_of(one.score)] += 1
    below = [one for one in told if one.score < threshold and not one.leak]
    return {"floor": floor, "threshold": threshold, "counts": counts, "borderline": _chosen(texts, below)}


def _with_a_test(texts: Sequence[Text], one: Found) -> bool:
    return any(texts[position].split == Split.TEST for position in (one.left, one.right))


def _chosen(texts: Sequence[Text], below: Sequence[Found]) -> list[list[Any]]:
    """Drawn by a hash of the keys: of each stratum a fair few, whatever else was found."""
    drawn = sorted(below, key=lambda one: (_draw(texts, one), one.left, one.right))
    taken: dict[int, list[Found]] = {}
    for one in drawn:
        stratum = taken.setdefault(bin_of(one.score) // STRATUM, [])
        if len(stratum) < A_STRATUM:
            stratum.append(one)
    chosen = [one for stratum in sorted(taken, reverse=True) for one in taken[stratum]]
    return [[texts[one.left].key, texts[one.right].key, one.score] for one in chosen]


def _draw(texts: Sequence[Text], one: Found) -> int:
    return zlib.crc32(f"{texts[one.left].key} {texts[one.right].key}".encode())
