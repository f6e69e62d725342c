"""Held-out prompts that stand word for word inside a longer prompt that is trained on.

The first words of each held-out prompt are looked for in all that is trained on by one number a place, and what has
them is read word for word: a few hundredths of a second for a million words.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from app.datasets.gates.base import TRAIN
from app.datasets.gates.leaks import Leak, Prompt
from app.datasets.gates.wording import LEAST_ALONE, places_of

Numbers = npt.NDArray[np.uint64]
Words = tuple[str, ...]
# Any odd number; what two rows of words share by chance is found out when they are read.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def contained(prompts: Sequence[Prompt], texts: Sequence[Words]) -> tuple[Leak, ...]:
    """Every first prompt held out whose words stand in their order inside a longer one trained on, by their numbers.

    `texts` are the words of each; letter case and punctuation do not count. A prompt of fewer than LEAST_ALONE words
    is not looked for: it may stand anywhere.
    """
    heads: dict[Words, list[int]] = defaultdict(list)
    for place, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        if prompt.split != TRAIN and prompt.turn == 1 and len(text) >= LEAST_ALONE:
            heads[text[:LEAST_ALONE]].append(place)
    trained = [place for place, prompt in enumerate(prompts) if prompt.split == TRAIN]
    if not heads or not trained:
        return ()
    found: dict[tuple[int, int], Leak] = {}
    for longer, start in _hits(heads, [texts[place] for place in trained]):
        other = trained[longer]
        for place in heads.get(texts[other][start : start + LEAST_ALONE], ()):
            size = len(texts[place])
            if size < len(texts[other]) and texts[other][start : start + size] == texts[place]:
                found.setdefault((place, other), _leak(prompts[place], prompts[other], start, size))
    return tuple(sorted(found.values(), key=lambda one: (one.left.example_id, one.right.example_id)))


def _hits(heads: Sequence[Words] | dict[Words, list[int]], texts: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Where one of the heads may begin: the text by its place, and the word in it."""
    numbers: dict[str, int] = {}
    wanted = [[numbers.setdefault(word, len(numbers) + 1) for word in head] for head in heads]
    # A word of no head is 0, and so is what parts two texts.
    row = [number for text in texts for number in (*map(numbers.get, text, [0] * len(text)), 0)]
    ids = np.array(row, dtype=np.uint64)
    if len(ids) < LEAST_ALONE:
        return
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    looked_for = _rolled(np.array([number for head in wanted for number in head], dtype=np.uint64))[::LEAST_ALONE]
    places = np.flatnonzero(np.isin(_rolled(ids), looked_for))
    which = np.searchsorted(starts, places, side="right") - 1
    yield from zip(which.tolist(), (places - starts[which]).tolist(), strict=True)


def _rolled(ids: Numbers) -> Numbers:
    """One number for each run of LEAST_ALONE words."""
    size = len(ids) - LEAST_ALONE + 1
    found = np.zeros(size, dtype=np.uint64)
    for shift in range(LEAST_ALONE):
        found = found * _FACTOR + ids[shift : shift + size]
    return found


def _leak(held: Prompt, trained: Prompt, start: int, size: int) -> Leak:
    left, right = sorted((held, trained), key=lambda prompt: prompt.example_id)
    places = places_of(trained.text)
    passage = (trained.key, places[start][0], places[start + size - 1][1]) if len(places) >= start + size else None
    return Leak(left, right, passage=passage)
