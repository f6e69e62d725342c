"""How alike two texts are in their wording: the share of their runs of letters that both have.

Jaccard's measure over runs of four characters of the normal form (Leskovec, Rajaraman, Ullman, Mining of Massive
Datasets, chapter 3): it needs no words, so it holds for every script. A signature guesses it without the texts.
"""

import zlib
from functools import cache

import numpy as np
import numpy.typing as npt

from app.duplicates.normal import normal_form
from app.errors import Refusal

Signature = npt.NDArray[np.uint32]

RUN = 4
# A look for duplicates compares runs of five, which short questions share less by chance.
LENGTH = 5
# The standard error of a guess is at most 1 / (2 sqrt(64)) = 0.06.
PARTS = 64
LONGEST = 20_000
# Below it a look would name pairs that share nothing but common words.
LOWEST_WORDING = 0.3
_PRIME = np.uint64((1 << 31) - 1)


class WordingUnfit(Refusal):
    """A likeness of wording of {threshold} makes no sense: give a share from {lowest} to 1. Nothing was started."""


def runs(text: str, length: int = RUN) -> frozenset[str]:
    """The runs of so many characters of a text's normal form; a shorter text is one run, a blank one has none."""
    form = normal_form(text[:LONGEST])
    if not form:
        return frozenset()
    return frozenset(form[at : at + length] for at in range(max(1, len(form) - length + 1)))


def alike(left: frozenset[str], right: frozenset[str]) -> float:
    """The share of runs that both have, 0 to 1; a blank text is like none."""
    both = len(left & right)
    return both / (len(left) + len(right) - both) if both else 0.0


def signature(text: str) -> Signature:
    """64 numbers of which two texts share about as many as they share runs (MinHash, Broder 1997); a blank text: 0s."""
    found = runs(text)
    if not found:
        return np.zeros(PARTS, dtype=np.uint32)
    hashed = np.fromiter((zlib.crc32(run.encode()) for run in found), dtype=np.uint64, count=len(found)) % _PRIME
    factors, steps = _shuffles()
    # Below 2^31 each, so a product and a sum stay below 2^63.
    least = ((hashed[np.newaxis, :] * factors + steps) % _PRIME).min(axis=1)
    found_least: Signature = (least + np.uint64(1)).astype(np.uint32)
    return found_least


@cache
def _shuffles() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    # Fixed: signatures are stored, and compared with those of other processes and other years.
    drawn = np.random.default_rng(1997).integers(1, int(_PRIME), size=(2, PARTS, 1), dtype=np.uint64)
    return drawn[0], drawn[1]


def guessed(signatures: Signature, one: Signature) -> npt.NDArray[np.float32]:
    """The guessed likeness of each of many signatures (n, 64) to one (64,)."""
    shares: npt.NDArray[np.float32] = (signatures == one).mean(axis=1, dtype=np.float32)
    return shares if one.any() else np.zeros_like(shares)
