"""All pairs of texts that are alike in their wording: candidates by MinHash and bands, each then measured whole.

A signature (rensa's R-MinHash) only proposes: what is given is Jaccard's measure itself, over runs of five characters
of the normal form. A pair that no band proposes is missed: at the threshold itself fewer than two of a hundred, above
it next to none (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3.4).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.duplicates.lexical import LENGTH, LOWEST_WORDING, WordingUnfit, alike, runs
from app.duplicates.matching import MOST_PAIRS, PAIR, Pairs, PairsTooMany, Progress

PARTS = 128
SEED = 1997
# Of pairs at the threshold itself so many are proposed; of more alike ones more.
SURE = 0.98
# A signature's guess has a standard error of at most 0.044: what lies four of them below is not measured.
SLACK = 0.18
TEXTS_AT_ONCE = 1000
PAIRS_AT_ONCE = 200_000

Digests = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]


def rows_a_band(threshold: float) -> int:
    """The most rows a band may have so that a pair at the threshold is proposed with a chance of at least SURE."""
    fit = (rows for rows in range(16, 1, -1) if 1 - (1 - threshold**rows) ** (PARTS // rows) >= SURE)
    return next(fit, 1)


def wording_pairs(
    texts: Sequence[str], threshold: float, progress: Progress | None = None, *, most: int = MOST_PAIRS
) -> Pairs:
    """Find pairs of texts whose wording is at least so much alike: left < right, sorted, with the exact measure.

    Every pair given reaches the threshold; see above for what can be missed. Blank texts are like none. Raises
    WordingUnfit, and PairsTooMany beyond `most` pairs.
    """
    if not LOWEST_WORDING <= threshold <= 1:
        raise WordingUnfit(threshold=threshold, lowest=LOWEST_WORDING)
    filled = [position for position, text in enumerate(texts) if text.strip()]
    digests = _digests([texts[position] for position in filled], progress, len(texts))
    proposed = _proposed(digests, threshold, most)
    return _measured(texts, np.asarray(filled, dtype=np.int64), proposed, threshold)


def _digests(texts: Sequence[str], progress: Progress | None, total: int) -> Digests:
    from rensa import RMinHash  # of the jobs that look alone: no page needs it

    digests: Digests = np.empty((len(texts), PARTS), dtype=np.uint32)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = [list(runs(text, LENGTH)) for text in texts[start : start + TEXTS_AT_ONCE]]
        digests[start : start + len(part)] = RMinHash.digest_matrix_from_token_sets(part, PARTS, SEED).to_rows()
        if progress:
            progress(start + len(part), total)
    return digests


def _proposed(digests: Digests, threshold: float, most: int) -> Positions:
    """Pairs that share a band and whose signatures do not speak against them: (n, 2), sorted."""
    rows = rows_a_band(threshold)
    found = np.empty(0, dtype=np.int64)
    for start in range(0, PARTS - rows + 1, rows):
        for left, right in _same(digests[:, start : start + rows]):
            likely = (digests[left] == digests[right]).mean(axis=1) >= threshold - SLACK
            found = np.union1d(found, left[likely] * len(digests) + right[likely])
            if len(found) > most:
                raise PairsTooMany(most=most, threshold=threshold)
    return np.stack(np.divmod(found, max(1, len(digests))), axis=1)


def _same(band: Digests) -> Iterator[tuple[Positions, Positions]]:
    """The pairs of equal rows, left before right, so many at once."""
    _, group = np.unique(band, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable").astype(np.int64)
    ends = np.cumsum(np.bincount(group.ravel()))
    # Each row is paired with those after it in its group.
    after = ends[group.ravel()[order]] - np.arange(1, len(order) + 1)
    start = 0
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(np.cumsum(after[start:]), PAIRS_AT_ONCE)) + start)
        part = after[start:stop]
        left = np.repeat(np.arange(start, stop), part)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(part) - part, part)
        if len(left):
            yield order[left], order[right]
        start = stop


def _measured(texts: Sequence[str], filled: Positions, proposed: Positions, threshold: float) -> Pairs:
    @lru_cache(maxsize=4096)
    def of(position: int) -> frozenset[str]:
        return runs(texts[position], LENGTH)

    scores = np.fromiter(
        (alike(of(left), of(right)) for left, right in filled[proposed].tolist()), dtype=np.float64, count=len(proposed)
    )
    kept = scores >= threshold
    pairs = np.empty(int(kept.sum()), dtype=PAIR)
    pairs["left"], pairs["right"] = filled[proposed[kept]].T
    pairs["score"] = scores[kept]
    return pairs
