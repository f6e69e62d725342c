"""Prompts that are trained on and held out in nearly the same words.

Two texts are compared by the words that they share, each weighing as much as it is rare in the set: what all prompts
have in common says nothing, the one word that only these two have says much (Jaccard's measure over words, weighed by
inverse document frequency: Spärck Jones, 1972). Case and punctuation never count. docs/gates.md has what was measured.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.datasets.gates.base import TRAIN
from app.datasets.gates.leaks import Leak, Prompt

Ids = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

# From here on two prompts are taken for one: of a million pairs of real ones fifteen are, each nearly the same request.
ALIKE = 0.4
LONGEST = 20_000
# So many words two prompts have in common at least: of three words one is always another.
LEAST = 3
# So many letters a word has whose weight is whole.
LONG = 4
# Below it a text that differs in its numbers and signs alone is another exercise: 17 + 4 is not 17 - 4.
SHORT = 20
# Signs count where they mean something; all others are punctuation.
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[+*/=<>^%&|~@\\#$€£]|(?<=\d)\s*-(?=\s*\d)")
# From Thai on, scripts that put no blanks between words: two letters at a time stand for them.
_UNSPACED = "\u0e00"


def words(text: str) -> tuple[str, ...]:
    """The words and the signs that mean something, case-folded, in their order."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold().replace("’", "'")
    found = [word.strip() for word in _TOKEN.findall(folded)]
    return tuple(found) if folded.isascii() else tuple(part for word in found for part in _parts(word))


def _parts(word: str) -> Iterable[str]:
    if len(word) > 1 and max(word) >= _UNSPACED:
        return (word[at : at + 2] for at in range(len(word) - 1))
    return (word,)


def _tells(word: str) -> bool:
    """Whether two texts are more alike by having it: a sign or a single digit is in any sum."""
    return len(word) > 1 or word.isalpha()


@lru_cache(maxsize=4)
def rewordings(prompts: tuple[Prompt, ...]) -> tuple[Leak, ...]:
    """Every two prompts of which one is trained on and the other held out that are nearly alike, by their numbers.

    A tenth of a second for a thousand prompts with three hundred held out; the last few sets are remembered.
    """
    held = [place for place, prompt in enumerate(prompts) if prompt.split != TRAIN]
    if len(held) in {0, len(prompts)}:
        return ()
    table = _Table(prompts, [words(prompt.text) for prompt in prompts])
    scores = dict(table.same_words())
    for place in held:
        scores |= dict(table.alike_to(place))
    found = [_leak(prompts[left], prompts[right], score) for (left, right), score in scores.items()]
    return tuple(sorted(found, key=lambda one: (one.left.example_id, one.right.example_id)))


@lru_cache(maxsize=4)
def alike(texts: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Every two of these texts that would be a leak if one were trained on and the other held out, by their places."""
    said = [words(text) for text in texts]
    if not any(said):
        return ()
    table = _Table([Prompt(place, TRAIN, text) for place, text in enumerate(texts)], said)
    first: dict[tuple[str, ...], int] = {}
    found = {(first.setdefault(text, place), place) for place, text in enumerate(said) if text}
    found |= {pair for place in range(len(texts)) for pair, _ in table.alike_to(place)}
    return tuple(sorted((left, right) for left, right in found if left != right))


def _leak(one: Prompt, other: Prompt, score: float) -> Leak:
    left, right = sorted((one, other), key=lambda prompt: prompt.example_id)
    return Leak(left, right, round(score, 4))


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


class _Table:
    """The words of all prompts as numbers, and in which prompts each stands."""

    def __init__(self, prompts: Sequence[Prompt], texts: Sequence[tuple[str, ...]]) -> None:
        numbers: dict[str, int] = {}
        rows = [sorted({numbers.setdefault(word, len(numbers)) for word in text if _tells(word)}) for text in texts]
        self.prompts, self.texts = prompts, texts
        # Short words are mostly those that every text has, which a small set cannot tell by counting.
        lengths = np.minimum(1, np.array([len(word) for word in numbers]) / LONG)
        self.sizes = np.array([len(row) for row in rows])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self.words: Ids = np.array([number for row in rows for number in row], dtype=np.int64)
        counts = np.bincount(self.words, minlength=len(numbers))
        everything = len(prompts) + 1
        # A word that two prompts share is as rare as it is among all others.
        self.shared: Weights = lengths * np.log(everything / np.maximum(1, counts - 1))
        self.single: Weights = lengths * np.log(everything / np.maximum(1, counts))
        self.enough = np.log(everything)
        self.totals: Weights = np.array([self.single[self.row(place)].sum() for place in range(len(rows))])
        order = np.argsort(self.words, kind="stable")
        self.holders = np.repeat(np.arange(len(rows)), self.sizes)[order]
        self.holder_starts = np.concatenate([[0], np.cumsum(counts)])
        self.trained = np.array([prompt.split == TRAIN for prompt in prompts])

    def row(self, place: int) -> Ids:
        """The words of one prompt, each once."""
        return self.words[self.starts[place] : self.starts[place + 1]]

    def same_words(self) -> Iterator[tuple[tuple[int, int], float]]:
        """Prompts with the same words in the same order, the first of each split."""
        places: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
        for place, (prompt, text) in enumerate(zip(self.prompts, self.texts, strict=True)):
            places[text].setdefault(prompt.split, place)
        for text, of_split in places.items():
            trained = of_split.pop(TRAIN, None)
            if trained is not None and text:
                yield from ((_ordered(trained, other), 1.0) for other in of_split.values())

    def alike_to(self, place: int) -> Iterator[tuple[tuple[int, int], float]]:
        """The train prompts that are nearly alike to a held-out one, or to one of them."""
        mine = self.row(place)
        near = self._likely(mine)
        near = near[self.trained[near]]
        if not len(near):
            return
        which, at = self._words_of(near)
        known = np.zeros(len(self.single), dtype=bool)
        known[mine] = True
        both = known[at]
        shared = np.bincount(which, np.where(both, self.shared[at], 0), minlength=len(near))
        given = np.bincount(which, np.where(both, self.single[at], 0), minlength=len(near))
        scores = shared / (shared + self.totals[place] + self.totals[near] - 2 * given)
        several = np.bincount(which, both, minlength=len(near)) >= LEAST
        for index in np.flatnonzero((scores >= ALIKE) & (shared >= self.enough) & several):
            other = int(near[index])
            if not self._another_exercise(place, other):
                yield _ordered(place, other), float(scores[index])

    def _likely(self, mine: Ids) -> Ids:
        """Whoever has one of the rarest words: without one of these the rest cannot make two prompts alike."""
        rarest = mine[np.argsort(-self.single[mine], kind="stable")]
        passed = np.cumsum(self.single[rarest])
        left = self.shared[rarest].sum() - np.cumsum(self.shared[rarest])
        enough = left < ALIKE * (left + passed)
        first = rarest[: int(np.argmax(enough)) + 1] if enough.any() else rarest
        holders = [self.holders[self.holder_starts[word] : self.holder_starts[word + 1]] for word in first]
        return np.unique(np.concatenate(holders)) if holders else np.empty(0, dtype=np.int64)

    def _words_of(self, places: Ids) -> tuple[Ids, Ids]:
        """All words of these prompts in one row, each with the index of whose it is."""
        sizes = self.sizes[places]
        which = np.repeat(np.arange(len(places)), sizes)
        within = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return which, self.words[self.starts[places][which] + within]

    def _another_exercise(self, one: int, other: int) -> bool:
        mine, theirs = Counter(self.texts[one]), Counter(self.texts[other])
        apart = (mine - theirs) + (theirs - mine)
        return mine.total() < SHORT and bool(apart) and not any(word[0].isalpha() for word in apart)
